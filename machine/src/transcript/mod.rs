//! What a person reads of a run: a pure fold of its agent events into text, thoughts, tools, steps and usage.
//!
//! Feed it the run's events in the order they are handed on; each answers with what a screen must show next. Its rules
//! are those of LobeHub's own clients, with their mistakes left out:
//!
//! - pieces are appended; a snapshot replaces the whole, unless a later snapshot has been applied; the whole text told
//!   at the end of an answer wins, but an empty one erases nothing;
//! - a list of calls is always the full list;
//! - a retry voids what the step has said so far;
//! - usage is told by several sources that overlap: it is never added across them;
//! - what belongs to a sub-thread or to another operation (S1) changes nothing here;
//! - the first end said counts, unless the run was started again after it (S2).
//!
//! What it deliberately does not do: it does not decide how the run ended (that is the machine's
//! [`Outcome`](crate::Outcome)), and it does not keep the topic's message list (`uiMessages`, `message_patch`): that
//! is refetched from the server by those who show it.

mod answer;
mod calls;
mod change;
mod ending;
mod passage;
mod step;
#[cfg(test)]
mod tests;
mod tool;
mod tools;
mod usage;

pub use change::{Change, ToolChange};
pub use ending::{Ending, Failure};
pub use passage::{Edit, Passage};
pub use step::Step;
pub use tool::{Tool, ToolStage};
pub use usage::Usage;

use alloc::{boxed::Box, string::String, vec::Vec};

use agent_gateway_protocol::event::{AgentRuntimeEnd, Payload, StepComplete, StepStart};
use agent_gateway_protocol::{AgentEvent, OperationId, ToolCallId};
use serde::{Deserialize, Serialize};

use tools::Tools;
use usage::Tally;

/// What a person reads of one run. Plain data; see the [module](self) for its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Transcript {
    operation: Option<OperationId>,
    title: Option<Box<str>>,
    steps: Vec<Step>,
    tools: Tools,
    tally: Tally,
    failures: Vec<Failure>,
    ending: Option<Ending>,
}

impl Transcript {
    /// An empty transcript of this operation's run. Without an operation every event counts as the run's own.
    #[must_use]
    pub fn new(operation: impl Into<Option<OperationId>>) -> Self {
        Self {
            operation: operation.into(),
            ..Self::default()
        }
    }

    /// Takes one event in; tells what changed, in the order to show it. An event that changes nothing a person reads
    /// answers with nothing.
    pub fn apply(&mut self, event: &AgentEvent) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.is_foreign(event) || event.is_subagent() {
            return changes;
        }
        let changed = &mut changes;
        match event.payload() {
            Payload::StepStart(start) => self.on_step_start(start, event.step_index, changed),
            Payload::StreamStart(start) => self.on_stream_start(start, event.step_index, changed),
            Payload::StreamChunk(chunk) => self.on_stream_chunk(chunk, event.step_index, changed),
            Payload::StreamEnd(end) => self.on_stream_end(end, event.step_index, changed),
            Payload::StreamRetry(retry) => self.on_stream_retry(&retry, changed),
            Payload::VisibleOutputEnd(_) => changed.push(Change::OutputEnded),
            Payload::ToolStart(start) => self.on_tool_start(start.tool_calling, changed),
            Payload::ToolExecute(execute) => self.on_tool_execute(&execute, changed),
            Payload::ToolEnd(end) => self.on_tool_end(end, changed),
            Payload::ToolResult(result) => self.on_tool_result(result, changed),
            Payload::StepComplete(complete) => self.on_step_complete(&complete, changed),
            Payload::AgentRuntimeEnd(end) => self.on_agent_runtime_end(end, changed),
            Payload::Error(error) => self.fail(Failure::read(error), changed),
            Payload::AgentInterventionRequest(request) => {
                self.on_intervention_request(request, changed);
            }
            Payload::AgentInterventionResponse(response) => {
                self.on_intervention_response(response.tool_call_id, changed);
            }
            Payload::SessionTitle(title) => {
                self.title = title.title;
                changed.push(Change::Title);
            }
            Payload::AgentRuntimeInit(_)
            | Payload::NotifyUpdate(_)
            | Payload::MessagePatch(_)
            | Payload::MemberRuntimeEnd(_)
            | Payload::LlmExecute(_)
            | Payload::Unknown(_) => {}
        }
        changes
    }

    /// The run, if told.
    #[must_use]
    pub fn operation(&self) -> Option<&OperationId> {
        self.operation.as_ref()
    }

    /// The conversation's title, if the run gave it one.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// All that the model said, steps apart by an empty line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for step in self.steps.iter().filter(|step| !step.text.is_empty()) {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(step.text.as_str());
        }
        text
    }

    /// The tool calls, in the order they became known.
    #[must_use]
    pub fn tools(&self) -> &[Tool] {
        self.tools.as_slice()
    }

    /// One tool call.
    #[must_use]
    pub fn tool(&self, call: &ToolCallId) -> Option<&Tool> {
        self.tools.get(call)
    }

    /// Tokens and cost so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.tally.sum()
    }

    /// What failed, in order; the same failure told again on another level is here once.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// How the stream says that the run ended, once it has.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    // S1
    fn is_foreign(&self, event: &AgentEvent) -> bool {
        match (&self.operation, &event.operation_id) {
            (Some(own), Some(other)) => own != other,
            (None, _) | (_, None) => false,
        }
    }

    fn on_step_start(&mut self, start: StepStart, index: Option<u32>, changed: &mut Vec<Change>) {
        self.void_end(changed);
        match start {
            StepStart::Plain(_) | StepStart::Unknown(_) => self.begin_step(index, changed),
            StepStart::HumanApproval(approval) => {
                for calling in approval.pending_tools_calling.into_iter().flatten() {
                    self.wait(&calling, changed);
                }
            }
            StepStart::ToolsAborted(aborted) => {
                for calling in aborted.tools_calling.into_iter().flatten() {
                    self.abort(&calling, changed);
                }
            }
        }
    }

    fn on_step_complete(&mut self, complete: &StepComplete, changed: &mut Vec<Change>) {
        match complete {
            StepComplete::TurnMetadata(turn) => {
                if let Some(step) = self.steps.last_mut() {
                    step.model = turn.model.clone().or(step.model.take());
                    step.provider = turn.provider.clone().or(step.provider.take());
                }
                if let Some(usage) = &turn.usage {
                    self.tally.turns.add(Usage::read(usage));
                    changed.push(Change::Usage);
                }
            }
            StepComplete::ResultUsage(result) => {
                let mut whole = result.usage.as_ref().map(Usage::read).unwrap_or_default();
                whole.cost = result
                    .cost_usd
                    .as_ref()
                    .and_then(usage::dollars)
                    .or(whole.cost);
                self.tally.whole = Some(whole);
                changed.push(Change::Usage);
            }
            StepComplete::Plain(_)
            | StepComplete::ExecutionComplete(_)
            | StepComplete::SubagentProgress(_)
            | StepComplete::OperationHeartbeat(_)
            | StepComplete::Unknown(_) => {}
        }
    }

    fn on_agent_runtime_end(&mut self, end: AgentRuntimeEnd, changed: &mut Vec<Change>) {
        // Runs made elsewhere say their end twice: the first one counts.
        if self.ending.is_some() {
            return;
        }
        if self.failures.is_empty()
            && let Some(failure) = Failure::of_end(&end)
        {
            self.fail(failure, changed);
        }
        self.ending = Some(Ending::read(end));
        changed.push(Change::Ended);
    }

    fn fail(&mut self, failure: Failure, changed: &mut Vec<Change>) {
        if self
            .failures
            .last()
            .is_some_and(|known| known.tells_same(&failure))
        {
            return;
        }
        self.failures.push(failure);
        changed.push(Change::Failed);
    }

    /// Something that only a running run does came after its end: it was started again (S2).
    fn void_end(&mut self, changed: &mut Vec<Change>) {
        if self.ending.take().is_some() {
            changed.push(Change::EndVoided);
        }
    }

    fn begin_step(&mut self, index: Option<u32>, changed: &mut Vec<Change>) {
        if let Some(step) = self.steps.last_mut()
            && step.is_untouched()
            && step.index == index
        {
            return;
        }
        self.steps.push(Step::new(index));
        changed.push(Change::StepBegan);
    }

    /// The last step; begun now if something came before any step did.
    fn current_step(&mut self, index: Option<u32>, changed: &mut Vec<Change>) -> &mut Step {
        if self.steps.is_empty() {
            changed.push(Change::StepBegan);
            self.steps.push(Step::new(index));
        }
        let last = self.steps.len() - 1;
        &mut self.steps[last]
    }
}

//! The tools of a run: asked for, decided on, started, over.

use alloc::{collections::BTreeSet, vec::Vec};

use agent_gateway_protocol::ToolCallId;
use agent_gateway_protocol::event::{
    AgentInterventionRequest, ErrorPayload, ToolCalling, ToolEnd, ToolExecute, ToolResultContent,
    ToolStateChunk,
};

use super::{Change, Tool, ToolChange, ToolStage, Transcript};

impl Transcript {
    pub(super) fn on_tool_state(&mut self, chunk: ToolStateChunk, changed: &mut Vec<Change>) {
        let Some(call) = chunk.tool_call_id else {
            return;
        };
        let tool = self.tool_or_new(&call);
        let stale = chunk.snapshot_seq.is_some() && chunk.snapshot_seq <= tool.sequence;
        if stale || tool.stage.is_settled() {
            return;
        }
        tool.sequence = chunk.snapshot_seq.or(tool.sequence);
        tool.state = chunk.plugin_state;
        tell(changed, &call, ToolChange::State);
    }

    pub(super) fn on_tool_start(
        &mut self,
        calling: Option<ToolCalling>,
        changed: &mut Vec<Change>,
    ) {
        self.void_end(changed);
        if let Some((call, tool)) = calling.and_then(|calling| self.described(&calling))
            && tool.stage != ToolStage::Running
        {
            tool.stage = ToolStage::Running;
            tell(changed, &call, ToolChange::Started);
        }
    }

    pub(super) fn on_tool_execute(&mut self, execute: &ToolExecute, changed: &mut Vec<Change>) {
        self.void_end(changed);
        let tool = self.tool_or_new(&execute.tool_call_id);
        tool.describe_execution(execute);
        if tool.stage != ToolStage::Running && !tool.stage.is_settled() {
            tool.stage = ToolStage::Running;
            tell(changed, &execute.tool_call_id, ToolChange::Started);
        }
    }

    pub(super) fn on_tool_end(&mut self, end: ToolEnd, changed: &mut Vec<Change>) {
        let Some(call) = end.tool_call_id() else {
            return;
        };
        let result = end.result.unwrap_or_default();
        let success = end.is_success.or(result.success).unwrap_or(true);
        let tool = self.tool_or_new(&call);
        if let Some(calling) = end.payload.and_then(|payload| payload.tool_calling) {
            tool.describe(&calling);
        }
        let was_settled = tool.stage.is_settled();
        let content_changed = result.content.is_some() && result.content != tool.content;
        tool.stage = if success {
            ToolStage::Succeeded
        } else {
            ToolStage::Failed
        };
        // Newest servers leave the content out of the end: what a `tool_result` told before it stays.
        tool.content = result.content.or(tool.content.take());
        tool.state = result.state.or(tool.state.take());
        tool.execution_time = end.execution_time.or(result.execution_time);
        if !success {
            tool.error = result
                .error
                .map(|error| ErrorPayload::text_of(error.as_slice()).into());
        }
        if !was_settled {
            tell(changed, &call, ToolChange::Settled);
        } else if content_changed {
            tell(changed, &call, ToolChange::Content);
        }
    }

    pub(super) fn on_tool_result(&mut self, result: ToolResultContent, changed: &mut Vec<Change>) {
        let Some(call) = result.tool_call_id else {
            return;
        };
        let tool = self.tool_or_new(&call);
        let was_settled = tool.stage.is_settled();
        if result.is_error == Some(true) {
            tool.stage = ToolStage::Failed;
        } else if !was_settled {
            tool.stage = ToolStage::Succeeded;
        }
        tool.content = result.content.or(tool.content.take());
        tool.state = result.plugin_state.or(tool.state.take());
        let change = if was_settled {
            ToolChange::Content
        } else {
            ToolChange::Settled
        };
        tell(changed, &call, change);
    }

    pub(super) fn on_intervention_request(
        &mut self,
        request: AgentInterventionRequest,
        changed: &mut Vec<Change>,
    ) {
        let Some(call) = request.tool_call_id else {
            return;
        };
        let tool = self.tool_or_new(&call);
        tool.identifier = request.identifier.unwrap_or_default();
        tool.api_name = request.api_name.unwrap_or_default();
        tool.arguments = request.arguments.unwrap_or_default();
        if !tool.stage.is_settled() {
            tool.stage = ToolStage::Waiting;
            tell(changed, &call, ToolChange::Waiting);
        }
    }

    /// Answered or given up by somebody: either way nobody needs to be asked any more.
    pub(super) fn on_intervention_response(
        &mut self,
        call: Option<ToolCallId>,
        changed: &mut Vec<Change>,
    ) {
        if let Some(call) = call
            && let Some(tool) = self.known(&call)
            && tool.stage == ToolStage::Waiting
        {
            tool.stage = ToolStage::Running;
            tell(changed, &call, ToolChange::Started);
        }
    }

    /// The full list of the step's calls: what is new is added, what is known is described anew, what is gone and has
    /// not begun is dropped.
    pub(super) fn replace_calls(
        &mut self,
        list: &[ToolCalling],
        index: Option<u32>,
        changed: &mut Vec<Change>,
    ) {
        self.current_step(index, changed);
        self.keep_calls(list, changed);
        for calling in list {
            let Some(call) = &calling.id else { continue };
            if let Some(tool) = self.known(call) {
                tool.describe(calling);
                continue;
            }
            self.tools.get_or_new(call).describe(calling);
            if let Some(step) = self.steps.last_mut() {
                step.calls.push(call.clone());
                step.asked.push(call.clone());
            }
            tell(changed, call, ToolChange::Asked);
        }
    }

    /// Drops the last step's calls that are not in `list` and have not begun.
    pub(super) fn keep_calls(&mut self, list: &[ToolCalling], changed: &mut Vec<Change>) {
        let Some(step) = self.steps.last_mut() else {
            return;
        };
        let listed: BTreeSet<_> = list
            .iter()
            .filter_map(|calling| calling.id.as_ref())
            .collect();
        let mut dropped = Vec::new();
        step.asked.retain(|call| {
            let tool = self.tools.get(call);
            let is_asked = tool.is_some_and(|tool| tool.stage == ToolStage::Asked);
            if is_asked && !listed.contains(call) {
                dropped.push(call.clone());
                return false;
            }
            is_asked
        });
        step.drop_calls(&dropped);
        self.tools.remove_all(&dropped);
        for call in &dropped {
            tell(changed, call, ToolChange::Dropped);
        }
    }

    pub(super) fn wait(&mut self, calling: &ToolCalling, changed: &mut Vec<Change>) {
        if let Some((call, tool)) = self.described(calling)
            && tool.stage != ToolStage::Waiting
        {
            tool.stage = ToolStage::Waiting;
            tell(changed, &call, ToolChange::Waiting);
        }
    }

    pub(super) fn abort(&mut self, calling: &ToolCalling, changed: &mut Vec<Change>) {
        if let Some((call, tool)) = self.described(calling)
            && !tool.stage.is_settled()
        {
            tool.stage = ToolStage::Aborted;
            tell(changed, &call, ToolChange::Aborted);
        }
    }

    pub(super) fn known(&mut self, call: &ToolCallId) -> Option<&mut Tool> {
        self.tools.get_mut(call)
    }

    /// The tool of that call; a new one if it was never asked for in our sight.
    pub(super) fn tool_or_new(&mut self, call: &ToolCallId) -> &mut Tool {
        self.tools.get_or_new(call)
    }

    pub(super) fn described(&mut self, calling: &ToolCalling) -> Option<(ToolCallId, &mut Tool)> {
        let call = calling.id.clone()?;
        let tool = self.tool_or_new(&call);
        tool.describe(calling);
        Some((call, tool))
    }
}

fn tell(changed: &mut Vec<Change>, call: &ToolCallId, change: ToolChange) {
    changed.push(Change::Tool {
        call: call.clone(),
        change,
    });
}

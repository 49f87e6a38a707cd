use alloc::boxed::Box;

use super::EndReason;
use crate::{
    MessageId, RawJson,
    members::{members, tagged},
};

tagged! {
    /// `step_complete`: a step is over, or something about it became known.
    pub enum StepComplete by "phase" {
        /// The execution is over, as the server's loop sees it; the end of the run is another event.
        ExecutionComplete(ExecutionComplete) = "execution_complete",
        /// Model and usage of one turn of a run made elsewhere.
        TurnMetadata(TurnMetadata) = "turn_metadata",
        /// Usage of the whole run made elsewhere. It covers the turns': never add both.
        ResultUsage(ResultUsage) = "result_usage",
        /// How far a sub-thread is.
        SubagentProgress(SubagentProgress) = "subagent_progress",
        /// The run is alive.
        OperationHeartbeat(OperationHeartbeat) = "operation_heartbeat",
        _ =>
        /// An ordinary step is over.
        Plain(StepSummary),
    }
}

members! {
    /// The end of an ordinary step.
    #[derive(Default)]
    pub struct StepSummary {
        /// The step, from 0.
        step_index: optional u32 = "stepIndex",
        /// Another one follows.
        next_step_scheduled: optional bool = "nextStepScheduled",
        /// The run's state after it; can be megabytes.
        final_state: optional RawJson = "finalState",
    }
}

members! {
    /// The end of the execution, as the server's loop sees it.
    #[derive(Default)]
    pub struct ExecutionComplete {
        /// Why; its words are not only those of `agent_runtime_end`.
        reason: optional EndReason = "reason",
        /// The same in a sentence.
        reason_detail: optional Box<str> = "reasonDetail",
        /// The run's last state; can be megabytes.
        final_state: optional RawJson = "finalState",
    }
}

members! {
    /// Model and usage of one turn.
    #[derive(Default)]
    pub struct TurnMetadata {
        /// The model.
        model: optional Box<str> = "model",
        /// Who runs the model.
        provider: optional Box<str> = "provider",
        /// Tokens and cost.
        usage: optional RawJson = "usage",
    }
}

members! {
    /// Usage of a whole run.
    #[derive(Default)]
    pub struct ResultUsage {
        /// Tokens.
        usage: optional RawJson = "usage",
        /// Cost in US dollars, a fraction.
        cost_usd: optional RawJson = "costUsd",
    }
}

members! {
    /// How far a sub-thread is.
    #[derive(Default)]
    pub struct SubagentProgress {
        /// The row of the tool that began it.
        tool_message_id: optional MessageId = "toolMessageId",
        /// The model.
        model: optional Box<str> = "model",
        /// Tokens so far.
        total_tokens: optional u64 = "totalTokens",
        /// Calls so far.
        total_tool_calls: optional u64 = "totalToolCalls",
        /// Cost so far in US dollars, a fraction.
        total_cost: optional RawJson = "totalCost",
    }
}

members! {
    /// A sign of life.
    #[derive(Default)]
    pub struct OperationHeartbeat {}
}

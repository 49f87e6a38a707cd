use alloc::vec::Vec;

use super::ToolCalling;
use crate::{
    MessageId, RawJson,
    members::{members, tagged},
};

tagged! {
    /// `step_start`: a step begins.
    pub enum StepStart by "phase" {
        /// The run is about to park until a person decides.
        HumanApproval(HumanApproval) = "human_approval",
        /// The user stopped the run while tools were pending.
        ToolsAborted(ToolsAborted) = "tools_aborted",
        _ =>
        /// An ordinary step.
        Plain(StepBegin),
    }
}

members! {
    /// The beginning of an ordinary step.
    #[derive(Default)]
    pub struct StepBegin {
        /// All messages as they were before this step's own row existed.
        ui_messages: optional RawJson = "uiMessages",
        /// The number of the last `message_patch` that this replaces (protocol 2).
        message_revision: optional u64 = "messageRevision",
    }
}

members! {
    /// Which calls wait for a person.
    #[derive(Default)]
    pub struct HumanApproval {
        /// Always true.
        requires_approval: optional bool = "requiresApproval",
        /// The calls.
        pending_tools_calling: optional Vec<ToolCalling> = "pendingToolsCalling",
    }
}

members! {
    /// Which calls were given up.
    #[derive(Default)]
    pub struct ToolsAborted {
        /// The row that asked for them.
        parent_message_id: optional MessageId = "parentMessageId",
        /// The calls.
        tools_calling: optional Vec<ToolCalling> = "toolsCalling",
    }
}

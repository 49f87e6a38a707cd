use alloc::boxed::Box;

use super::EndReason;
use crate::{OperationId, RawJson, members::members};

members! {
    /// `agent_runtime_end`: the run is over or parked, if the event's operation is ours (S2).
    #[derive(Default)]
    pub struct AgentRuntimeEnd {
        /// Why; absent means completed.
        reason: optional EndReason = "reason",
        /// The same in a sentence.
        reason_detail: optional Box<str> = "reasonDetail",
        /// What kind of failure.
        error_type: optional Box<str> = "errorType",
        /// The failure, a text or an object, of a run made elsewhere.
        error: optional RawJson = "error",
        /// The run's last state; can be megabytes.
        final_state: optional RawJson = "finalState",
        /// All messages as they are now; left out when interrupted, so that the text streamed stays.
        ui_messages: optional RawJson = "uiMessages",
        /// The program behind a run made elsewhere.
        agent_type: optional Box<str> = "agentType",
        /// The operation that ended, of a run made elsewhere.
        operation_id: optional OperationId = "operationId",
        /// The session of that program.
        session_id: optional Box<str> = "sessionId",
        /// Messages came as patches, not with this event (protocol 2).
        message_patch_mode: optional bool = "messagePatchMode",
        /// The number of the last `message_patch` (protocol 2).
        message_revision: optional u64 = "messageRevision",
    }
}

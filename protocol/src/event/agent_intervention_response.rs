use crate::{RawJson, ToolCallId, members::members, string_enum::string_enum};

members! {
    /// `agent_intervention_response`: a person answered, or will not. Everyone watching gets it.
    #[derive(Default)]
    pub struct AgentInterventionResponse {
        /// The call that asked.
        tool_call_id: optional ToolCallId = "toolCallId",
        /// The answer.
        result: optional RawJson = "result",
        /// There will be no answer.
        cancelled: optional bool = "cancelled",
        /// Why not.
        cancel_reason: optional CancelReason = "cancelReason",
        /// The one who asked has taken it.
        producer_ack: optional bool = "producerAck",
    }
}

string_enum! {
    /// Why a question got no answer.
    pub enum CancelReason {
        /// Nobody answered in time.
        Timeout = "timeout",
        /// A person said no.
        UserCancelled = "user_cancelled",
        /// The run ended first.
        SessionEnded = "session_ended",
    }
}

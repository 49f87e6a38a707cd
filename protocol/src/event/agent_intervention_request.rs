use alloc::boxed::Box;

use crate::{ToolCallId, members::members};

members! {
    /// `agent_intervention_request`: the run asks a person, and goes on meanwhile.
    #[derive(Default)]
    pub struct AgentInterventionRequest {
        /// The call that asks.
        tool_call_id: optional ToolCallId = "toolCallId",
        /// Who asks, such as `claude-code`.
        identifier: optional Box<str> = "identifier",
        /// How, such as `askUserQuestion`.
        api_name: optional Box<str> = "apiName",
        /// The question, as JSON.
        arguments: optional Box<str> = "arguments",
        /// Until when it waits, in ms since 1970.
        deadline: optional u64 = "deadline",
        /// `permission`, `plan` or `question`.
        interaction_kind: optional Box<str> = "interactionKind",
        /// The program that asks.
        provider: optional Box<str> = "provider",
    }
}

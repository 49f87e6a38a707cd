use agent_gateway_protocol::event::{AgentRuntimeEnd, ErrorPayload, ToolExecute};
use agent_gateway_protocol::{AgentEvent, EventType, Payload, ToolCallId};

/// What an own event means beside being handed on (S1, S2, T1, T3).
pub(crate) enum Meaning {
    Nothing,
    /// It is of a sub-thread: nothing to the run, whatever it says.
    SubThread,
    End(AgentRuntimeEnd),
    Error(ErrorPayload),
    ToolExecute(ToolExecute),
    ToolSettled(ToolCallId),
}

impl Meaning {
    /// Whether events of this kind can have one. Reading an event costs, and most are text.
    pub(crate) fn may_be_of(kind: &EventType) -> bool {
        matches!(
            kind,
            EventType::AgentRuntimeEnd
                | EventType::Error
                | EventType::ToolExecute
                | EventType::ToolEnd
                | EventType::ToolResult
        )
    }

    pub(crate) fn of(event: &AgentEvent) -> Self {
        if event.is_subagent() {
            return Self::SubThread;
        }
        let settled = |call: Option<ToolCallId>| call.map_or(Self::Nothing, Self::ToolSettled);
        match (event.payload(), &event.kind) {
            (Payload::AgentRuntimeEnd(end), _) => Self::End(end),
            (Payload::Error(error), _) => Self::Error(error),
            (Payload::ToolExecute(call), _) => Self::ToolExecute(call),
            (Payload::ToolEnd(end), _) => settled(end.tool_call_id()),
            (Payload::ToolResult(result), _) => settled(result.tool_call_id),
            // An end whose data is of no known form is an end all the same.
            (_, EventType::AgentRuntimeEnd) => Self::End(AgentRuntimeEnd::default()),
            (_, EventType::Error) => Self::Error(ErrorPayload::default()),
            _ => Self::Nothing,
        }
    }
}

use std::sync::Arc;

use agent_gateway_machine::Millis;
use agent_gateway_protocol::{
    AgentEvent, InputRequestId, OperationId, OperationStatus, RawJson, ToolCallId, UserId,
};

/// One call of a LobeHub server to its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayCall {
    /// `GET /health`.
    CheckHealth,
    /// `POST /api/operations/init`: a run begins, or goes on. Its status becomes `running`.
    Initialize {
        /// The run.
        operation: OperationId,
        /// Its owner: only sockets of this user may listen.
        user: UserId,
    },
    /// `POST /api/operations/push-event`.
    PushEvent {
        /// The channel: the event's own operation may be another one, mirrored onto it.
        operation: OperationId,
        /// The event.
        event: Arc<AgentEvent>,
    },
    /// `POST /api/operations/push-events`.
    PushEvents {
        /// The channel.
        operation: OperationId,
        /// The events, in order; at least one.
        events: Vec<AgentEvent>,
    },
    /// `POST /api/operations/tool-execute`: the client is to run a tool.
    ExecuteTool {
        /// The run.
        operation: OperationId,
        /// The `data` of the `tool_execute` event that goes out.
        data: RawJson,
    },
    /// `POST /api/operations/update-status`.
    UpdateStatus {
        /// The run.
        operation: OperationId,
        /// Its new status.
        status: OperationStatus,
        /// Goes into `session_complete`.
        summary: Option<Box<str>>,
    },
    /// `POST /api/operations/request-confirmation`: answered when the client answers, or at the timeout.
    RequestConfirmation {
        /// The run.
        operation: OperationId,
        /// The call that waits.
        tool_call: ToolCallId,
        /// What is to run.
        tool: Option<RawJson>,
        /// How long to wait, ms.
        timeout: Option<Millis>,
    },
    /// `POST /api/operations/request-input`: answered when the client answers, or at the timeout.
    RequestInput {
        /// The run.
        operation: OperationId,
        /// What the answer will name; minted here if absent.
        request: Option<InputRequestId>,
        /// The question.
        prompt: Box<str>,
        /// How long to wait, ms.
        timeout: Option<Millis>,
    },
    /// `GET /api/operations/status`.
    ReadStatus {
        /// The run.
        operation: OperationId,
    },
}

/// The gateway's answer to a [`GatewayCall`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayAnswer {
    /// It is up.
    Healthy,
    /// Done.
    Done,
    /// What the user said to a confirmation; `None`: nothing in time.
    Confirmed(Option<bool>),
    /// What the user typed; `None`: nothing in time.
    Entered(Option<Box<str>>),
    /// How a run stands.
    Status {
        /// Whether a socket listens.
        client_connected: bool,
        /// `None`: never initialized, or forgotten.
        status: Option<OperationStatus>,
    },
}

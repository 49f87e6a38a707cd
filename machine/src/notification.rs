//! What the caller is told: facts, past tense.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use agent_gateway_protocol::event::ToolExecute;
use agent_gateway_protocol::frame::{InputRequest, ToolConfirmationRequest};
use agent_gateway_protocol::{
    AgentEvent, InputRequestId, MessageId, OperationId, RawJson, ThreadId, ToolCallId, TopicId,
};
use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::event::FrameProblem;
use crate::outcome::Outcome;
use crate::receipt::Receipt;
use crate::request::RequestFailure;
use crate::time::Millis;

/// One thing the caller is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notification {
    /// The connection's status changed.
    StatusChanged(ConnectionStatus),
    /// The server started the run (R5).
    RunStarted(Box<RunStarted>),
    /// The parked run this one carries on is done with, now that this one has started (R5, R9).
    ParentRetired {
        /// The parked run.
        operation: OperationId,
    },
    /// The run made its topic (R4): list topics anew, and drop the repositories that were pending for it.
    TopicCreated {
        /// The new topic.
        topic: TopicId,
        /// Its messages; absent if they could not be fetched, which is not critical.
        messages: Option<RawJson>,
    },
    /// The topic is busy with this run, or no longer (R5, R6).
    TopicStatusChanged {
        /// The topic, where known.
        topic: Option<TopicId>,
        /// What it is now.
        status: TopicStatus,
    },
    /// An agent event, in its place in the order, once (I6).
    EventReceived(EventReceived),
    /// Events are missing between `after` and `before`: refetch the messages (C11).
    GapFound {
        /// The last one before the gap.
        after: Cursor,
        /// The first one behind it, if that is known.
        before: Option<Cursor>,
    },
    /// A fresh token came (S8).
    TokenRefreshed,
    /// A try for a fresh token failed and another follows (S8).
    RefreshDelayed {
        /// Why it failed.
        cause: RequestFailure,
        /// When the next try starts, in ms from now.
        retry_in: Millis,
    },
    /// An attempt to connect failed and another follows (C6).
    ReconnectScheduled {
        /// Why: the failure or close, for a person.
        cause: Box<str>,
        /// When the next attempt starts, in ms from now.
        retry_in: Millis,
    },
    /// Execute this tool and answer with `AnswerTool`, exactly once (T1).
    ToolRequested {
        /// The call.
        call: Box<ToolExecute>,
        /// The answer is wanted within this many ms; then the machine answers in the caller's place.
        deadline_in: Millis,
    },
    /// The deadline passed, and the machine answered `client_executor_timeout` in the caller's place (T2).
    ToolTimedOut {
        /// The call.
        call: ToolCallId,
    },
    /// The server has the result of this call.
    ToolSettled {
        /// The call.
        call: ToolCallId,
    },
    /// An answer is not wanted any more: the run ended, or the server settled the call itself. Abort the work (T6).
    AnswerWithdrawn {
        /// What was asked.
        answer: AnswerId,
    },
    /// An answer could not be brought to the server (T3, T7).
    AnswerUndeliverable {
        /// What was answered.
        answer: AnswerId,
    },
    /// An answer was not accepted (T2, T7).
    AnswerRefused {
        /// What was answered.
        answer: AnswerId,
        /// Why not.
        why: AnswerRefusal,
    },
    /// A tool asks whether it may run (T7).
    ConfirmationRequested(Box<ToolConfirmationRequest>),
    /// The run asks for input (T7).
    InputRequested(Box<InputRequest>),
    /// The server has taken the interrupt; the stream goes on until its end (R5).
    StopAccepted,
    /// The interrupt failed, or the server says there is nothing to interrupt; stop may be asked for again (R5).
    StopFailed {
        /// Why.
        cause: StopFailure,
    },
    /// Something came that could not be used; told once of each sort and counted in the receipt (C12).
    WarningRaised(Warning),
    /// The run is over. The last notification of a run but for [`Notification::TopicStatusChanged`], exactly once
    /// (S11, I1).
    RunEnded {
        /// How it ended.
        outcome: Outcome,
        /// What happened on the way.
        receipt: Box<Receipt>,
    },
}

impl Notification {
    /// A short name for traces and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::StatusChanged(_) => "status_changed",
            Self::RunStarted(_) => "run_started",
            Self::ParentRetired { .. } => "parent_retired",
            Self::TopicCreated { .. } => "topic_created",
            Self::TopicStatusChanged { .. } => "topic_status_changed",
            Self::EventReceived(_) => "event_received",
            Self::GapFound { .. } => "gap_found",
            Self::TokenRefreshed => "token_refreshed",
            Self::RefreshDelayed { .. } => "refresh_delayed",
            Self::ReconnectScheduled { .. } => "reconnect_scheduled",
            Self::ToolRequested { .. } => "tool_requested",
            Self::ToolTimedOut { .. } => "tool_timed_out",
            Self::ToolSettled { .. } => "tool_settled",
            Self::AnswerWithdrawn { .. } => "answer_withdrawn",
            Self::AnswerUndeliverable { .. } => "answer_undeliverable",
            Self::AnswerRefused { .. } => "answer_refused",
            Self::ConfirmationRequested(_) => "confirmation_requested",
            Self::InputRequested(_) => "input_requested",
            Self::StopAccepted => "stop_accepted",
            Self::StopFailed { .. } => "stop_failed",
            Self::WarningRaised(_) => "warning_raised",
            Self::RunEnded { .. } => "run_ended",
        }
    }
}

/// An agent event with its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventReceived {
    /// Where the stream stands once this event has been received; keep it to attach again.
    pub cursor: Cursor,
    /// Whether it was passed inside a seam opened with a cursor (S11).
    pub replayed: bool,
    /// Whether it is of the run's own operation; foreign ones are handed on and change nothing (S1).
    pub own: bool,
    /// The event.
    pub event: Arc<AgentEvent>,
}

/// The connection's status, as LobeHub's client names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// There is no connection and none is wanted.
    #[default]
    Disconnected,
    /// A first connection is being opened.
    Connecting,
    /// The socket is open, and `auth` is sent.
    Authenticating,
    /// Frames flow.
    Connected,
    /// The connection was lost and will be opened again.
    Reconnecting,
}

impl ConnectionStatus {
    /// The status by its name on the outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Authenticating => "authenticating",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
        }
    }
}

/// Whether a topic is busy with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TopicStatus {
    /// Loading is on, a run is going.
    Running,
    /// Loading is off.
    Active,
}

/// What the server told of the run it started.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunStarted {
    /// The run.
    pub operation: OperationId,
    /// Its topic.
    pub topic: Option<TopicId>,
    /// Its thread.
    pub thread: Option<ThreadId>,
    /// The row the assistant's answer goes to.
    pub assistant_message: Option<MessageId>,
    /// The row of the user's prompt.
    pub user_message: Option<MessageId>,
}

/// Why an answer was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerRefusal {
    /// Nobody asked.
    NeverAsked,
    /// It was answered before, by the caller or at the deadline, or the server settled it.
    AlreadyAnswered,
    /// It alone has more bytes than may wait; a smaller one is still wanted (T3).
    TooLarge,
}

/// What an answer belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerId {
    /// A tool call (T1).
    Tool(ToolCallId),
    /// A confirmation (T7).
    Confirmation(ToolCallId),
    /// An input request (T7).
    Input(InputRequestId),
}

impl AnswerId {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Tool(call) | Self::Confirmation(call) => call.as_str(),
            Self::Input(request) => request.as_str(),
        }
    }
}

impl fmt::Display for AnswerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(call) => write!(formatter, "tool call {call}"),
            Self::Confirmation(call) => write!(formatter, "confirmation of {call}"),
            Self::Input(request) => write!(formatter, "input request {request}"),
        }
    }
}

/// Why a stop did not take.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopFailure {
    /// The server says there is no such run, or that it is over already.
    NotRunning,
    /// The request failed.
    Request(RequestFailure),
    /// The request got no answer within `request_deadline`.
    TimedOut,
}

/// Something that could not be used (C12).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// Not a frame at all.
    FrameRejected(FrameProblem),
    /// A frame of a type this client does not know, or a known type without what it needs.
    UnknownFrame {
        /// Its `type`.
        kind: Box<str>,
    },
    /// The calls and prompts that are open leave this one no room in the ledger, in count or bytes: it was not handed on
    /// (T4).
    LedgerFull {
        /// What nobody can answer now.
        answer: AnswerId,
    },
}

//! What the machine asks of the server over HTTP, and the typed answers.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use agent_gateway_protocol::api::{ExecAgent, GetMessages};
use agent_gateway_protocol::{
    AgentId, MessageId, OperationId, OperationStatus, RawJson, ThreadId, TopicId,
};
use serde::{Deserialize, Serialize};

use crate::time::Millis;
use crate::token::TokenGrant;

/// One HTTP request, by what it is for. At most one of each is in flight in a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// `aiAgent.execAgent`: start the run (R1). Answered by [`Reply::Started`] or [`Reply::StartRefused`].
    StartRun(Arc<ExecAgent>),
    /// `aiAgent.refreshGatewayToken`: a fresh token for the run of this topic (S8). Answered by
    /// [`Reply::TokenIssued`].
    RefreshToken {
        /// The run's topic.
        topic: TopicId,
    },
    /// A fresh token from the caller's own source (S8). Answered by [`Reply::TokenIssued`].
    MintToken,
    /// `aiAgent.interruptTask`: end the run on the server (R5). Answered by [`Reply::Interrupted`].
    InterruptRun {
        /// The run.
        operation: OperationId,
        /// Its topic, where known.
        topic: Option<TopicId>,
    },
    /// `aiAgent.getOperationStatus`: ask, don't guess (S14). Answered by [`Reply::Status`].
    AskStatus {
        /// The run.
        operation: OperationId,
    },
    /// `message.getMessages` after a new topic was made (R4). Answered by [`Reply::Messages`].
    FetchMessages(Box<GetMessages>),
    /// `topic.getTopicDetail`: which operation the topic's marker names (R6, R7). Answered by [`Reply::Marker`].
    ReadMarker {
        /// The run's topic.
        topic: TopicId,
    },
    /// `topic.settleRunningOperation`: clear the marker if it still names this run (R6). Answered by
    /// [`Reply::MarkerCleared`].
    SettleMarker {
        /// The run's topic.
        topic: TopicId,
        /// The run.
        operation: OperationId,
    },
    /// `topic.updateTopicMetadata`: clear the marker, on servers without `settleRunningOperation` and only after it
    /// was read and named this run (R6). Answered by [`Reply::MarkerCleared`].
    ClearMarker {
        /// The run's topic.
        topic: TopicId,
    },
}

impl Call {
    /// A short name for traces and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::StartRun(_) => "start_run",
            Self::RefreshToken { .. } => "refresh_token",
            Self::MintToken => "mint_token",
            Self::InterruptRun { .. } => "interrupt_run",
            Self::AskStatus { .. } => "ask_status",
            Self::FetchMessages(_) => "fetch_messages",
            Self::ReadMarker { .. } => "read_marker",
            Self::SettleMarker { .. } => "settle_marker",
            Self::ClearMarker { .. } => "clear_marker",
        }
    }
}

/// A typed answer to a [`Call`]. The hands decode the body, keep any token in their vault, and hand on the rest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The run was started.
    Started(Box<Started>),
    /// A 200 whose body says `success: false` (R1), with its text.
    StartRefused {
        /// The server's `error`, or its `message`.
        text: Box<str>,
    },
    /// A token came into the vault.
    TokenIssued(TokenGrant),
    /// The server's answer to an interrupt.
    Interrupted {
        /// `false`: the server knows of no such run, or it is already over.
        success: bool,
    },
    /// What the server says of the run; `None` if it does not know it (any more).
    Status(Option<StatusReport>),
    /// The topic's messages, an array.
    Messages(RawJson),
    /// The operation the topic's marker names; `None` if it has none.
    Marker(Option<OperationId>),
    /// The marker was cleared, or did not name this run.
    MarkerCleared,
    /// No usable answer.
    Failed(RequestFailure),
}

impl Reply {
    /// A short name for traces and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started(_) => "started",
            Self::StartRefused { .. } => "start_refused",
            Self::TokenIssued(_) => "token_issued",
            Self::Interrupted { .. } => "interrupted",
            Self::Status(_) => "status",
            Self::Messages(_) => "messages",
            Self::Marker(_) => "marker",
            Self::MarkerCleared => "marker_cleared",
            Self::Failed(_) => "failed",
        }
    }
}

/// What a request asked for, or the reply as it is. [`Context::answer`](crate::context::Context::answer) makes a
/// failure of the rest.
impl Reply {
    pub(crate) fn into_start(self) -> Result<Start, Self> {
        if let Self::Started(started) = self {
            Ok(Start::Made(started))
        } else if let Self::StartRefused { text } = self {
            Ok(Start::Refused(text))
        } else {
            Err(self)
        }
    }

    pub(crate) fn into_token(self) -> Result<TokenGrant, Self> {
        if let Self::TokenIssued(grant) = self {
            Ok(grant)
        } else {
            Err(self)
        }
    }

    /// Whether the interrupt was accepted.
    pub(crate) fn into_interrupted(self) -> Result<bool, Self> {
        if let Self::Interrupted { success } = self {
            Ok(success)
        } else {
            Err(self)
        }
    }

    pub(crate) fn into_status(self) -> Result<Option<StatusReport>, Self> {
        if let Self::Status(report) = self {
            Ok(report)
        } else {
            Err(self)
        }
    }

    pub(crate) fn into_messages(self) -> Result<RawJson, Self> {
        if let Self::Messages(messages) = self {
            Ok(messages)
        } else {
            Err(self)
        }
    }

    pub(crate) fn into_marker(self) -> Result<Option<OperationId>, Self> {
        if let Self::Marker(operation) = self {
            Ok(operation)
        } else {
            Err(self)
        }
    }
}

/// The two answers of `execAgent`.
pub(crate) enum Start {
    /// The run goes.
    Made(Box<Started>),
    /// It does not, with the server's text.
    Refused(Box<str>),
}

/// What `execAgent` told of a run it started.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Started {
    /// The run.
    pub operation: OperationId,
    /// Its topic: the one asked for, or a new one.
    pub topic: Option<TopicId>,
    /// The agent that runs.
    pub agent: Option<AgentId>,
    /// Its thread, where it has one.
    pub thread: Option<ThreadId>,
    /// The row the assistant's answer goes to.
    pub assistant_message: Option<MessageId>,
    /// The row of the user's prompt.
    pub user_message: Option<MessageId>,
    /// The socket's token; absent when the server could not sign one, then it is fetched (R1).
    pub token: Option<TokenGrant>,
}

/// What `getOperationStatus` told of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusReport {
    /// `currentState.status`.
    pub status: OperationStatus,
    /// The text of `currentState.error`, if any.
    pub error: Option<Box<str>>,
}

/// Why a request has no usable answer. Only a tRPC envelope is the server's own verdict (S8).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestFailure {
    /// It never left: no such host, connection refused, TLS failed. The server has not seen it.
    Unreachable {
        /// What went wrong, for a person.
        text: Box<str>,
    },
    /// It may have left, but no whole answer came.
    Lost {
        /// What went wrong, for a person.
        text: Box<str>,
    },
    /// An error inside a tRPC envelope.
    Refused(Refusal),
    /// An answer without an envelope (a proxy's page, say), or one that is not what was asked for.
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// `Retry-After` in ms, if the answer had one.
        retry_after: Option<Millis>,
        /// What was wrong and the first bytes of the body, for a person.
        text: Box<str>,
    },
}

impl RequestFailure {
    /// How long the server asked to wait before the next try, in ms.
    #[must_use]
    pub fn retry_after(&self) -> Option<Millis> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            Self::Unreadable { retry_after, .. } => *retry_after,
            Self::Unreachable { .. } | Self::Lost { .. } => None,
        }
    }
}

impl fmt::Display for RequestFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { text } | Self::Lost { text } => formatter.write_str(text),
            Self::Refused(refusal) => write!(formatter, "{refusal}"),
            Self::Unreadable { status, text, .. } => write!(formatter, "HTTP {status}: {text}"),
        }
    }
}

/// The server's own "no", from a tRPC envelope.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Refusal {
    /// What sort of "no" it is.
    pub kind: RefusalKind,
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After` in ms, if the answer had one.
    pub retry_after: Option<Millis>,
    /// `message` of the envelope; of refused input, its issues in a sentence.
    pub message: Box<str>,
    /// The procedure the envelope names, if it names one.
    pub path: Option<Box<str>>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(formatter, "{path}: ")?;
        }
        write!(formatter, "{} (HTTP {})", self.message, self.status)
    }
}

/// The codes of a tRPC error that mean different things to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// `NOT_FOUND` of the domain: there is no such thing.
    NotFound,
    /// `NOT_FOUND` because this server has no such procedure.
    UnknownProcedure,
    /// `UNAUTHORIZED`.
    Unauthorized,
    /// `FORBIDDEN`.
    Forbidden,
    /// `BAD_REQUEST`.
    BadRequest,
    /// Any other code.
    Other,
}

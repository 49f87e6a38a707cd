use alloc::boxed::Box;

use agent_gateway_protocol::{
    AgentId, MessageId, OperationId, OperationStatus, RawJson, ThreadId, TopicId,
};
use serde::{Deserialize, Serialize};

use super::RequestFailure;
use crate::token::TokenGrant;

/// A typed answer to a [`Call`](super::Call). The hands decode the body, keep any token in their vault, and hand on the rest.
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

// What a request asked for, or the reply as it is: `Context::answer` makes a failure of the rest.
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

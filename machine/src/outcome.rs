//! How a run ended: typed, and told exactly once (R10, S11).

use alloc::boxed::Box;
use core::fmt;

use agent_gateway_protocol::OperationId;
use serde::{Deserialize, Serialize};

use crate::request::RequestFailure;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The server finished the run.
    Completed,
    /// The server says the run failed.
    Failed(RunError),
    /// The server says the run was interrupted.
    Interrupted,
    /// A stop was asked for, and no end came within `stop_timeout` (R5).
    InterruptedUnconfirmed,
    /// The run waits for a person; it goes on as a new run (S9b, R9).
    Parked,
    /// The run is over, and nobody can say how (S3, S14).
    EndedUnknown,
    /// The run was not started, for certain.
    StartFailed(StartFailure),
    /// Whether the run was started is not known (R1).
    StartUnknown {
        /// What went wrong, for a person.
        text: Box<str>,
    },
    /// The run was stopped before it streamed; where the server had started it, it was told (R2, R3).
    Stopped,
    /// The run was stopped before the server told its id: it may go on there (R2).
    StoppedServerUnknown,
    /// The gateway or the server does not accept us (S7–S9).
    AuthLost {
        /// Their reason.
        reason: Box<str>,
    },
    /// A fresh token could not be had (S8); the first cause.
    RefreshFailed {
        /// What went wrong first.
        cause: RequestFailure,
    },
    /// The budget of failed attempts is spent, or trying again cannot help (C2, C6).
    ConnectionLost {
        /// What went wrong last, for a person.
        cause: Box<str>,
    },
    /// The peer broke the protocol twice, without progress between (C7).
    ProtocolViolation {
        /// What it did, for a person.
        what: Box<str>,
    },
    /// Another run has taken the topic (R7, R8).
    Superseded {
        /// That run, where known.
        by: Option<OperationId>,
    },
    /// There was nothing to attach to (R7).
    AttachRefused(AttachRefusal),
    /// The caller left; the run goes on (S12).
    Detached,
}

impl Outcome {
    /// Whether the run is over on the server too, as far as anybody can say; a parked one goes on as another run.
    pub(crate) fn is_of_server(&self) -> bool {
        match self {
            Self::Completed
            | Self::Failed(_)
            | Self::Interrupted
            | Self::Parked
            | Self::EndedUnknown => true,
            Self::InterruptedUnconfirmed
            | Self::StartFailed(_)
            | Self::StartUnknown { .. }
            | Self::Stopped
            | Self::StoppedServerUnknown
            | Self::AuthLost { .. }
            | Self::RefreshFailed { .. }
            | Self::ConnectionLost { .. }
            | Self::ProtocolViolation { .. }
            | Self::Superseded { .. }
            | Self::AttachRefused(_)
            | Self::Detached => false,
        }
    }

    /// The outcome's stable name, as in traces and in `--json` output.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed(_) => "failed",
            Self::Interrupted => "interrupted",
            Self::InterruptedUnconfirmed => "interrupted_unconfirmed",
            Self::Parked => "parked",
            Self::EndedUnknown => "ended_unknown",
            Self::StartFailed(_) => "start_failed",
            Self::StartUnknown { .. } => "start_unknown",
            Self::Stopped => "stopped",
            Self::StoppedServerUnknown => "stopped_server_unknown",
            Self::AuthLost { .. } => "auth_lost",
            Self::RefreshFailed { .. } => "refresh_failed",
            Self::ConnectionLost { .. } => "connection_lost",
            Self::ProtocolViolation { .. } => "protocol_violation",
            Self::Superseded { .. } => "superseded",
            Self::AttachRefused(_) => "attach_refused",
            Self::Detached => "detached",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => formatter.write_str("completed"),
            Self::Failed(error) => write!(formatter, "failed: {error}"),
            Self::Interrupted => formatter.write_str("interrupted"),
            Self::InterruptedUnconfirmed => {
                formatter.write_str("interrupted, but the server has not confirmed it")
            }
            Self::Parked => formatter.write_str("parked: the run waits for a person"),
            Self::EndedUnknown => formatter.write_str("ended, and the server cannot say how"),
            Self::StartFailed(failure) => write!(formatter, "the run was not started: {failure}"),
            Self::StartUnknown { text } => {
                write!(
                    formatter,
                    "whether the run was started is not known: {text}"
                )
            }
            Self::Stopped => formatter.write_str("stopped before it streamed"),
            Self::StoppedServerUnknown => formatter
                .write_str("stopped before the server told its operation: it may go on there"),
            Self::AuthLost { reason } => write!(formatter, "not accepted: {reason}"),
            Self::RefreshFailed { cause } => {
                write!(formatter, "a fresh token could not be had: {cause}")
            }
            Self::ConnectionLost { cause } => write!(formatter, "connection lost: {cause}"),
            Self::ProtocolViolation { what } => {
                write!(formatter, "the gateway broke the protocol: {what}")
            }
            Self::Superseded { by: Some(by) } => write!(formatter, "superseded by {by}"),
            Self::Superseded { by: None } => formatter.write_str("superseded"),
            Self::AttachRefused(refusal) => write!(formatter, "nothing to attach to: {refusal}"),
            Self::Detached => formatter.write_str("detached: the run goes on"),
        }
    }
}

/// What the server says went wrong in a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunError {
    /// Its type, `AgentRuntimeError` where it names none.
    pub kind: Box<str>,
    /// Its text.
    pub text: Box<str>,
}

impl fmt::Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.text, self.kind)
    }
}

impl core::error::Error for RunError {}

/// Why a run was not started.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartFailure {
    /// `success: false` in a 200: the server's own text (R1).
    Soft(Box<str>),
    /// The request failed, and cannot have started anything.
    Request(RequestFailure),
    /// There is no gateway to stream from: the server has none, or its URL is not allowed (C1).
    Gateway(Box<str>),
}

impl fmt::Display for StartFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Soft(text) | Self::Gateway(text) => formatter.write_str(text),
            Self::Request(failure) => write!(formatter, "{failure}"),
        }
    }
}

impl core::error::Error for StartFailure {}

/// Why there was nothing to attach to (R7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachRefusal {
    /// A live run already owns the operation.
    Owned,
    /// There is no gateway URL.
    NoGateway,
    /// There is no token, and no way to fetch one.
    NoToken,
}

impl fmt::Display for AttachRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Owned => "a live run already owns the operation",
            Self::NoGateway => "there is no gateway URL",
            Self::NoToken => "there is no token and no way to fetch one",
        })
    }
}

impl core::error::Error for AttachRefusal {}

use alloc::boxed::Box;
use alloc::format;
use core::fmt;

use agent_gateway_protocol::trpc::{ApiError, TrpcCode, TrpcError};
use serde::{Deserialize, Serialize};

use crate::time::Millis;

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
    /// What an error of the API, or of something before it, is to the machine; `retry_after` as its answer had it.
    #[must_use]
    pub fn of_error(error: ApiError, retry_after: Option<Millis>) -> Self {
        let unreadable = |status, text| Self::Unreadable {
            status,
            retry_after,
            text,
        };
        match error {
            ApiError::Trpc(error) => Self::Refused(Refusal {
                kind: RefusalKind::of(&error),
                status: error.http_status,
                retry_after,
                message: error.sentence(),
                path: error.path,
            }),
            ApiError::NoEnvelope { status, excerpt } if excerpt.is_empty() => {
                unreadable(status, "no tRPC answer".into())
            }
            ApiError::NoEnvelope { status, excerpt } => {
                unreadable(status, format!("no tRPC answer but `{excerpt}`").into())
            }
            ApiError::UnexpectedReply {
                status,
                what,
                excerpt,
            } => {
                let mut text = format!("an unexpected reply: {what}");
                if !excerpt.is_empty() {
                    text.push_str(&format!(" in `{excerpt}`"));
                }
                unreadable(status, text.into())
            }
        }
    }

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

impl core::error::Error for RequestFailure {}

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

impl core::error::Error for Refusal {}

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

impl RefusalKind {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other code, new ones too, is the same to a run"
    )]
    fn of(error: &TrpcError) -> Self {
        match error.code {
            TrpcCode::NotFound if error.is_unknown_procedure() => Self::UnknownProcedure,
            TrpcCode::NotFound => Self::NotFound,
            TrpcCode::Unauthorized => Self::Unauthorized,
            TrpcCode::Forbidden => Self::Forbidden,
            TrpcCode::BadRequest => Self::BadRequest,
            _ => Self::Other,
        }
    }
}

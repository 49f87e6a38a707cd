//! Why a request has no usable answer, in the machine's words.

use agent_gateway_machine::{Millis, Refusal, RefusalKind, RequestFailure};
use agent_gateway_protocol::trpc::{ApiError, TrpcCode, TrpcError};

use crate::cause::cause;

/// The server, or something before it, answered with an error.
pub(super) fn refused(error: ApiError, retry_after: Option<Millis>) -> RequestFailure {
    match error {
        ApiError::Trpc(error) => RequestFailure::Refused(Refusal {
            kind: kind(&error),
            status: error.http_status,
            retry_after,
            message: error.sentence(),
            path: error.path,
        }),
        ApiError::NoEnvelope { status, excerpt } => RequestFailure::Unreadable {
            status,
            retry_after,
            text: if excerpt.is_empty() {
                "no tRPC answer".into()
            } else {
                format!("no tRPC answer but `{excerpt}`").into()
            },
        },
        ApiError::UnexpectedReply {
            status,
            what,
            excerpt,
        } => RequestFailure::Unreadable {
            status,
            retry_after,
            text: if excerpt.is_empty() {
                format!("an unexpected reply: {what}").into()
            } else {
                format!("an unexpected reply: {what} in `{excerpt}`").into()
            },
        },
    }
}

/// The request was not answered. Unreachable only if it certainly never left.
pub(super) fn unanswered(place: &str, error: &reqwest::Error) -> RequestFailure {
    let text = format!("{place}: {}", cause(error)).into();
    if error.is_connect() || error.is_builder() {
        RequestFailure::Unreachable { text }
    } else {
        RequestFailure::Lost { text }
    }
}

fn kind(error: &TrpcError) -> RefusalKind {
    match error.code {
        TrpcCode::NotFound if error.is_unknown_procedure() => RefusalKind::UnknownProcedure,
        TrpcCode::NotFound => RefusalKind::NotFound,
        TrpcCode::Unauthorized => RefusalKind::Unauthorized,
        TrpcCode::Forbidden => RefusalKind::Forbidden,
        TrpcCode::BadRequest => RefusalKind::BadRequest,
        _ => RefusalKind::Other,
    }
}

//! Requests of the machine as calls of the API, and its answers as replies to the machine.

use agent_gateway_machine::{
    Call, Millis, Refusal, RefusalKind, Reply, RequestFailure, Started, StatusReport, TokenGrant,
};
use agent_gateway_protocol::api::{
    ExecAgent, GetMessages, GetOperationStatus, GetTopicDetail, InterruptTask, Procedure,
    RefreshGatewayToken, SettleRunningOperation, UpdateTopicMetadata,
};
use agent_gateway_protocol::trpc::{ApiError, TrpcCode, TrpcError, decode};
use agent_gateway_protocol::{Object, OperationStatus, Token};

use crate::api::{ApiAnswer, ApiCall};

/// The call that a request makes; `None` for a token of the caller's own.
pub(super) fn api_call(call: &Call) -> Option<ApiCall> {
    Some(match call {
        Call::StartRun(input) => ApiCall::ExecAgent(input.clone()),
        Call::RefreshToken { topic } => ApiCall::RefreshGatewayToken(RefreshGatewayToken {
            topic_id: topic.clone(),
            extra: Object::new(),
        }),
        Call::MintToken => return None,
        Call::InterruptRun { operation, topic } => ApiCall::InterruptTask(InterruptTask {
            operation_id: Some(operation.clone()),
            topic_id: topic.clone(),
            ..InterruptTask::default()
        }),
        Call::AskStatus { operation } => ApiCall::GetOperationStatus(GetOperationStatus {
            operation_id: operation.clone(),
            extra: Object::new(),
        }),
        Call::FetchMessages(input) => ApiCall::GetMessages(input.clone()),
        Call::ReadMarker { topic } => ApiCall::GetTopicDetail(GetTopicDetail {
            topic_id: topic.clone(),
            extra: Object::new(),
        }),
        Call::SettleMarker { topic, operation } => {
            ApiCall::SettleRunningOperation(SettleRunningOperation {
                topic_id: topic.clone(),
                operation_id: operation.clone(),
                status: None,
                extra: Object::new(),
            })
        }
        Call::ClearMarker { topic } => ApiCall::UpdateTopicMetadata(UpdateTopicMetadata {
            topic_id: topic.clone(),
        }),
    })
}

/// The reply to a request; `keep` puts a token into the vault.
pub(super) fn reply(
    call: &Call,
    answer: &ApiAnswer,
    mut keep: impl FnMut(Token) -> TokenGrant,
) -> Reply {
    let read = match call {
        Call::StartRun(_) => read::<ExecAgent>(answer).and_then(|reply| {
            if !reply.success {
                let text = reply.error.or(reply.message).unwrap_or_default();
                return Ok(Reply::StartRefused { text });
            }
            let operation = reply
                .operation_id
                .ok_or_else(|| unreadable("`operationId` is missing"))?;
            Ok(Reply::Started(Box::new(Started {
                operation,
                topic: reply.topic_id,
                agent: reply.agent_id,
                thread: None,
                assistant_message: reply.assistant_message_id,
                user_message: reply.user_message_id,
                token: reply.token.map(&mut keep),
            })))
        }),
        Call::RefreshToken { .. } => {
            read::<RefreshGatewayToken>(answer).map(|reply| Reply::TokenIssued(keep(reply.token)))
        }
        Call::MintToken => Err(unreadable("no call")),
        Call::InterruptRun { .. } => {
            read::<InterruptTask>(answer).map(|reply| Reply::Interrupted {
                success: reply.success,
            })
        }
        Call::AskStatus { .. } => read::<GetOperationStatus>(answer).map(|reply| {
            Reply::Status(reply.map(|report| {
                StatusReport {
                    status: report
                        .status
                        .unwrap_or_else(|| OperationStatus::Unknown("".into())),
                    error: report.error,
                }
            }))
        }),
        Call::FetchMessages(_) => read::<GetMessages>(answer).map(Reply::Messages),
        Call::ReadMarker { .. } => read::<GetTopicDetail>(answer).map(|reply| {
            let marker = reply.running_operation;
            Reply::Marker(marker.map(|marker| marker.operation_id))
        }),
        Call::SettleMarker { .. } => {
            read::<SettleRunningOperation>(answer).map(|_| Reply::MarkerCleared)
        }
        Call::ClearMarker { .. } => {
            read::<UpdateTopicMetadata>(answer).map(|_| Reply::MarkerCleared)
        }
    };
    read.unwrap_or_else(Reply::Failed)
}

/// The connection was cut before an answer.
pub(super) fn lost() -> Reply {
    Reply::Failed(RequestFailure::Lost {
        text: "the connection was closed before an answer came".into(),
    })
}

/// There is no network.
pub(super) fn unreachable() -> Reply {
    Reply::Failed(RequestFailure::Unreachable {
        text: "network is unreachable".into(),
    })
}

fn read<P: Procedure>(answer: &ApiAnswer) -> Result<P::Reply, RequestFailure> {
    match answer {
        ApiAnswer::Replied(reply) => P::read_reply(reply.as_slice()).map_err(unreadable),
        ApiAnswer::Refused { error, retry_after } => Err(refused(error, *retry_after)),
        ApiAnswer::Page(page) => {
            let retry_after = page
                .headers
                .iter()
                .find(|(name, _)| &**name == "retry-after")
                .and_then(|(_, value)| value.parse().ok());
            decode::<P>(page.status, &page.body).map_err(|error| match error {
                ApiError::Trpc(error) => refused(&error, retry_after),
                other => RequestFailure::Unreadable {
                    status: page.status,
                    retry_after: retry_after.map(Millis::seconds),
                    text: other.to_string().into(),
                },
            })
        }
        ApiAnswer::Dropped => Err(RequestFailure::Lost {
            text: "the connection was closed before an answer came".into(),
        }),
    }
}

fn refused(error: &TrpcError, retry_after: Option<u64>) -> RequestFailure {
    let kind = match error.code {
        TrpcCode::NotFound if error.is_unknown_procedure() => RefusalKind::UnknownProcedure,
        TrpcCode::NotFound => RefusalKind::NotFound,
        TrpcCode::Unauthorized => RefusalKind::Unauthorized,
        TrpcCode::Forbidden => RefusalKind::Forbidden,
        TrpcCode::BadRequest => RefusalKind::BadRequest,
        _ => RefusalKind::Other,
    };
    RequestFailure::Refused(Refusal {
        kind,
        status: error.http_status,
        retry_after: retry_after.map(Millis::seconds),
        message: error.message.clone(),
        path: error.path.clone(),
    })
}

fn unreadable(what: &str) -> RequestFailure {
    RequestFailure::Unreadable {
        status: 200,
        retry_after: None,
        text: format!("an unexpected reply: {what}").into(),
    }
}

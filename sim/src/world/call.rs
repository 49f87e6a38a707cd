//! Requests of the machine as calls of the API, and its answers as replies to the machine.

use agent_gateway_machine::{
    Call, Millis, Refusal, RefusalKind, Reply, RequestFailure, Started, StatusReport, TokenGrant,
};
use agent_gateway_protocol::api::{
    ExecAgent, GetMessages, GetOperationStatus, GetTopicDetail, InterruptTask, Procedure,
    RefreshGatewayToken, SettleRunningOperation, UpdateTopicMetadata,
};
use agent_gateway_protocol::trpc::{ApiError, TrpcCode, TrpcError, decode};
use agent_gateway_protocol::{Object, Token};

use crate::api::{ApiAnswer, ApiCall, ApiReply, ProcedureName};

/// The call that a request makes; `None` for a token of the caller's own.
pub(super) fn api_call(call: Call) -> Option<ApiCall> {
    Some(match call {
        Call::StartRun(input) => ApiCall::ExecAgent(input),
        Call::RefreshToken { topic } => ApiCall::RefreshGatewayToken(RefreshGatewayToken {
            topic_id: topic,
            extra: Object::new(),
        }),
        Call::MintToken => return None,
        Call::InterruptRun { operation, topic } => ApiCall::InterruptTask(InterruptTask {
            operation_id: Some(operation),
            topic_id: topic,
            ..InterruptTask::default()
        }),
        Call::AskStatus { operation } => ApiCall::GetOperationStatus(GetOperationStatus {
            operation_id: operation,
            extra: Object::new(),
        }),
        Call::FetchMessages(input) => ApiCall::GetMessages(input),
        Call::ReadMarker { topic } => ApiCall::GetTopicDetail(GetTopicDetail {
            topic_id: topic,
            extra: Object::new(),
        }),
        Call::SettleMarker { topic, operation } => {
            ApiCall::SettleRunningOperation(SettleRunningOperation {
                topic_id: topic,
                operation_id: operation,
                status: None,
                extra: Object::new(),
            })
        }
        Call::ClearMarker { topic } => {
            ApiCall::UpdateTopicMetadata(UpdateTopicMetadata { topic_id: topic })
        }
    })
}

/// The reply to a request that called `procedure`; `keep` puts a token into the vault.
pub(super) fn reply(
    procedure: ProcedureName,
    answer: &ApiAnswer,
    mut keep: impl FnMut(Token) -> TokenGrant,
) -> Reply {
    if let ApiAnswer::Replied(given) = answer
        && let Some(reply) = typed(procedure, given, &mut keep)
    {
        return reply;
    }
    let read = match procedure {
        ProcedureName::ExecAgent => read::<ExecAgent>(answer).and_then(|reply| {
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
        ProcedureName::RefreshGatewayToken => {
            read::<RefreshGatewayToken>(answer).map(|reply| Reply::TokenIssued(keep(reply.token)))
        }
        ProcedureName::InterruptTask => {
            read::<InterruptTask>(answer).map(|reply| Reply::Interrupted {
                success: reply.success,
            })
        }
        ProcedureName::GetOperationStatus => read::<GetOperationStatus>(answer).map(|reply| {
            Reply::Status(reply.map(|report| StatusReport {
                status: report.status,
                error: report.error,
            }))
        }),
        ProcedureName::GetMessages => read::<GetMessages>(answer).map(Reply::Messages),
        ProcedureName::GetTopicDetail => read::<GetTopicDetail>(answer).map(|reply| {
            let marker = reply.running_operation;
            Reply::Marker(marker.map(|marker| marker.operation_id))
        }),
        ProcedureName::SettleRunningOperation => {
            read::<SettleRunningOperation>(answer).map(|_| Reply::MarkerCleared)
        }
        ProcedureName::UpdateTopicMetadata => {
            read::<UpdateTopicMetadata>(answer).map(|_| Reply::MarkerCleared)
        }
        ProcedureName::GetGlobalConfig => Err(unreadable("no request of a run asks for it")),
    };
    read.unwrap_or_else(Reply::Failed)
}

/// What a typed answer says: the same as reading its JSON, without the JSON. `None`: it must be read.
fn typed(
    procedure: ProcedureName,
    given: &ApiReply,
    keep: &mut impl FnMut(Token) -> TokenGrant,
) -> Option<Reply> {
    Some(match (procedure, given) {
        (
            ProcedureName::ExecAgent,
            ApiReply::Started {
                agent,
                operation,
                topic,
                token,
            },
        ) => Reply::Started(Box::new(Started {
            operation: operation.clone(),
            topic: Some(topic.clone()),
            agent: Some(agent.clone()),
            thread: None,
            assistant_message: Some(ApiReply::ASSISTANT_MESSAGE.into()),
            user_message: Some(ApiReply::USER_MESSAGE.into()),
            token: token.clone().map(keep),
        })),
        (ProcedureName::RefreshGatewayToken, ApiReply::Token(token)) => {
            Reply::TokenIssued(keep(token.clone()))
        }
        (ProcedureName::InterruptTask, ApiReply::Interrupted { success, .. }) => {
            Reply::Interrupted { success: *success }
        }
        (ProcedureName::GetOperationStatus, ApiReply::Status { status, error, .. }) => {
            Reply::Status(Some(StatusReport {
                status: status.clone(),
                error: error.clone(),
            }))
        }
        (ProcedureName::SettleRunningOperation, ApiReply::Settled(_)) => Reply::MarkerCleared,
        _ => return None,
    })
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
        ApiAnswer::Replied(reply) => P::read_reply(reply.to_json().as_slice()).map_err(unreadable),
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

#[cfg(test)]
mod tests {
    use agent_gateway_machine::{TokenId, TokenKind};
    use agent_gateway_protocol::{OperationId, OperationStatus, TopicId};

    use super::*;

    #[test]
    fn a_typed_answer_says_what_its_json_says() {
        let operation = OperationId::from("op_1");
        let topic = TopicId::from("tpc_1");
        let status = |status, error| ApiReply::Status {
            operation: operation.clone(),
            status,
            error,
        };
        let started = |token| ApiReply::Started {
            agent: "agt_1".into(),
            operation: operation.clone(),
            topic: topic.clone(),
            token,
        };
        let answers = [
            (
                ProcedureName::ExecAgent,
                started(Some(Token::new("secret"))),
            ),
            (ProcedureName::ExecAgent, started(None)),
            (
                ProcedureName::RefreshGatewayToken,
                ApiReply::Token(Token::new("secret")),
            ),
            (
                ProcedureName::InterruptTask,
                ApiReply::Interrupted {
                    operation: operation.clone(),
                    success: true,
                },
            ),
            (
                ProcedureName::GetOperationStatus,
                status(OperationStatus::Running, None),
            ),
            (
                ProcedureName::GetOperationStatus,
                status(OperationStatus::Error, Some("the model failed".into())),
            ),
            (
                ProcedureName::SettleRunningOperation,
                ApiReply::Settled(false),
            ),
        ];
        for (procedure, given) in answers {
            let keep = |token: Token| TokenGrant {
                id: TokenId(token.expose().len() as u64),
                kind: TokenKind::Jwt,
                lifetime: None,
            };
            let said = typed(procedure, &given, &mut { keep }).expect("it is typed");
            let json = ApiAnswer::Replied(ApiReply::Json(given.to_json()));
            assert_eq!(said, reply(procedure, &json, keep), "{given:?}");
        }
    }
}

//! The API's answers as replies to the machine.

use agent_gateway_machine::{
    HttpAnswer, Millis, Reply, RequestFailure, Started, StatusReport, TokenGrant,
};
use agent_gateway_protocol::Token;
use agent_gateway_protocol::api::ProcedureName;
use agent_gateway_protocol::trpc::Answer;

use crate::api::{ApiAnswer, ApiReply};

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
    match answer {
        ApiAnswer::Replied(given) => {
            let body = Answer::new(&Ok(given.to_json()));
            read(procedure, body.status, None, body.body.into_bytes(), keep)
        }
        ApiAnswer::Refused { error, retry_after } => {
            let body = Answer::new(&Err(error.clone()));
            read(
                procedure,
                body.status,
                *retry_after,
                body.body.into_bytes(),
                keep,
            )
        }
        ApiAnswer::Page(page) => {
            let header = page
                .headers
                .iter()
                .find(|(name, _)| &**name == "retry-after");
            let retry_after = header.and_then(|(_, value)| value.parse().ok());
            read(
                procedure,
                page.status,
                retry_after,
                page.body.to_vec(),
                keep,
            )
        }
        ApiAnswer::Dropped => lost(),
    }
}

/// `retry_after` in s.
fn read(
    procedure: ProcedureName,
    status: u16,
    retry_after: Option<u64>,
    body: Vec<u8>,
    keep: impl FnMut(Token) -> TokenGrant,
) -> Reply {
    let answer = HttpAnswer {
        status,
        retry_after: retry_after.map(Millis::seconds),
        body,
    };
    Reply::read(procedure, &answer, keep)
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

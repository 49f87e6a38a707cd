//! What an HTTP answer says to the machine.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use agent_gateway_protocol::Token;
use agent_gateway_protocol::api::{
    ExecAgent, ExecAgentReply, GetMessages, GetOperationStatus, GetTopicDetail, InterruptTask,
    Procedure, ProcedureName, RefreshGatewayToken, SettleRunningOperation, UpdateTopicMetadata,
};
use agent_gateway_protocol::trpc;

use super::{Reply, RequestFailure, Started, StatusReport};
use crate::time::Millis;
use crate::token::TokenGrant;

/// An HTTP answer, whole. `Debug` shows only how long the body is, for there may be a token in it (I17).
#[derive(Clone)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// `Retry-After`, in ms.
    pub retry_after: Option<Millis>,
    /// The body, unpacked.
    pub body: Vec<u8>,
}

impl fmt::Debug for HttpAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpAnswer")
            .field("status", &self.status)
            .field("retry_after", &self.retry_after)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish()
    }
}

impl Reply {
    /// What the answer to a call of `procedure` says; a [`Reply::Failed`] where that is nothing usable. `keep` puts a token
    /// into the vault.
    #[must_use]
    pub fn read(
        procedure: ProcedureName,
        answer: &HttpAnswer,
        mut keep: impl FnMut(Token) -> TokenGrant,
    ) -> Self {
        let read = match procedure {
            ProcedureName::ExecAgent => answer
                .of::<ExecAgent>()
                .and_then(|reply| started(reply, answer.status, keep)),
            ProcedureName::RefreshGatewayToken => answer
                .of::<RefreshGatewayToken>()
                .map(|reply| Self::TokenIssued(keep(reply.token))),
            ProcedureName::InterruptTask => {
                answer.of::<InterruptTask>().map(|reply| Self::Interrupted {
                    success: reply.success,
                })
            }
            ProcedureName::GetOperationStatus => answer.of::<GetOperationStatus>().map(|report| {
                Self::Status(report.map(|report| StatusReport {
                    status: report.status,
                    error: report.error,
                }))
            }),
            ProcedureName::GetMessages => answer.of::<GetMessages>().map(Self::Messages),
            ProcedureName::GetTopicDetail => answer.of::<GetTopicDetail>().map(|topic| {
                Self::Marker(topic.running_operation.map(|marker| marker.operation_id))
            }),
            ProcedureName::SettleRunningOperation => answer
                .of::<SettleRunningOperation>()
                .map(|_| Self::MarkerCleared),
            ProcedureName::UpdateTopicMetadata => answer
                .of::<UpdateTopicMetadata>()
                .map(|_| Self::MarkerCleared),
            ProcedureName::GetGlobalConfig => {
                Err(unreadable(answer.status, "no request of a run asks for it"))
            }
        };
        read.unwrap_or_else(Self::Failed)
    }
}

impl HttpAnswer {
    /// What `P` answers.
    ///
    /// # Errors
    /// The server says no, or something else than the server has answered, or it is not what `P` answers.
    pub fn of<P: Procedure>(&self) -> Result<P::Reply, RequestFailure> {
        let decoded = trpc::decode::<P>(self.status, &self.body);
        decoded.map_err(|error| RequestFailure::of_error(error, self.retry_after))
    }
}

/// A 200 of `execAgent`: it may say no all the same (R1).
fn started(
    reply: ExecAgentReply,
    status: u16,
    keep: impl FnMut(Token) -> TokenGrant,
) -> Result<Reply, RequestFailure> {
    if !reply.success {
        let text = reply.error.or(reply.message);
        return Ok(Reply::StartRefused {
            text: text.unwrap_or_else(|| "the server did not say why".into()),
        });
    }
    let mut extra = reply.extra;
    let operation = reply
        .operation_id
        .ok_or_else(|| unreadable(status, "an unexpected reply: `operationId` is missing"))?;
    Ok(Reply::Started(Box::new(Started {
        operation,
        topic: reply.topic_id,
        agent: reply.agent_id,
        thread: extra.take("threadId"),
        assistant_message: reply.assistant_message_id,
        user_message: reply.user_message_id,
        token: reply.token.map(keep),
    })))
}

fn unreadable(status: u16, text: &str) -> RequestFailure {
    RequestFailure::Unreadable {
        status,
        retry_after: None,
        text: text.into(),
    }
}

//! What is executed, and what the server answers.

use agent_gateway_machine::{
    Execute, Millis, Refusal, RefusalKind, Reply, RequestFailure, Started, StatusReport,
    TokenGrant, TokenId, TokenKind,
};
use agent_gateway_protocol::OperationStatus;
use agent_gateway_protocol::api::{AppContext, ExecAgent};

use super::Stage;

/// What the server gives out.
impl Stage {
    /// A new token in the vault, good for a day.
    pub(crate) fn token(&mut self) -> TokenGrant {
        self.tokens += 1;
        TokenGrant {
            id: TokenId(self.tokens),
            kind: TokenKind::Jwt,
            lifetime: Some(Millis::seconds(86_400)),
        }
    }

    pub(crate) fn api_key(&mut self) -> TokenGrant {
        TokenGrant {
            kind: TokenKind::ApiKey,
            lifetime: None,
            ..self.token()
        }
    }

    /// `execAgent`'s answer: `op_1` on `tpc_1`.
    pub(crate) fn start_reply(&mut self) -> Reply {
        Reply::Started(Box::new(Started {
            operation: "op_1".into(),
            topic: Some("tpc_1".into()),
            agent: Some("agt_1".into()),
            thread: None,
            assistant_message: Some("msg_2".into()),
            user_message: Some("msg_1".into()),
            token: Some(self.token()),
        }))
    }
}

/// A run on the topic `tpc_1`.
pub(crate) fn execute() -> Execute {
    Execute::new(ExecAgent {
        agent_id: Some("agt_1".into()),
        prompt: "hi".into(),
        app_context: Some(AppContext {
            topic_id: Some("tpc_1".into()),
            ..AppContext::default()
        }),
        ..ExecAgent::default()
    })
}

pub(crate) fn status_reply(status: &str) -> Reply {
    Reply::Status(Some(StatusReport {
        status: OperationStatus::parse(status),
        error: None,
    }))
}

pub(crate) fn refused(kind: RefusalKind, status: u16) -> Reply {
    Reply::Failed(RequestFailure::Refused(Refusal {
        kind,
        status,
        retry_after: None,
        message: "no".into(),
        path: None,
    }))
}

pub(crate) fn unreachable() -> Reply {
    Reply::Failed(RequestFailure::Unreachable {
        text: "refused".into(),
    })
}

pub(crate) fn lost() -> Reply {
    Reply::Failed(RequestFailure::Lost {
        text: "cut off".into(),
    })
}

//! What the machine may be told, in few words: that two surroundings tell it the same shows by them.

use agent_gateway_machine::{
    Attach, Close, Cursor, DialFailure, DialFailureKind, DialId, EventKind, Execute, Refusal,
    RefusalKind, Reply, RequestFailure, RequestId, Started, StatusReport, TokenGrant, TokenId,
    TokenKind, ToolAnswer,
};
use agent_gateway_protocol::api::{AppContext, ExecAgent};
use agent_gateway_protocol::frame::{AuthFailed, ResumeComplete};
use agent_gateway_protocol::{
    AgentId, CloseCode, EventId, OperationId, RawJson, ServerFrame, ToolCallId, TopicId,
};

use super::budget::Start;
use super::log::{Ended, Frames, Symbol, TOOL_CALL};
use super::server::Answer;
use super::world::TOKEN_LIFETIME;
use super::{OPERATION, TOPIC};

/// One thing the machine is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum News {
    Begun(Start),
    Stop,
    Detach,
    ToolAnswered,
    Opened(DialId),
    DialFailed(DialId),
    Said(DialId, Said),
    /// The gateway has closed the socket behind a refusal.
    Closed(DialId),
    Cut(DialId),
    Replied(RequestId, Answer, Option<TokenId>),
    Rang,
    Woken,
}

/// A frame to the client, as it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Said {
    AuthSuccess,
    AuthFailed,
    AuthExpired,
    HeartbeatAck,
    Numbered(u8, Symbol),
    ResumeComplete { status: Option<Ended>, gap: bool },
}

impl News {
    /// The same in full.
    pub(super) fn event(self, frames: &Frames) -> EventKind {
        match self {
            Self::Begun(start) => command(start),
            Self::Stop => EventKind::Stop,
            Self::Detach => EventKind::Detach,
            Self::ToolAnswered => EventKind::AnswerTool {
                call: ToolCallId::new(TOOL_CALL),
                answer: ToolAnswer::success("done").into(),
            },
            Self::Opened(dial) => EventKind::ConnectionOpened { dial },
            Self::DialFailed(dial) => EventKind::DialFailed {
                dial,
                failure: DialFailure {
                    kind: DialFailureKind::Unreachable,
                    text: "connection refused".into(),
                },
            },
            Self::Said(dial, said) => EventKind::FrameReceived {
                dial,
                frame: said.frame(frames),
            },
            Self::Closed(dial) => EventKind::ConnectionClosed {
                dial,
                close: Close::Closed {
                    code: Some(CloseCode::POLICY_VIOLATION),
                    reason: "".into(),
                },
            },
            Self::Cut(dial) => EventKind::ConnectionClosed {
                dial,
                close: Close::Lost {
                    text: "connection reset by peer".into(),
                },
            },
            Self::Replied(request, answer, token) => EventKind::ReplyReceived {
                request,
                reply: reply(answer, token),
            },
            Self::Rang => EventKind::AlarmRang,
            Self::Woken => EventKind::Restored { token: None },
        }
    }
}

impl Said {
    pub(super) fn frame(self, frames: &Frames) -> ServerFrame {
        match self {
            Self::AuthSuccess => ServerFrame::AuthSuccess,
            Self::AuthFailed => ServerFrame::AuthFailed(AuthFailed {
                reason: "\"exp\" claim timestamp check failed".into(),
            }),
            Self::AuthExpired => ServerFrame::AuthExpired,
            Self::HeartbeatAck => ServerFrame::HeartbeatAck,
            Self::Numbered(id, symbol) => frames.get(id, symbol),
            Self::ResumeComplete { status, gap } => {
                ServerFrame::ResumeComplete(Box::new(ResumeComplete {
                    status: Some(Ended::status(status)),
                    gap,
                }))
            }
        }
    }
}

/// How the caller begins.
fn command(start: Start) -> EventKind {
    match start {
        Start::Execute { new_topic } => {
            let input = ExecAgent {
                agent_id: Some(AgentId::new("agt_1")),
                prompt: "Hello".into(),
                app_context: (!new_topic).then(|| AppContext {
                    topic_id: Some(TopicId::new(TOPIC)),
                    ..AppContext::default()
                }),
                ..ExecAgent::default()
            };
            EventKind::Execute(Box::new(Execute::new(input)))
        }
        Start::Attach {
            cursor,
            executes_tools,
        } => {
            let mut attach = Attach::new(OperationId::new(OPERATION), Some(TopicId::new(TOPIC)));
            attach.executes_tools = executes_tools;
            if cursor > 0 {
                attach.cursor = Cursor {
                    id: Some(EventId::Number(cursor.into())),
                    ..Cursor::start()
                };
            }
            EventKind::Attach(Box::new(attach))
        }
    }
}

/// The reply that an answer is to the machine.
fn reply(answer: Answer, token: Option<TokenId>) -> Reply {
    let grant = token.map(|id| TokenGrant {
        id,
        kind: TokenKind::Jwt,
        lifetime: Some(TOKEN_LIFETIME),
    });
    match answer {
        Answer::Started => Reply::Started(Box::new(Started {
            operation: OperationId::new(OPERATION),
            topic: Some(TopicId::new(TOPIC)),
            agent: None,
            thread: None,
            assistant_message: None,
            user_message: None,
            token: grant,
        })),
        Answer::Token => match grant {
            Some(grant) => Reply::TokenIssued(grant),
            None => lost(),
        },
        Answer::NoRunningOperation => refused(RefusalKind::NotFound, 404),
        Answer::Unauthorized => refused(RefusalKind::Unauthorized, 401),
        Answer::UnknownProcedure => refused(RefusalKind::UnknownProcedure, 404),
        Answer::StartRefused => Reply::StartRefused { text: "no".into() },
        Answer::Interrupted(success) => Reply::Interrupted { success },
        Answer::Status(ended) => Reply::Status(Some(StatusReport {
            status: Ended::status(ended),
            error: None,
        })),
        Answer::Messages => Reply::Messages(RawJson::null()),
        Answer::Marker(marked) => Reply::Marker(marked.then(|| OperationId::new(OPERATION))),
        Answer::MarkerCleared => Reply::MarkerCleared,
        Answer::Lost => lost(),
    }
}

fn lost() -> Reply {
    Reply::Failed(RequestFailure::Lost {
        text: "the connection was closed before an answer came".into(),
    })
}

fn refused(kind: RefusalKind, status: u16) -> Reply {
    Reply::Failed(RequestFailure::Refused(Refusal {
        kind,
        status,
        retry_after: None,
        message: "no".into(),
        path: None,
    }))
}

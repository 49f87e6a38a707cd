//! Everything around the machine, as small plain data: the gateway, the server, the network, the user, and the faults
//! that are left.

use agent_gateway_machine::{
    Attach, Call, Cursor, Effect, Effects, EventKind, Execute, Millis, Notification, Refusal,
    RefusalKind, Renaming, Reply, RequestFailure, RequestId, Started, StatusReport, TokenGrant,
    TokenId, TokenKind, ToolAnswer,
};
use agent_gateway_protocol::api::{AppContext, ExecAgent};
use agent_gateway_protocol::frame::{AuthFailed, ResumeComplete};
use agent_gateway_protocol::{
    AgentId, ClientFrame, EventId, OperationId, RawJson, ServerFrame, ToolCallId, TopicId,
};
use arrayvec::ArrayVec;

use super::budget::{Beginning, Faults, Start};
use super::gateway::{Down, Gateway, Passed, Socket, Up};
use super::log::{Ended, Frames, Symbol, TOOL_CALL};
use super::server::{Answer, Server, Turn};
use super::{OPERATION, TOPIC};

/// A token lives this long: it is aged after the second heartbeat.
const TOKEN_LIFETIME: Millis = Millis::seconds(45);

/// What surrounds the machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) gateway: Gateway,
    pub(super) server: Server,
    pub(super) socket: Option<Socket>,
    pub(super) requests: ArrayVec<Request, 6>,
    /// Tokens that are not forgotten yet, and whether the gateway takes them.
    pub(super) tokens: ArrayVec<(TokenId, bool), 6>,
    pub(super) user: User,
    pub(super) faults: Faults,
    /// How long ago the machine was last told something, ms.
    pub(super) idle: u64,
}

/// What the caller has done and may still do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct User {
    pub(super) begun: bool,
    pub(super) stops: u8,
    pub(super) detaches: u8,
    /// Whether a tool call waits for an answer.
    pub(super) asked: bool,
}

/// A request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Request {
    pub(super) purpose: Purpose,
    pub(super) stage: RequestStage,
    /// Whether the machine wants no answer any more.
    pub(super) cancelled: bool,
    pub(super) id: RequestId,
    /// The token in its answer.
    pub(super) token: Option<TokenId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Purpose {
    Start,
    Token,
    Interrupt,
    Status,
    Messages,
    ReadMarker,
    SettleMarker,
    ClearMarker,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum RequestStage {
    /// On its way to the server.
    Sent,
    /// Its answer is on its way back.
    Answered(Answer),
    /// It will never be answered.
    Hung,
}

impl World {
    pub(super) fn new(beginning: &Beginning) -> Self {
        let mut world = Self {
            gateway: Gateway::default(),
            server: Server::default(),
            socket: None,
            requests: ArrayVec::new(),
            tokens: ArrayVec::new(),
            user: User {
                stops: beginning.stops,
                detaches: beginning.detaches,
                ..User::default()
            },
            faults: beginning.faults,
            idle: 0,
        };
        for symbol in beginning.before {
            world.push(*symbol);
        }
        if let Start::Attach { .. } = beginning.start {
            world.begin_run();
        }
        world
    }

    /// Whether anything is on its way that will arrive.
    pub(super) fn is_busy(&self) -> bool {
        self.socket.as_ref().is_some_and(Socket::is_busy)
            || self
                .requests
                .iter()
                .any(|request| !request.cancelled && request.stage != RequestStage::Hung)
    }

    /// The server carries out `execAgent`.
    fn begin_run(&mut self) {
        self.server.started = true;
        self.server.marked = true;
        self.gateway.initialized = Some(self.gateway.log.len() as u8);
    }

    /// The server takes its next turn.
    pub(super) fn take_turn(&mut self, turn: Turn, beginning: &Beginning) {
        match turn {
            Turn::Push(symbol) => {
                self.server.turn += 1;
                self.push(symbol);
            }
            Turn::Tool => {
                self.push(Symbol::ToolExecute);
                self.server.turn += 1;
                self.server.waits = true;
            }
            Turn::End => {
                let rest = beginning.program.get(usize::from(self.server.turn)..);
                let left = rest.unwrap_or_default().iter();
                let skipped = left.take_while(|turn| **turn != Turn::End).count();
                self.server.turn += skipped as u8 + 1;
                let ended = self.server.end();
                self.push(match ended {
                    Ended::Done => Symbol::Done,
                    Ended::Interrupted => Symbol::Interrupted,
                });
            }
        }
    }

    /// Whether the server may stop waiting for the tool: the gateway has lost the call, and so may the client have.
    pub(super) fn has_lost_call(&self) -> bool {
        let log = self.gateway.log.iter();
        let call = log.take_while(|symbol| **symbol != Symbol::ToolExecute);
        usize::from(self.gateway.forgotten) > call.count()
    }

    /// The server stops waiting for the tool.
    pub(super) fn end_tool(&mut self) {
        self.server.waits = false;
        self.push(Symbol::ToolEnd);
    }

    fn push(&mut self, symbol: Symbol) {
        self.gateway.push(symbol, self.socket.as_mut());
    }

    /// The gateway reads what came first.
    pub(super) fn read(&mut self, beginning: &Beginning) {
        let Some(socket) = &mut self.socket else {
            return;
        };
        let Some(up) = socket.up.pop_at(0) else {
            return;
        };
        let tokens = &self.tokens;
        let is_good = |token| tokens.contains(&(token, true));
        let passed = self.gateway.read(up, socket, beginning.dialect, is_good);
        if let Passed::ToolResult { answered } = passed {
            self.server.results[usize::from(answered)] = true;
            if self.server.waits {
                self.end_tool();
            }
        }
    }

    /// Every token there is runs out.
    pub(super) fn expire(&mut self) {
        for (_, good) in &mut self.tokens {
            *good = false;
        }
    }

    /// The server carries out a request. What must never be is said.
    pub(super) fn carry_out(
        &mut self,
        index: usize,
        beginning: &Beginning,
    ) -> Result<Answer, &'static str> {
        let purpose = self.requests[index].purpose;
        let answer = match purpose {
            Purpose::Start => {
                self.begin_run();
                self.requests[index].token = Some(self.issue());
                Answer::Started
            }
            Purpose::Token if self.server.marked => {
                self.requests[index].token = Some(self.issue());
                Answer::Token
            }
            Purpose::Token => Answer::NoRunningOperation,
            Purpose::Interrupt => Answer::Interrupted(self.server.interrupt()),
            Purpose::Status => Answer::Status(self.server.ended),
            Purpose::Messages => Answer::Messages,
            Purpose::ReadMarker => Answer::Marker(self.server.marked),
            Purpose::SettleMarker if !beginning.settles_markers => Answer::UnknownProcedure,
            Purpose::SettleMarker | Purpose::ClearMarker => {
                if self.server.is_alive() {
                    return Err("the marker was cleared while the server's run was alive");
                }
                self.server.marked = false;
                Answer::MarkerCleared
            }
        };
        self.requests[index].stage = RequestStage::Answered(answer);
        Ok(answer)
    }

    fn issue(&mut self) -> TokenId {
        let taken = |id: u64| self.tokens.iter().any(|(token, _)| token.0 == id);
        let id = TokenId((1..).find(|id| !taken(*id)).unwrap_or_default());
        if self.tokens.is_full() {
            self.tokens.remove(0);
        }
        self.tokens.push((id, true));
        id
    }

    /// The program ends: what is not in the state is gone.
    pub(super) fn lose_everything(&mut self) {
        self.socket = None;
        self.requests.clear();
    }

    /// Carries out what the machine wants.
    pub(super) fn perform(&mut self, effects: &Effects) {
        for effect in effects {
            match effect {
                Effect::OpenConnection { dial, .. } => self.socket = Some(Socket::new(*dial)),
                Effect::SendFrame { frame, .. } => self.send(frame),
                Effect::CloseConnection { .. } => self.socket = None,
                Effect::SendRequest { request, call } => self.request(*request, call),
                Effect::CancelRequest { request } => self.cancel(*request),
                Effect::Notify(Notification::ToolRequested { .. }) => self.user.asked = true,
                Effect::Notify(
                    Notification::AnswerWithdrawn { .. } | Notification::ToolTimedOut { .. },
                ) => self.user.asked = false,
                Effect::Notify(_) | Effect::SetAlarm(_) | Effect::Ignored(_) => {}
            }
        }
    }

    fn send(&mut self, frame: &ClientFrame<TokenId>) {
        let Some(socket) = self.socket.as_mut().filter(|socket| !socket.silent) else {
            return;
        };
        let up = match frame {
            ClientFrame::Auth(auth) => Up::Auth(auth.token),
            ClientFrame::Resume(resume) => Up::Resume {
                after: match resume.last_event_id {
                    Some(EventId::Number(number)) => number as u8,
                    _ => 0,
                },
            },
            ClientFrame::Heartbeat => Up::Heartbeat,
            ClientFrame::ToolResult(result) => Up::ToolResult {
                answered: result.success,
            },
            _ => Up::Interrupt,
        };
        socket.up.push(up);
    }

    fn request(&mut self, id: RequestId, call: &Call) {
        let purpose = match call {
            Call::StartRun(_) => Purpose::Start,
            Call::RefreshToken { .. } | Call::MintToken => Purpose::Token,
            Call::InterruptRun { .. } => Purpose::Interrupt,
            Call::AskStatus { .. } => Purpose::Status,
            Call::FetchMessages(_) => Purpose::Messages,
            Call::ReadMarker { .. } => Purpose::ReadMarker,
            Call::SettleMarker { .. } => Purpose::SettleMarker,
            Call::ClearMarker { .. } => Purpose::ClearMarker,
        };
        self.requests.push(Request {
            purpose,
            stage: RequestStage::Sent,
            cancelled: false,
            id,
            token: None,
        });
    }

    /// Nobody waits for it any more. Its answer may still come, as long as there is a fault for it.
    fn cancel(&mut self, id: RequestId) {
        let may_come = self.faults.all > 0 && self.faults.strays > 0;
        if let Some(request) = self.requests.iter_mut().find(|request| request.id == id) {
            request.cancelled = true;
        }
        self.requests.retain(|request| {
            !request.cancelled || (may_come && request.stage != RequestStage::Hung)
        });
    }

    /// Follows a state that has become canonical.
    pub(super) fn rename(&mut self, names: &mut Renaming) {
        if let Some(socket) = &mut self.socket {
            socket.dial = names.dial(socket.dial);
        }
        for request in &mut self.requests {
            request.id = names.request(request.id);
        }
        if !(self.faults.all > 0 && self.faults.strays > 0) {
            self.requests.retain(|request| !request.cancelled);
        }
        self.requests.sort_unstable();
        self.rename_tokens(names);
    }

    fn rename_tokens(&mut self, names: &mut Renaming) {
        let mut kept = ArrayVec::<TokenId, 8>::new();
        let ups = self.socket.iter().flat_map(|socket| &socket.up);
        kept.extend(ups.filter_map(|up| match up {
            Up::Auth(token) => Some(*token),
            _ => None,
        }));
        kept.extend(self.requests.iter().filter_map(|request| request.token));
        if let Some(socket) = &mut self.socket {
            for up in &mut socket.up {
                if let Up::Auth(token) = up {
                    *token = names.token(*token);
                }
            }
        }
        for request in &mut self.requests {
            request.token = request.token.map(|token| names.token(token));
        }
        self.tokens
            .retain(|(token, _)| names.holds_token(*token) || kept.contains(token));
        for (token, _) in &mut self.tokens {
            *token = names.token(*token);
        }
        self.tokens.sort_unstable();
    }
}

/// How the caller begins.
pub(super) fn command(start: Start) -> EventKind {
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

/// The caller's answer to the tool call.
pub(super) fn tool_answer() -> EventKind {
    EventKind::AnswerTool {
        call: ToolCallId::new(TOOL_CALL),
        answer: ToolAnswer::success("done"),
    }
}

/// A frame to the client as it comes; `None` is the close behind the last one.
pub(super) fn frame(
    down: Down,
    gateway: &Gateway,
    socket: &Socket,
    frames: &Frames,
) -> Option<ServerFrame> {
    Some(match down {
        Down::AuthSuccess => ServerFrame::AuthSuccess,
        Down::AuthFailed => ServerFrame::AuthFailed(AuthFailed {
            reason: "\"exp\" claim timestamp check failed".into(),
        }),
        Down::AuthExpired => ServerFrame::AuthExpired,
        Down::HeartbeatAck => ServerFrame::HeartbeatAck,
        Down::Numbered(id) => frames.get(id, gateway.log[usize::from(id) - 1]),
        Down::ResumeComplete { gap } => ServerFrame::ResumeComplete(ResumeComplete {
            status: Some(Ended::status(gateway.status(socket))),
            gap,
        }),
        Down::Close => return None,
    })
}

/// The reply that an answer is to the machine.
pub(super) fn reply(answer: Answer, token: Option<TokenId>) -> Reply {
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

//! Everything around the machine, as small plain data: the gateway, the server, the network, the user, and the faults
//! that are left.

use std::borrow::Cow;

use agent_gateway_machine::{
    Call, DialId, Effect, Effects, Millis, Notification, Renaming, RequestId, TokenId,
};
use agent_gateway_protocol::{ClientFrame, EventId};
use arrayvec::ArrayVec;

use super::budget::{Beginning, Faults, Start};
use super::gateway::{Down, Gateway, Passed, Socket, Stage, Up};
use super::log::{Ended, Symbol};
use super::server::{Answer, Server, Turn};

/// A token lives this long: it is aged after the second heartbeat.
pub(super) const TOKEN_LIFETIME: Millis = Millis::seconds(45);

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
            gateway: Gateway {
                dialect: beginning.dialect,
                ..Gateway::default()
            },
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
                    Ended::Interrupted => Symbol::Interrupted,
                    Ended::Done | Ended::Parked => Symbol::Done,
                });
            }
            Turn::Park => {
                self.server.turn += 1;
                self.server.park();
                self.push(Symbol::Parked);
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
    pub(super) fn read(&mut self) {
        let Some(socket) = &mut self.socket else {
            return;
        };
        let Some(up) = socket.up.pop_at(0) else {
            return;
        };
        let tokens = &self.tokens;
        let is_good = |token| tokens.contains(&(token, true));
        let passed = self.gateway.read(up, socket, is_good);
        if let Passed::ToolResult { answered } = passed {
            self.server.results[usize::from(answered)] = true;
            if self.server.waits {
                self.end_tool();
            }
        }
    }

    /// The dial succeeds.
    pub(super) fn open(&mut self) -> Option<DialId> {
        let socket = self.socket.as_mut()?;
        socket.stage = Stage::Open;
        Some(socket.dial)
    }

    /// The socket carries nothing any more.
    pub(super) fn fall_silent(&mut self) {
        if let Some(socket) = &mut self.socket {
            socket.fall_silent();
        }
    }

    /// The gateway says on the socket that its token has run out.
    pub(super) fn announce_expiry(&mut self) {
        if let Some(socket) = &mut self.socket {
            socket.stage = Stage::Expired;
            socket.live.push(Down::AuthExpired);
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

    /// A request gets lost, or its answer.
    pub(super) fn lose(&mut self, index: usize) {
        let request = &mut self.requests[index];
        request.stage = RequestStage::Answered(Answer::Lost);
        request.token = None;
    }

    /// The server refuses a request.
    pub(super) fn refuse(&mut self, index: usize) {
        let request = &mut self.requests[index];
        request.stage = RequestStage::Answered(match request.purpose {
            Purpose::Start => Answer::StartRefused,
            _ => Answer::Unauthorized,
        });
    }

    /// A request will never be answered.
    pub(super) fn hang(&mut self, index: usize) {
        let request = &mut self.requests[index];
        request.stage = RequestStage::Hung;
        request.token = None;
    }

    /// A new token, by a name that none has which the machine knows.
    fn issue(&mut self) -> TokenId {
        let taken = |id: u64| self.tokens.iter().any(|(token, _)| token.0 == id);
        let id = TokenId(
            (0..)
                .map(|place| u64::MAX - place)
                .find(|id| !taken(*id))
                .unwrap_or_default(),
        );
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
        if let Some(request) = self.requests.iter_mut().find(|request| request.id == id) {
            request.cancelled = true;
        }
        self.forget_cancelled();
    }

    /// Follows a state that has become canonical.
    pub(super) fn rename(&mut self, names: &Renaming) {
        let mut names = Names(Cow::Borrowed(names));
        if let Some(socket) = &mut self.socket {
            socket.dial = names.dial(socket.dial);
        }
        self.forget_cancelled();
        for request in &mut self.requests {
            request.id = names.request(request.id);
        }
        self.requests.sort_unstable();
        let waiting = self.waiting_tokens();
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
            .retain(|(token, _)| names.0.holds_token(*token) || waiting.contains(token));
        for (token, _) in &mut self.tokens {
            *token = names.token(*token);
        }
        self.tokens.sort_unstable();
    }

    /// Becomes canonical again, where the machine has been told nothing and all is called what it was.
    pub(super) fn tidy(&mut self) {
        self.forget_cancelled();
        self.requests.sort_unstable();
        let waiting = self.waiting_tokens();
        self.tokens
            .retain(|(token, _)| is_held(*token) || waiting.contains(token));
        self.tokens.sort_unstable();
    }

    fn forget_cancelled(&mut self) {
        let may_come = self.faults.all > 0 && self.faults.strays > 0;
        self.requests.retain(|request| {
            !request.cancelled || (may_come && request.stage != RequestStage::Hung)
        });
    }

    /// Tokens on their way.
    fn waiting_tokens(&self) -> ArrayVec<TokenId, 12> {
        let ups = self.socket.iter().flat_map(|socket| &socket.up);
        let said = ups.filter_map(|up| match up {
            Up::Auth(token) => Some(*token),
            _ => None,
        });
        let answered = self.requests.iter().filter_map(|request| request.token);
        said.chain(answered).collect()
    }
}

/// What things are called now. Most have a name already, and for the others the names are copied.
struct Names<'a>(Cow<'a, Renaming>);

impl Names<'_> {
    fn dial(&mut self, dial: DialId) -> DialId {
        let known = self.0.known_dial(dial);
        known.unwrap_or_else(|| self.0.to_mut().dial(dial))
    }

    fn request(&mut self, request: RequestId) -> RequestId {
        let known = self.0.known_request(request);
        known.unwrap_or_else(|| self.0.to_mut().request(request))
    }

    fn token(&mut self, token: TokenId) -> TokenId {
        let known = self.0.known_token(token);
        known.unwrap_or_else(|| self.0.to_mut().token(token))
    }
}

/// Whether a canonical state holds it: it numbers its own from 1, and all others from the other end.
fn is_held(token: TokenId) -> bool {
    token.0 < u64::MAX / 2
}

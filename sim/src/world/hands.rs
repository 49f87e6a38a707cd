use agent_gateway_machine::{
    Call, Close, DialFailure, DialFailureKind, DialId, Effect, EventKind, FrameProblem, Millis,
    Notification, Reply, RequestFailure, RequestId, Timestamp, TokenGrant, TokenId, TokenKind,
};
use agent_gateway_protocol::{ClientFrame, OperationId, ServerFrame, Token};
use litemap::LiteMap;

use super::call::{api_call, lost, reply, unreachable};
use super::happening::{Happening, Message};
use super::link::{Link, dial_of, socket_of};
use super::run::World;
use crate::api::{ApiAnswer, ApiCall, ProcedureName};
use crate::gateway::{Ticket, TokenBook, TokenPlan};
use crate::http::parameter;
use crate::script::{NetworkAct, Renewal, RenewalAnswer};
use crate::server::{ServerInput, ServerOutput};

/// What the hands keep between two effects.
#[derive(Clone, Debug, Default)]
pub(super) struct Hands {
    /// On the client's clock.
    pub(super) alarm: Option<Timestamp>,
    /// The texts of the tokens that the machine only names.
    vault: LiteMap<TokenId, Token>,
    kept: u64,
    pub(super) links: LiteMap<DialId, Link>,
    /// Which procedure each request called; `None`: the user is asked for a token of their own.
    pub(super) calls: LiteMap<RequestId, Option<ProcedureName>>,
}

impl Hands {
    /// Puts a token into the vault.
    pub(super) fn keep(&mut self, token: Token, book: &TokenBook) -> TokenGrant {
        self.kept += 1;
        let id = TokenId(self.kept);
        let lifetime = book.lifetime(&token);
        self.vault.insert(id, token);
        TokenGrant {
            id,
            kind: TokenKind::Jwt,
            lifetime,
        }
    }

    /// The program ends: everything that is not in the state is gone.
    pub(super) fn lose_everything(&mut self) -> Vec<DialId> {
        self.alarm = None;
        self.vault.clear();
        self.calls.clear();
        let open = self
            .links
            .iter_mut()
            .filter(|(_, link)| link.client)
            .map(|(dial, link)| {
                link.client = false;
                *dial
            });
        open.collect()
    }
}

impl World<'_> {
    /// Carries out one effect.
    #[inline]
    pub(super) fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::OpenConnection { dial, url } => self.dial(dial, &url),
            Effect::SendFrame { dial, frame } => self.send(dial, frame),
            Effect::CloseConnection { dial, .. } => self.hang_up(dial),
            Effect::SendRequest { request, call } => self.request(request, call),
            // The answer to what is cancelled may be on its way already.
            Effect::CancelRequest { .. } if self.network.tells_late => {}
            Effect::CancelRequest { request } => {
                if self.hands.calls.remove(&request).is_some() {
                    let at = self.network.arrival(self.now, self.now);
                    let ticket = Ticket(request.0);
                    self.queue.enter(at, Happening::CallAbandoned(ticket));
                }
            }
            Effect::SetAlarm(alarm) => self.hands.alarm = alarm.map(|alarm| alarm.at),
            Effect::Notify(notification) => self.tell_user(notification),
            Effect::Ignored(_) => {}
        }
    }

    fn tell_user(&mut self, notification: Notification) {
        self.user.hear(&notification, self.now);
        if let Notification::ToolRequested { call, .. } = &notification {
            for (wait, answer) in self.user.answers(call) {
                let answered = Happening::ToolAnswered(call.tool_call_id.clone(), answer);
                self.queue.enter(self.now.plus(wait), answered);
            }
        }
        self.played.hear(notification, self.now);
    }

    fn dial(&mut self, dial: DialId, url: &str) {
        let link = Link::new(operation_in(url));
        self.hands.links.insert(dial, link);
        let at = self.network.arrival(self.now, self.now);
        let failure = |kind, text: &str| {
            let text = text.into();
            Happening::DialFailed(dial, DialFailure { kind, text })
        };
        let network = &mut self.network;
        let happening = if network.is_offline {
            failure(DialFailureKind::Unreachable, "network is unreachable")
        } else if network.refused_dials > 0 {
            network.refused_dials -= 1;
            failure(DialFailureKind::Unreachable, "connection refused")
        } else if network.hanging_dials > 0 {
            network.hanging_dials -= 1;
            return;
        } else if let Some(status) = network.rejected_upgrade.take() {
            failure(DialFailureKind::Http(status), "the upgrade was refused")
        } else if core::mem::take(&mut network.bad_certificate) {
            failure(
                DialFailureKind::TlsIdentity,
                "certificate not valid for this name",
            )
        } else {
            Happening::DialArrived(dial)
        };
        self.queue.enter(at, happening);
    }

    fn send(&mut self, dial: DialId, frame: ClientFrame<TokenId>) {
        let vault = &self.hands.vault;
        let filled = frame.try_with_token(|id| vault.get(&id).cloned().ok_or(id));
        let Ok(frame) = filled else {
            self.report_bug(format!(
                "{dial}: the machine sends a token that the vault does not have"
            ));
            return;
        };
        let Some(link) = self.hands.links.get_mut(&dial) else {
            return;
        };
        if link.client && link.server && !link.is_silent {
            let at = self.network.arrival(self.now, link.last_up);
            link.last_up = at;
            self.queue.enter(at, Happening::FrameArrived(dial, frame));
        }
    }

    fn hang_up(&mut self, dial: DialId) {
        if let Some(link) = self.hands.links.get_mut(&dial) {
            link.client = false;
            if !link.is_silent {
                let at = self.network.arrival(self.now, link.last_up);
                self.queue.enter(at, Happening::CloseArrived(dial));
            }
        }
    }

    fn request(&mut self, request: RequestId, call: Call) {
        let call = api_call(call);
        let procedure = call.as_ref().map(ApiCall::procedure);
        self.hands.calls.insert(request, procedure);
        let at = self.network.arrival(self.now, self.now);
        let happening = match call {
            None => return self.ask_for_token(request),
            Some(_) if self.network.is_offline => Happening::Unsent(request),
            Some(call) => Happening::CallArrived(Ticket(request.0), Box::new(call)),
        };
        self.queue.enter(at, happening);
    }

    /// The user is asked for a new token of their own.
    fn ask_for_token(&mut self, request: RequestId) {
        let Renewal { after, answer } = self.user.renew_token();
        let given = match answer {
            RenewalAnswer::Token => true,
            RenewalAnswer::None => false,
            RenewalAnswer::Never => return,
        };
        let at = self.now.plus(Millis(after));
        self.queue.enter(at, Happening::TokenMinted(request, given));
    }

    /// Gives the client a token of the user's own.
    pub(super) fn own_token(&mut self) -> TokenGrant {
        let mut plan = TokenPlan::of(self.server.config().user.clone());
        if let Some(lifetime) = self.user.token_lifetime() {
            plan.lifetime = lifetime;
        }
        let token = self.server.issue_token(self.now, &plan);
        self.hands.keep(token, self.server.gateway().tokens())
    }

    /// Lets one thing happen. What the machine is told of it, if anything.
    pub(super) fn happen(&mut self, happening: Happening) -> Option<EventKind> {
        match happening {
            Happening::DialArrived(dial) => self.on_dial_arrived(dial),
            Happening::FrameArrived(dial, frame) => {
                if self.carries(dial) {
                    let socket = socket_of(dial);
                    self.tell_server(ServerInput::FrameReceived { socket, frame });
                }
            }
            Happening::CloseArrived(dial) => self.server_loses(dial),
            Happening::CallArrived(ticket, call) => {
                let call = *call;
                self.tell_server(ServerInput::Called { ticket, call });
            }
            Happening::CallAbandoned(ticket) => self.tell_server(ServerInput::Abandoned { ticket }),
            Happening::Opened(dial) => {
                let hears = self.client_hears(dial);
                return hears.then_some(EventKind::ConnectionOpened { dial });
            }
            Happening::DialFailed(dial, failure) => {
                if self.client_hears(dial) {
                    self.client_loses(dial);
                    return Some(EventKind::DialFailed { dial, failure });
                }
            }
            Happening::Arriving(dial) => {
                let hears = self.looks() && self.client_hears(dial) && !self.is_silent(dial);
                return hears.then_some(EventKind::FrameArriving { dial });
            }
            Happening::Received(dial, message) => {
                if self.arrives(dial) {
                    return Some(received(dial, message));
                }
            }
            Happening::Closed(dial, close) => {
                if self.arrives(dial) {
                    self.client_loses(dial);
                    return Some(EventKind::ConnectionClosed { dial, close });
                }
            }
            Happening::Answered(request, answer) => return self.on_answered(request, answer),
            Happening::Unsent(request) => {
                if self.hands.calls.remove(&request).is_some() {
                    let reply = unreachable();
                    return Some(EventKind::ReplyReceived { request, reply });
                }
            }
            Happening::TokenMinted(request, given) => {
                if self.hands.calls.remove(&request).is_some() {
                    let reply = if given {
                        Reply::TokenIssued(self.own_token())
                    } else {
                        Reply::Failed(RequestFailure::Unreachable {
                            text: "the user has no new token".into(),
                        })
                    };
                    return Some(EventKind::ReplyReceived { request, reply });
                }
            }
            Happening::ToolAnswered(call, answer) => {
                return Some(EventKind::AnswerTool { call, answer });
            }
            Happening::Network(act) => self.befall(act),
            Happening::Clock(act) => self.clock.act(act, self.now),
        }
        None
    }

    fn on_dial_arrived(&mut self, dial: DialId) {
        let Some(link) = self.hands.links.get_mut(&dial) else {
            return;
        };
        if !link.client || link.is_silent {
            return;
        }
        link.server = true;
        let operation = link.operation.clone();
        let at = self.network.arrival(self.now, link.last_down);
        link.last_down = at;
        self.queue.enter(at, Happening::Opened(dial));
        let socket = socket_of(dial);
        self.tell_server(ServerInput::SocketOpened { socket, operation });
    }

    fn on_answered(
        &mut self,
        request: RequestId,
        answer: Option<Box<ApiAnswer>>,
    ) -> Option<EventKind> {
        let procedure = self.hands.calls.remove(&request)??;
        let hands = &mut self.hands;
        let book = self.server.gateway().tokens();
        let reply = match answer {
            Some(answer) => reply(procedure, &answer, |token| hands.keep(token, book)),
            None => lost(),
        };
        Some(EventKind::ReplyReceived { request, reply })
    }

    /// Tells the server, and puts on its way what it says.
    pub(super) fn tell_server(&mut self, input: ServerInput) {
        let mut said = core::mem::take(&mut self.said);
        self.server.handle_into(self.now, input, &mut said);
        for output in said.drain(..) {
            match output {
                ServerOutput::SendFrame { socket, frame } => {
                    self.send_down(dial_of(socket), Message::Frame(frame));
                }
                ServerOutput::SendText { socket, text } => {
                    self.send_down(dial_of(socket), Message::Text(text));
                }
                ServerOutput::SendBinary { socket, .. } => {
                    self.send_down(dial_of(socket), Message::Binary);
                }
                ServerOutput::Close {
                    socket,
                    code,
                    reason,
                } => {
                    let code = Some(code);
                    self.close_down(dial_of(socket), Close::Closed { code, reason });
                }
                ServerOutput::Cut { socket } => {
                    let text = "connection reset by peer".into();
                    self.close_down(dial_of(socket), Close::Lost { text });
                }
                ServerOutput::Answer { ticket, answer } => self.answer(ticket, Some(answer)),
                ServerOutput::Hang { ticket } => self.answer(ticket, None),
                ServerOutput::ToolResultReceived { result, .. } => {
                    self.owed.pay(&result.tool_call_id);
                    self.played.tool_results.push(*result);
                }
                ServerOutput::RunStarted { operation, topic } => {
                    self.played.runs.push((operation, topic));
                }
                // The world calls typed.
                ServerOutput::Respond { .. } => {}
            }
        }
        self.said = said;
    }

    fn send_down(&mut self, dial: DialId, message: Message) {
        if let Some(link) = self.hands.links.get_mut(&dial)
            && link.server
            && !link.is_silent
        {
            let first = self.network.arrival(self.now, link.last_down);
            let at = first.plus(self.network.transmission(|| message.size()));
            link.last_down = at;
            let interval = self.arriving_interval;
            let mut part = first.plus(interval);
            while part < at {
                self.queue.enter(part, Happening::Arriving(dial));
                part = part.plus(interval);
            }
            self.queue.enter(at, Happening::Received(dial, message));
        }
    }

    fn close_down(&mut self, dial: DialId, close: Close) {
        if let Some(link) = self.hands.links.get_mut(&dial) {
            link.server = false;
            if !link.is_silent {
                let at = self.network.arrival(self.now, link.last_down);
                link.last_down = at;
                self.queue.enter(at, Happening::Closed(dial, close));
            }
        }
    }

    fn answer(&mut self, ticket: Ticket, answer: Option<Box<ApiAnswer>>) {
        let at = self.network.arrival(self.now, self.now);
        let request = RequestId(ticket.0);
        self.queue.enter(at, Happening::Answered(request, answer));
    }

    fn befall(&mut self, act: NetworkAct) {
        match act {
            NetworkAct::Cut => self.cut_all("connection reset by peer"),
            NetworkAct::HalfOpen => {
                for (_, link) in self.hands.links.iter_mut() {
                    link.is_silent |= link.client || link.server;
                }
            }
            NetworkAct::Delay(span) => self.network.hold_until(self.now.plus(Millis(span))),
            NetworkAct::Latency(latency) => self.network.set_latency(latency),
            NetworkAct::Jitter(jitter) => self.network.set_jitter(jitter),
            NetworkAct::Offline => {
                self.network.is_offline = true;
                self.cut_all("network is down");
                self.feed(EventKind::NetworkChanged(
                    agent_gateway_machine::Network::Offline,
                ));
            }
            NetworkAct::Online => {
                self.network.is_offline = false;
                self.feed(EventKind::NetworkChanged(
                    agent_gateway_machine::Network::Online,
                ));
            }
            NetworkAct::RefuseDials(count) => self.network.refused_dials = count,
            NetworkAct::HangDials(count) => self.network.hanging_dials = count,
            NetworkAct::RejectUpgrade(status) => self.network.rejected_upgrade = Some(status),
            NetworkAct::BadCertificate => self.network.bad_certificate = true,
        }
    }

    /// Every open socket is gone, with what was on its way; both ends see it at once.
    pub(super) fn cut_all(&mut self, text: &str) {
        let dials: Vec<DialId> = self.hands.links.keys().copied().collect();
        for dial in dials {
            self.server_loses(dial);
            if self.client_has(dial) && !self.is_silent(dial) {
                self.client_loses(dial);
                let text = text.into();
                self.feed(EventKind::ConnectionClosed {
                    dial,
                    close: Close::Lost { text },
                });
            }
        }
    }

    pub(super) fn server_loses(&mut self, dial: DialId) {
        let Some(link) = self.hands.links.get_mut(&dial) else {
            return;
        };
        if core::mem::take(&mut link.server) {
            let socket = socket_of(dial);
            self.tell_server(ServerInput::SocketClosed { socket });
        }
    }

    fn client_loses(&mut self, dial: DialId) {
        if let Some(link) = self.hands.links.get_mut(&dial) {
            link.client = false;
        }
    }

    fn client_has(&self, dial: DialId) -> bool {
        self.hands.links.get(&dial).is_some_and(|link| link.client)
    }

    /// Whether the client is told what comes of this dial.
    fn client_hears(&self, dial: DialId) -> bool {
        self.network.tells_late || self.client_has(dial)
    }

    /// Whether what is on its way down a link arrives.
    fn arrives(&self, dial: DialId) -> bool {
        let late = self.network.tells_late;
        let link = self.hands.links.get(&dial);
        link.map_or(late, |link| (late || link.client) && !link.is_silent)
    }

    fn is_silent(&self, dial: DialId) -> bool {
        self.hands
            .links
            .get(&dial)
            .is_some_and(|link| link.is_silent)
    }

    /// The latest dial, if what leaves on it now arrives, and by when at the latest.
    pub(super) fn carries_up(&self) -> Option<(DialId, Timestamp)> {
        let (&dial, link) = self.hands.links.last()?;
        let arrives = link.client && self.carries(dial) && self.server.hears(socket_of(dial));
        arrives.then(|| (dial, self.network.latest_arrival(self.now, link.last_up)))
    }

    /// Whether what is on its way up a link arrives.
    fn carries(&self, dial: DialId) -> bool {
        self.hands
            .links
            .get(&dial)
            .is_some_and(|link| link.server && !link.is_silent)
    }
}

/// What the machine is told of a message.
fn received(dial: DialId, message: Message) -> EventKind {
    match message {
        Message::Frame(frame) => EventKind::FrameReceived { dial, frame },
        Message::Binary => EventKind::FrameRejected {
            dial,
            problem: FrameProblem::Binary,
        },
        Message::Text(text) => match ServerFrame::decode(&text) {
            Ok(frame) => EventKind::FrameReceived { dial, frame },
            Err(_) => EventKind::FrameRejected {
                dial,
                problem: FrameProblem::Malformed,
            },
        },
    }
}

/// The operation that a socket's URL names.
fn operation_in(url: &str) -> OperationId {
    let (_, query) = url.split_once('?').unwrap_or(("", ""));
    OperationId::new(&*parameter(query, "operationId").unwrap_or_default())
}

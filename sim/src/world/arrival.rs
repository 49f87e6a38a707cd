//! What was on its way, and arrives at the client or at the server.

use agent_gateway_machine::{DialId, EventKind, FrameProblem, Reply, RequestFailure, RequestId};
use agent_gateway_protocol::ServerFrame;

use super::happening::{Happening, Message};
use super::link::socket_of;
use super::reply::{lost, reply, unreachable};
use super::run::World;
use crate::api::ApiAnswer;
use crate::server::ServerInput;

impl World<'_> {
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
            Happening::Received(dial, count, message) => {
                if self.arrives(dial) {
                    self.counts.on_coming(count);
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
            Happening::Acted(act) => return Some(self.on_acted(*act)),
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

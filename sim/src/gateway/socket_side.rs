//! What sockets ask for, and what is due on them.

use std::iter;

use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::frame::{Auth, Resume, ResumeComplete, TokenType};
use agent_gateway_protocol::{ClientFrame, CloseCode, ServerFrame};

use super::operation::{Prompt, Waiting};
use super::socket::{Phase, Replay};
use super::{Gateway, GatewayAnswer, GatewayOutput, SocketId};

impl Gateway {
    pub(super) fn on_frame(
        &mut self,
        now: Timestamp,
        id: SocketId,
        frame: ClientFrame,
        out: &mut Vec<GatewayOutput>,
    ) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        socket.last_heard = now;
        let largest = self.config.dialect.largest_frame;
        if largest.is_some_and(|largest| frame.size() > largest) {
            return self.close(id, CloseCode::MESSAGE_TOO_BIG, "Message too big", out);
        }
        match (&socket.phase, frame) {
            (Phase::Open { .. } | Phase::Expired { .. }, ClientFrame::Auth(auth)) => {
                self.on_auth(now, id, &auth, out);
            }
            // Everything else before auth, and a second auth, is ignored.
            (Phase::Open { .. }, _) | (Phase::Authenticated { .. }, ClientFrame::Auth(_)) => {}
            (_, ClientFrame::Resume(resume)) => {
                let delay = Millis(self.config.dialect.replay_delay);
                if delay == Millis::ZERO {
                    self.replay(id, &resume, out);
                } else {
                    socket.replay = Some(Replay {
                        at: now.plus(delay),
                        resume,
                        heartbeats: 0,
                    });
                }
            }
            (_, ClientFrame::Heartbeat) => match &mut socket.replay {
                Some(replay) => replay.heartbeats += 1,
                None => out.push(acknowledge(id)),
            },
            (_, ClientFrame::ToolResult(result)) => out.push(GatewayOutput::DeliverToolResult {
                operation: socket.operation.clone(),
                result,
            }),
            (_, ClientFrame::ToolConfirmation(answer)) => {
                let prompt = Prompt::Confirmation(answer.tool_call_id);
                let answer = GatewayAnswer::Confirmed(Some(answer.approved));
                self.answer(id, &prompt, answer, out);
            }
            (_, ClientFrame::UserInput(answer)) => {
                let prompt = Prompt::Input(answer.request_id);
                self.answer(
                    id,
                    &prompt,
                    GatewayAnswer::Entered(Some(answer.content)),
                    out,
                );
            }
            // `interrupt` is accepted and does nothing (#13815).
            (_, ClientFrame::Interrupt | ClientFrame::Unknown(_)) => {}
        }
    }

    /// A message that is no frame is ignored, but it is not silence.
    pub(super) fn on_noise(&mut self, now: Timestamp, id: SocketId) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.last_heard = now;
        }
    }

    fn on_auth(&mut self, now: Timestamp, id: SocketId, auth: &Auth, out: &mut Vec<GatewayOutput>) {
        // It would ask that server whose key this is.
        if auth.token_type == Some(TokenType::ApiKey) && auth.server_url.is_none() {
            return self.refuse(id, "Missing serverUrl for apiKey auth", out);
        }
        let (user, until) = match self.tokens.verify(&auth.token, now) {
            Ok(verdict) => verdict,
            Err(reason) => return self.refuse(id, &reason, out),
        };
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        let owner = self
            .operations
            .get(&socket.operation)
            .and_then(|operation| operation.user.as_ref());
        // Before init the socket is pending: whose the operation is will show.
        if owner.is_some_and(|owner| *owner != user) {
            return self.refuse(id, "userId mismatch", out);
        }
        socket.phase = Phase::Authenticated {
            user,
            expires: Some(until),
        };
        out.push(GatewayOutput::SendFrame {
            socket: id,
            frame: ServerFrame::AuthSuccess,
        });
    }

    fn replay(&mut self, id: SocketId, resume: &Resume, out: &mut Vec<GatewayOutput>) {
        let Some(socket) = self.sockets.get(&id) else {
            return;
        };
        let Some(operation) = self.operations.get(&socket.operation) else {
            return;
        };
        let frames = operation.replay(resume, self.config.dialect.resume);
        out.extend(frames.map(|frame| GatewayOutput::SendFrame {
            socket: id,
            frame: frame.clone(),
        }));
        let gap = operation.has_gap(resume);
        let status = operation.status.clone();
        if self.config.dialect.answers_resume && resume.want_status && status.is_some() {
            let frame = ServerFrame::ResumeComplete(Box::new(ResumeComplete { status, gap }));
            out.push(GatewayOutput::SendFrame { socket: id, frame });
        }
    }

    fn answer(
        &mut self,
        id: SocketId,
        prompt: &Prompt,
        answer: GatewayAnswer,
        out: &mut Vec<GatewayOutput>,
    ) {
        let Some(socket) = self.sockets.get(&id) else {
            return;
        };
        let waiting = self
            .operations
            .get_mut(&socket.operation)
            .and_then(|operation| operation.prompts.remove(prompt));
        if let Some(Waiting { ticket, .. }) = waiting {
            out.push(GatewayOutput::Answer { ticket, answer });
        }
    }

    pub(super) fn tick_socket(
        &mut self,
        now: Timestamp,
        id: SocketId,
        out: &mut Vec<GatewayOutput>,
    ) {
        let Some(socket) = self.sockets.get_mut(&id) else {
            return;
        };
        match &socket.phase {
            Phase::Open { deadline } if *deadline <= now => {
                return self.refuse(id, "Authentication timeout", out);
            }
            Phase::Authenticated {
                expires: Some(expires),
                ..
            } if self.config.dialect.announces_expiry && *expires <= now => {
                socket.expire(id, out);
            }
            Phase::Open { .. } | Phase::Authenticated { .. } | Phase::Expired { .. } => {}
        }
        if socket
            .replay
            .as_ref()
            .is_some_and(|replay| replay.at <= now)
            && let Some(replay) = socket.replay.take()
        {
            self.replay(id, &replay.resume, out);
            out.extend(iter::repeat_n(id, replay.heartbeats).map(acknowledge));
        }
        let silent = self
            .sockets
            .get(&id)
            .is_some_and(|socket| socket.last_heard.plus(self.config.heartbeat_timeout) <= now);
        if silent {
            self.close(id, CloseCode::NORMAL, "Heartbeat timeout", out);
        }
    }
}

fn acknowledge(socket: SocketId) -> GatewayOutput {
    GatewayOutput::SendFrame {
        socket,
        frame: ServerFrame::HeartbeatAck,
    }
}

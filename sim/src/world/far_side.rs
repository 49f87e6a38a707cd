//! The server is told something, and what it says is put on its way.

use agent_gateway_machine::{Close, DialId, RequestId};

use super::happening::{Happening, Message};
use super::link::dial_of;
use super::run::World;
use crate::api::ApiAnswer;
use crate::gateway::Ticket;
use crate::server::{ServerInput, ServerOutput};

impl World<'_> {
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
                ServerOutput::CountRestarted => self.counts.on_restarted(),
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
            let count = self.counts.of_gateway();
            self.queue
                .enter(at, Happening::Received(dial, count, message));
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
}

//! What happens when everything goes well, and how a history comes to its end (I16).

use agent_gateway_machine::{EventKind, Reply, Started, State, StatusReport};
use agent_gateway_protocol::{OperationStatus, RawJson};
use agent_gateway_sim::invariant::Violation;
use serde_json::json;

use super::{Asked, History, OPERATION, Stage, TOPIC, chunk};

impl History {
    /// I16: faults over, the server fair, the run over on the server: it ends within three minutes.
    pub(crate) fn finish(&mut self) -> Result<(), Violation> {
        if self.paused {
            self.pause()?;
        }
        if self.offline {
            self.change_network()?;
        }
        let until = self.now + 180_000;
        for _ in 0..10_000 {
            if self.is_settled() {
                return Ok(());
            }
            if self.owes_something() {
                self.serve_the_end()?;
                continue;
            }
            match self.alarm {
                Some(alarm) if alarm.as_millis() <= until => {
                    self.now = self.now.max(alarm.as_millis());
                    self.happen(EventKind::AlarmRang)?;
                }
                _ => break,
            }
        }
        Err(Violation {
            invariant: "I16",
            what: format!(
                "{} three minutes after the run was over",
                self.state.as_ref().map_or("gone", State::phase)
            ),
        })
    }

    fn owes_something(&self) -> bool {
        !self.requests.is_empty()
            || self
                .dial
                .is_some_and(|socket| socket.stage != Stage::Streaming)
    }

    /// A fair server whose run is over.
    fn serve_the_end(&mut self) -> Result<(), Violation> {
        if let Some((request, asked)) = self.requests.first().copied() {
            let reply = match asked {
                Asked::Status => Reply::Status(Some(StatusReport {
                    status: OperationStatus::Done,
                    error: None,
                })),
                _ => self.fair_reply(asked),
            };
            return self.happen(EventKind::ReplyReceived { request, reply });
        }
        if self
            .dial
            .is_some_and(|socket| socket.stage == Stage::Resuming)
        {
            return self.wire(&json!({ "type": "resume_complete", "status": "completed" }));
        }
        self.serve_socket()
    }

    /// What would happen next if everything went well.
    pub(super) fn act_fairly(&mut self, argument: u32) -> Result<(), Violation> {
        let socket_first = argument & 1 == 0;
        if socket_first
            && self
                .dial
                .is_some_and(|socket| socket.stage != Stage::Streaming)
        {
            return self.serve_socket();
        }
        if let Some((request, asked)) = self.requests.first().copied() {
            let reply = self.fair_reply(asked);
            return self.happen(EventKind::ReplyReceived { request, reply });
        }
        self.serve_socket()
    }

    fn serve_socket(&mut self) -> Result<(), Violation> {
        let Some(socket) = self.dial else {
            return self.ring(0);
        };
        match socket.stage {
            Stage::Dialing => self.happen(EventKind::ConnectionOpened { dial: socket.dial }),
            Stage::Authenticating => self.wire(&json!({ "type": "auth_success" })),
            Stage::Resuming => {
                self.wire(&json!({ "type": "resume_complete", "status": "running" }))
            }
            Stage::Streaming => self.frame(
                self.event(self.next_id, "stream_chunk", OPERATION, chunk()),
                1,
            ),
        }
    }

    pub(super) fn fair_reply(&mut self, asked: Asked) -> Reply {
        match asked {
            Asked::Start => Reply::Started(Box::new(Started {
                operation: OPERATION.into(),
                topic: Some(TOPIC.into()),
                agent: None,
                thread: None,
                assistant_message: None,
                user_message: None,
                token: Some(self.grant()),
            })),
            Asked::Token => Reply::TokenIssued(self.grant()),
            Asked::Interrupt => Reply::Interrupted { success: true },
            Asked::Status => Reply::Status(Some(StatusReport {
                status: OperationStatus::Running,
                error: None,
            })),
            Asked::Messages => Reply::Messages(RawJson::parse("[]").expect("JSON")),
            Asked::ReadMarker => Reply::Marker(Some(OPERATION.into())),
            Asked::Marker => Reply::MarkerCleared,
        }
    }
}

//! Histories: abstract actions become recorded events, each checked against every invariant.
//!
//! A history is a list of words. Each word is one action; what it means depends on what is outstanding when its turn
//! comes, so that most words do something that could really happen, and some do what never should.

use agent_gateway_machine::recording::{Header, Recording, Step};
use agent_gateway_machine::{
    Attach, Call, Close, Config, DialFailure, DialFailureKind, DialId, Effect, Event, EventKind,
    Execute, FrameProblem, Millis, Mutation, Network, Refusal, RefusalKind, Renewal, Reply,
    RequestFailure, RequestId, Started, State, StatusReport, Timestamp, TokenGrant, TokenId,
    TokenKind, ToolAnswer, transition,
};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::{CloseCode, GatewayUrl, OperationStatus, RawJson, ServerFrame};
use agent_gateway_sim::invariant::{Invariants, Observation, Violation};
use serde_json::json;

const OPERATION: &str = "op_1";
const TOPIC: &str = "tpc_1";

/// How a history begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    Execute,
    Attach,
}

impl Beginning {
    /// Its name in the command that repeats a history.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::Attach => "attach",
        }
    }
}

/// A history being made.
pub(crate) struct History {
    state: Option<State>,
    recording: Recording,
    invariants: Invariants,
    now: u64,
    alarm: Option<Timestamp>,
    dial: Option<Socket>,
    dials: u64,
    requests: Vec<(RequestId, Asked)>,
    request_count: u64,
    /// The next id of the server's counter, and how often that has started over.
    next_id: u64,
    server_epoch: u64,
    tokens: u64,
    paused: bool,
    offline: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Socket {
    dial: DialId,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Dialing,
    Authenticating,
    Resuming,
    Streaming,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Start,
    Token,
    Interrupt,
    Status,
    Messages,
    ReadMarker,
    Marker,
}

impl History {
    pub(crate) fn begin(
        beginning: Beginning,
        word: u32,
        mutation: Option<Mutation>,
    ) -> Result<Self, Violation> {
        let seed = u64::from(word);
        let config = Config::new(GatewayUrl::parse("wss://gateway.example").ok());
        let mut state = State::new(config.clone(), seed).expect("the config is valid");
        if let Some(mutation) = mutation {
            state = state.broken_by(mutation);
        }
        let mut history = Self {
            state: Some(state),
            recording: Recording {
                header: Header::new(config, seed),
                steps: Vec::new(),
            },
            invariants: Invariants::default(),
            now: 1_000,
            alarm: None,
            dial: None,
            dials: 0,
            requests: Vec::new(),
            request_count: 0,
            next_id: 1,
            server_epoch: 0,
            tokens: 0,
            paused: false,
            offline: false,
        };
        let token = history.grant_sometimes(word);
        let renewal = match word >> 3 & 7 {
            0 => Renewal::Never,
            1 => Renewal::Caller,
            _ => Renewal::Server,
        };
        let kind = match beginning {
            Beginning::Execute => {
                let mut execute = Execute::new(ExecAgent::default());
                execute.token = token;
                execute.renewal = renewal;
                execute.parent = (word & 64 != 0).then(|| "op_0".into());
                EventKind::Execute(Box::new(execute))
            }
            Beginning::Attach => {
                let topic = (word & 64 == 0).then(|| TOPIC.into());
                let mut attach = Attach::new(OPERATION.into(), topic);
                attach.token = token;
                attach.renewal = renewal;
                attach.executes_tools = word & 128 != 0;
                EventKind::Attach(Box::new(attach))
            }
        };
        history.happen(kind)?;
        Ok(history)
    }

    /// What has been fed to the machine, and what it answered.
    pub(crate) fn recording(&self) -> &Recording {
        &self.recording
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.state.as_ref().is_some_and(State::is_settled)
    }

    /// One action.
    pub(crate) fn act(&mut self, word: u32) -> Result<(), Violation> {
        let argument = word >> 6;
        match word & 63 {
            0..=13 => self.act_fairly(argument),
            14..=17 => self.frame(
                self.event(self.next_id, "stream_chunk", OPERATION, chunk()),
                1,
            ),
            // Replays: the same frame again.
            18..=19 => {
                let id = self
                    .next_id
                    .saturating_sub(u64::from(argument % 8) + 1)
                    .max(1);
                self.frame(self.event(id, "stream_chunk", OPERATION, chunk()), 0)
            }
            // Overtaking: a hole that may or may not be filled.
            20..=21 => {
                let ahead = u64::from(argument % 4) + 1;
                let frame = self.event(self.next_id + ahead, "stream_chunk", OPERATION, chunk());
                self.frame(frame, if argument & 64 != 0 { ahead + 1 } else { 0 })
            }
            22 => {
                self.next_id = 1;
                self.server_epoch += 1;
                self.frame(self.event(1, "step_start", OPERATION, json!({})), 1)
            }
            23 => self.end_event(argument),
            24 => self.sequenced("session_complete", &json!({ "summary": "" })),
            25 => {
                let status = status(argument).as_str().to_owned();
                self.sequenced("status_change", &json!({ "status": status }))
            }
            26..=27 => self.tool_event(argument),
            28 => self.odd_frame(argument),
            29 => self.auth_frame(argument),
            30 => {
                let status = status(argument).as_str().to_owned();
                let gap = argument & 16 != 0;
                self.wire(&json!({ "type": "resume_complete", "status": status, "gap": gap }))
            }
            31..=32 => self.lose_socket(argument),
            33 => self.fail_dial(argument),
            34..=35 => self.fail_request(argument),
            36 => self.answer_stale(argument),
            37..=43 => self.ring(argument),
            44..=46 => self.advance(u64::from(argument % 4_000)),
            47 => self.advance(u64::from(argument % 120_000)),
            48 => self.jump(argument),
            49..=50 => self.answer_tool(argument),
            51 => self.happen(EventKind::AnswerConfirmation {
                call: call(argument),
                approved: true,
            }),
            52 => self.happen(EventKind::AnswerInput {
                request: format!("input_{}", argument % 3).as_str().into(),
                content: "typed".into(),
            }),
            53 => self.happen(EventKind::Interrupt),
            54 => self.restore(argument),
            55 => self.pause(),
            56 => self.change_network(),
            57 => self.wire(&json!({ "type": "heartbeat_ack" })),
            58 => self.foreign_event(argument),
            59 => self.stale_dial(argument),
            60 if argument & 4 == 0 => self.repeat_a_fact(argument),
            60 => self.answer_wrongly(argument),
            61 if argument.is_multiple_of(4) => self.happen(EventKind::Stop),
            62 if argument.is_multiple_of(16) => self.happen(EventKind::Detach),
            63 if argument.is_multiple_of(16) => {
                let again = Execute::new(ExecAgent::default());
                self.happen(EventKind::Execute(Box::new(again)))
            }
            _ => self.act_fairly(argument),
        }
    }

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
    fn act_fairly(&mut self, argument: u32) -> Result<(), Violation> {
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

    fn fair_reply(&mut self, asked: Asked) -> Reply {
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

    fn end_event(&mut self, argument: u32) -> Result<(), Violation> {
        let (kind, data) = match argument % 12 {
            0 | 1 => ("agent_runtime_end", json!({ "reason": "done" })),
            2 => ("agent_runtime_end", json!({ "reason": "error" })),
            3 => ("agent_runtime_end", json!({ "reason": "interrupted" })),
            4 => (
                "agent_runtime_end",
                json!({ "reason": "waiting_for_human" }),
            ),
            5 | 6 => (
                "agent_runtime_end",
                json!({ "reason": "waiting_for_async_tool" }),
            ),
            7 => ("agent_runtime_end", json!(null)),
            8 => (
                "error",
                json!({ "message": "boom", "phase": "llm_execution" }),
            ),
            9 => (
                "error",
                json!({ "message": "boom", "phase": "tool_execution" }),
            ),
            10 => ("step_complete", json!({ "phase": "execution_complete" })),
            _ => ("visible_output_end", json!({})),
        };
        self.frame(self.event(self.next_id, kind, OPERATION, data), 1)
    }

    fn tool_event(&mut self, argument: u32) -> Result<(), Violation> {
        let id = call(argument).to_string();
        let (kind, data) = match argument >> 2 & 7 {
            0..=3 => (
                "tool_execute",
                json!({ "toolCallId": id, "identifier": "t", "apiName": "a", "arguments": "",
                        "executionTimeoutMs": i64::from(argument >> 5 & 0xFFFF) - 1 }),
            ),
            4 => ("tool_end", json!({ "toolCallId": id, "isSuccess": true })),
            5 => ("tool_result", json!({ "toolCallId": id, "content": "" })),
            6 => {
                return self.sequenced("tool_confirmation_request", &json!({ "toolCallId": id }));
            }
            _ => {
                let request = format!("input_{}", argument % 3);
                let body = json!({ "requestId": request, "prompt": "?" });
                return self.sequenced("input_request", &body);
            }
        };
        self.frame(self.event(self.next_id, kind, OPERATION, data), 1)
    }

    fn odd_frame(&mut self, argument: u32) -> Result<(), Violation> {
        match argument % 8 {
            0 => self.sequenced("from_the_future", &json!({ "x": 1 })),
            1 => self.wire(&json!({ "type": "unheard_of" })),
            2 => self.frame(
                json!({ "type": "agent_event",
                "event": { "type": "stream_chunk", "data": chunk() } }),
                0,
            ),
            3 => self.frame(
                json!({ "type": "agent_event", "id": "abc",
                "event": { "type": "stream_chunk", "data": chunk() } }),
                0,
            ),
            4 => self.frame(self.event(u64::MAX, "stream_chunk", OPERATION, chunk()), 0),
            5 => self.frame(self.event(0, "stream_chunk", OPERATION, chunk()), 0),
            6 => match self.dial {
                Some(Socket { dial, .. }) => self.happen(EventKind::FrameArriving { dial }),
                None => Ok(()),
            },
            _ => {
                let problem = if argument & 8 == 0 {
                    FrameProblem::Malformed
                } else {
                    FrameProblem::Binary
                };
                match self.dial {
                    Some(Socket { dial, .. }) => {
                        self.happen(EventKind::FrameRejected { dial, problem })
                    }
                    None => Ok(()),
                }
            }
        }
    }

    fn auth_frame(&mut self, argument: u32) -> Result<(), Violation> {
        let reason = match argument % 8 {
            0..=3 => return self.wire(&json!({ "type": "auth_expired" })),
            4 => return self.wire(&json!({ "type": "auth_success" })),
            5 => "Authentication timeout",
            6 => "\"nbf\" claim timestamp check failed",
            _ if argument & 64 == 0 => return Ok(()),
            _ => "userId mismatch",
        };
        self.wire(&json!({ "type": "auth_failed", "reason": reason }))
    }

    fn foreign_event(&mut self, argument: u32) -> Result<(), Violation> {
        let kind = if argument & 1 == 0 {
            "agent_runtime_end"
        } else {
            "stream_chunk"
        };
        self.frame(self.event(self.next_id, kind, "op_2", json!({})), 1)
    }

    fn lose_socket(&mut self, argument: u32) -> Result<(), Violation> {
        let Some(Socket { dial, .. }) = self.dial else {
            return Ok(());
        };
        let code = |code| Close::Closed {
            code: Some(CloseCode(code)),
            reason: "".into(),
        };
        let close = match argument % 8 {
            0..=3 => Close::Lost {
                text: "reset".into(),
            },
            4 => code(1000),
            5 => code(1012),
            6 if argument & 64 != 0 => code(1008),
            7 if argument & 64 != 0 => Close::Violation {
                text: "too large".into(),
            },
            _ => code(4000),
        };
        self.dial = None;
        self.happen(EventKind::ConnectionClosed { dial, close })
    }

    fn fail_dial(&mut self, argument: u32) -> Result<(), Violation> {
        let Some(Socket {
            dial,
            stage: Stage::Dialing,
        }) = self.dial
        else {
            return Ok(());
        };
        let kind = match argument % 8 {
            0..=3 => DialFailureKind::Unreachable,
            4 => DialFailureKind::Http(503),
            5 => DialFailureKind::Protocol,
            6 if argument & 64 != 0 => DialFailureKind::Http(404),
            7 if argument & 64 != 0 => DialFailureKind::TlsIdentity,
            _ => DialFailureKind::Tls,
        };
        self.dial = None;
        let text = "refused".into();
        let failure = DialFailure { kind, text };
        self.happen(EventKind::DialFailed { dial, failure })
    }

    fn fail_request(&mut self, argument: u32) -> Result<(), Violation> {
        let Some((request, asked)) = self.pick_request(argument) else {
            return Ok(());
        };
        let refused = |kind| {
            RequestFailure::Refused(Refusal {
                kind,
                status: 400,
                retry_after: None,
                message: "no".into(),
                path: None,
            })
        };
        if asked == Asked::ReadMarker && argument & 128 != 0 {
            let reply = Reply::Marker((argument & 256 != 0).then(|| "op_2".into()));
            return self.happen(EventKind::ReplyReceived { request, reply });
        }
        let failure = match argument >> 2 & 7 {
            0 => RequestFailure::Unreachable { text: "no".into() },
            1 | 2 => RequestFailure::Lost { text: "cut".into() },
            3 => RequestFailure::Unreadable {
                status: 502,
                retry_after: Some(Millis(u64::from(argument) << 8)),
                text: "<html>".into(),
            },
            4 => refused(RefusalKind::UnknownProcedure),
            5 => refused(RefusalKind::Other),
            6 => refused(RefusalKind::NotFound),
            _ if asked == Asked::Status => {
                let reply = Reply::Status(None);
                return self.happen(EventKind::ReplyReceived { request, reply });
            }
            _ => refused(RefusalKind::Unauthorized),
        };
        let reply = Reply::Failed(failure);
        self.happen(EventKind::ReplyReceived { request, reply })
    }

    /// An answer to what was never asked, or was answered or given up before.
    fn answer_stale(&mut self, argument: u32) -> Result<(), Violation> {
        let request = RequestId(u64::from(argument) % (self.request_count + 2));
        if self.requests.iter().any(|(other, _)| *other == request) {
            return Ok(());
        }
        let reply = self.fair_reply(match argument % 5 {
            0 => Asked::Start,
            1 => Asked::Token,
            2 => Asked::Status,
            3 => Asked::Interrupt,
            _ => Asked::Marker,
        });
        self.happen(EventKind::ReplyReceived { request, reply })
    }

    /// What the hands said before, said again.
    fn repeat_a_fact(&mut self, argument: u32) -> Result<(), Violation> {
        match self.dial {
            Some(Socket { dial, stage }) if stage != Stage::Dialing && argument & 1 == 0 => {
                self.happen(EventKind::ConnectionOpened { dial })
            }
            _ if self.paused => self.happen(EventKind::ReadingPaused),
            _ => self.happen(EventKind::ReadingResumed),
        }
    }

    /// An answer of another kind than was asked for.
    fn answer_wrongly(&mut self, argument: u32) -> Result<(), Violation> {
        let Some((request, asked)) = self.pick_request(argument) else {
            return Ok(());
        };
        let other = if asked == Asked::Marker {
            Asked::Messages
        } else {
            Asked::Marker
        };
        let reply = self.fair_reply(other);
        self.happen(EventKind::ReplyReceived { request, reply })
    }

    fn stale_dial(&mut self, argument: u32) -> Result<(), Violation> {
        let dial = DialId(u64::from(argument >> 2) % (self.dials + 2));
        if self.dial.is_some_and(|socket| socket.dial == dial) {
            return Ok(());
        }
        self.happen(match argument % 4 {
            0 => EventKind::ConnectionOpened { dial },
            1 => EventKind::FrameReceived {
                dial,
                frame: ServerFrame::AuthExpired,
            },
            2 => EventKind::FrameReceived {
                dial,
                frame: ServerFrame::AuthSuccess,
            },
            _ => EventKind::ConnectionClosed {
                dial,
                close: Close::Lost { text: "".into() },
            },
        })
    }

    /// The alarm, on time, early, late, or for no reason at all.
    fn ring(&mut self, argument: u32) -> Result<(), Violation> {
        match (argument % 16, self.alarm) {
            (0..=11, Some(alarm)) => self.now = self.now.max(alarm.as_millis()),
            (12..=13, Some(alarm)) => {
                self.now = self.now.max(alarm.as_millis()) + u64::from(argument % 300_000);
            }
            (14, Some(_)) => self.now += u64::from(argument % 100),
            _ => {}
        }
        self.happen(EventKind::AlarmRang)
    }

    fn advance(&mut self, millis: u64) -> Result<(), Violation> {
        self.now += millis;
        match self.alarm {
            Some(alarm) if alarm.as_millis() <= self.now => self.happen(EventKind::AlarmRang),
            _ => Ok(()),
        }
    }

    fn jump(&mut self, argument: u32) -> Result<(), Violation> {
        if argument & 1 == 0 {
            self.now += u64::from(argument) * 1_000;
        } else {
            // A clock that goes back counts as one that stands still.
            self.now = self.now.saturating_sub(u64::from(argument % 10_000));
        }
        self.happen(EventKind::AlarmRang)
    }

    fn answer_tool(&mut self, argument: u32) -> Result<(), Violation> {
        self.happen(EventKind::AnswerTool {
            call: call(argument),
            answer: ToolAnswer::success(format!("answer {argument}")),
        })
    }

    /// The state is stored, and woken by other hands with another clock.
    fn restore(&mut self, argument: u32) -> Result<(), Violation> {
        let state = self
            .state
            .take()
            .expect("between two steps there is a state");
        let stored = serde_json::to_string(&state).expect("a state can be written");
        let woken: State = serde_json::from_str(&stored).expect("and read");
        assert_eq!(woken, state, "a stored state comes back equal");
        self.state = Some(woken);
        self.now = u64::from(argument % 1_000_000);
        self.dial = None;
        self.requests.clear();
        self.alarm = None;
        self.paused = false;
        self.offline = false;
        let token = self.grant_sometimes(argument >> 3);
        self.happen(EventKind::Restored { token })
    }

    fn pause(&mut self) -> Result<(), Violation> {
        self.paused = !self.paused;
        self.happen(if self.paused {
            EventKind::ReadingPaused
        } else {
            EventKind::ReadingResumed
        })
    }

    fn change_network(&mut self) -> Result<(), Violation> {
        self.offline = !self.offline;
        self.happen(EventKind::NetworkChanged(if self.offline {
            Network::Offline
        } else {
            Network::Online
        }))
    }

    fn sequenced(&mut self, kind: &str, body: &serde_json::Value) -> Result<(), Violation> {
        let mut frame = body.clone();
        frame["type"] = kind.into();
        frame["id"] = self.next_id.to_string().into();
        self.frame(frame, 1)
    }

    /// An event of the server's at this place of its counter: the same place gives the same event.
    fn event(
        &self,
        id: u64,
        kind: &str,
        operation: &str,
        data: serde_json::Value,
    ) -> serde_json::Value {
        let timestamp = self.server_epoch * 1_000_000 + id.min(999_999);
        json!({ "type": "agent_event", "id": id.to_string(), "event": {
            "data": data, "operationId": operation, "stepIndex": 0, "timestamp": timestamp,
            "type": kind } })
    }

    /// Sends a frame of the sequence if there is a socket to send it on; the counter goes on by `places`.
    fn frame(&mut self, frame: serde_json::Value, places: u64) -> Result<(), Violation> {
        let streams = self
            .dial
            .is_some_and(|socket| matches!(socket.stage, Stage::Resuming | Stage::Streaming));
        if !streams {
            return Ok(());
        }
        self.next_id = self.next_id.saturating_add(places);
        self.wire(&frame)
    }

    fn wire(&mut self, frame: &serde_json::Value) -> Result<(), Violation> {
        let Some(Socket { dial, stage }) = self.dial else {
            return Ok(());
        };
        if stage == Stage::Dialing {
            return Ok(());
        }
        let frame = ServerFrame::decode(&frame.to_string()).expect("the frame is well formed");
        if let (
            ServerFrame::ResumeComplete(_),
            Some(
                socket @ Socket {
                    stage: Stage::Resuming,
                    ..
                },
            ),
        ) = (&frame, &mut self.dial)
        {
            socket.stage = Stage::Streaming;
        }
        self.happen(EventKind::FrameReceived { dial, frame })
    }

    fn pick_request(&self, argument: u32) -> Option<(RequestId, Asked)> {
        let count = self.requests.len();
        (count > 0).then(|| self.requests[argument as usize % count])
    }

    fn grant(&mut self) -> TokenGrant {
        self.tokens += 1;
        TokenGrant {
            id: TokenId(self.tokens),
            kind: TokenKind::Jwt,
            lifetime: Some(Millis::seconds(300)),
        }
    }

    fn grant_sometimes(&mut self, word: u32) -> Option<TokenGrant> {
        match word & 7 {
            0..=2 => None,
            3 => {
                let mut grant = self.grant();
                grant.kind = TokenKind::ApiKey;
                Some(grant)
            }
            _ => Some(self.grant()),
        }
    }

    fn happen(&mut self, kind: EventKind) -> Result<(), Violation> {
        if let EventKind::ReplyReceived { request, .. } = &kind {
            self.requests.retain(|(other, _)| other != request);
        }
        let event = Event::new(Timestamp::from_millis(self.now), kind);
        let rings = event.kind == EventKind::AlarmRang;
        let state = self
            .state
            .take()
            .expect("between two steps there is a state");
        let (state, effects) = transition(state, event.clone());
        if rings {
            self.alarm = None;
        }
        for effect in &effects {
            self.perform(effect);
        }
        let observed = self.invariants.observe(&Observation {
            event: &event,
            effects: &effects,
            state: &state,
        });
        self.recording.steps.push(Step { event, effects });
        self.state = Some(state);
        observed
    }

    fn perform(&mut self, effect: &Effect) {
        match effect {
            Effect::OpenConnection { dial, .. } => {
                self.dials = dial.0;
                self.dial = Some(Socket {
                    dial: *dial,
                    stage: Stage::Dialing,
                });
            }
            Effect::CloseConnection { dial, .. } => {
                self.dial = self.dial.filter(|socket| socket.dial != *dial);
            }
            Effect::SendFrame { frame, .. } => {
                if let Some(socket) = &mut self.dial {
                    match frame {
                        agent_gateway_protocol::ClientFrame::Auth(_) => {
                            socket.stage = Stage::Authenticating;
                        }
                        agent_gateway_protocol::ClientFrame::Resume(_) => {
                            socket.stage = Stage::Resuming;
                        }
                        _ => {}
                    }
                }
            }
            Effect::SendRequest { request, call } => {
                self.request_count = request.0;
                self.requests.push((*request, asked(call)));
            }
            Effect::CancelRequest { request } => {
                self.requests.retain(|(other, _)| other != request);
            }
            Effect::SetAlarm(alarm) => self.alarm = alarm.map(|alarm| alarm.at),
            Effect::Notify(_) | Effect::Ignored(_) => {}
        }
    }
}

fn asked(call: &Call) -> Asked {
    match call {
        Call::StartRun(_) => Asked::Start,
        Call::RefreshToken { .. } | Call::MintToken => Asked::Token,
        Call::InterruptRun { .. } => Asked::Interrupt,
        Call::AskStatus { .. } => Asked::Status,
        Call::FetchMessages(_) => Asked::Messages,
        Call::ReadMarker { .. } => Asked::ReadMarker,
        Call::SettleMarker { .. } | Call::ClearMarker { .. } => Asked::Marker,
    }
}

fn call(argument: u32) -> agent_gateway_protocol::ToolCallId {
    format!("call_{}", argument % 4).as_str().into()
}

fn chunk() -> serde_json::Value {
    json!({ "chunkType": "text", "content": "x" })
}

fn status(argument: u32) -> OperationStatus {
    OperationStatus::parse(match argument % 16 {
        0 => "completed",
        1 => "error",
        2 => "interrupted",
        3 => "waiting_for_async_tool",
        _ => "running",
    })
}

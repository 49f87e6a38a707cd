//! Against a gateway that does all it promises: with no gap told, what is handed on is exactly the server's (I6), its
//! end comes after everything before it (I10), and every answer to a tool call arrives (T3).
//!
//! The gateway here numbers its frames, keeps them all, sends live frames at once, answers `resume` with a replay and,
//! unless it is an old one, `resume_complete`, and interleaves live and replayed frames as it likes. Sockets are cut, or die half-open without a word; tokens
//! expire; answers over HTTP always come.

use std::collections::{BTreeSet, VecDeque};

use agent_gateway_machine::{
    Call, Close, Config, DialId, Effect, Effects, Event, EventKind, Execute, Millis, Notification,
    Outcome, Reply, RequestId, Started, State, StatusReport, Timestamp, TokenGrant, TokenId,
    TokenKind, ToolAnswer, transition,
};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::{
    ClientFrame, EventId, GatewayUrl, OperationStatus, RawJson, ServerFrame, ToolCallId,
};
use agent_gateway_sim::invariant::{Invariants, Observation, Violation};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Dialing,
    Opened,
    AuthSent,
    Authenticated,
}

/// One session with the gateway.
pub(crate) struct Session {
    state: Option<State>,
    invariants: Invariants,
    now: u64,
    alarm: Option<u64>,
    socket: Option<Socket>,
    requests: VecDeque<(RequestId, Call)>,
    tokens: u64,
    /// All frames the gateway has numbered, in order.
    log: Vec<Value>,
    awaited: BTreeSet<ToolCallId>,
    to_answer: VecDeque<ToolCallId>,
    ended: bool,
    handed_on: Vec<u64>,
    outcome: Option<Outcome>,
    /// Older gateways do not say when a replay is over.
    answers_resume: bool,
    /// Whether the last thing told before the end was a gap.
    ends_with_gap: bool,
    /// Prints each step.
    tells: bool,
}

struct Socket {
    dial: DialId,
    stage: Stage,
    half_open: bool,
    live: VecDeque<Value>,
    replay: VecDeque<Value>,
}

impl Session {
    /// Lives through the words, then to the end; what is wrong, if anything is.
    pub(crate) fn live(words: &[u32]) -> Result<(), String> {
        let state = State::new(Self::config(), 1).expect("the config is valid");
        Self::live_in(state, words).map_err(|violation| violation.to_string())
    }

    /// No budget is ever spent: nothing but the server ends the run.
    pub(crate) fn config() -> Config {
        let mut config = Config::new(GatewayUrl::parse("wss://gateway.example").ok());
        config.limits.start_deadline = Millis::seconds(86_400);
        config.limits.first_attempts = u32::MAX;
        config.limits.refresh_tries = u32::MAX;
        config.limits.refused_tokens = u32::MAX;
        config
    }

    /// The same, in a state that may be a broken machine's.
    pub(crate) fn live_in(state: State, words: &[u32]) -> Result<(), Violation> {
        let mut session = Self::begin(state)?;
        let (first, rest) = words.split_first().expect("there are words");
        session.answers_resume = first & 1 == 0;
        for word in rest {
            session.act(*word)?;
        }
        session.finish()
    }

    fn begin(state: State) -> Result<Self, Violation> {
        let mut session = Self {
            state: Some(state),
            invariants: Invariants::default(),
            now: 0,
            alarm: None,
            socket: None,
            requests: VecDeque::new(),
            tokens: 0,
            log: Vec::new(),
            awaited: BTreeSet::new(),
            to_answer: VecDeque::new(),
            ended: false,
            handed_on: Vec::new(),
            outcome: None,
            answers_resume: true,
            ends_with_gap: false,
            tells: std::env::var_os("AGW_HISTORY").is_some(),
        };
        let execute = Execute::new(ExecAgent::default());
        session.happen(EventKind::Execute(Box::new(execute)))?;
        Ok(session)
    }

    fn act(&mut self, word: u32) -> Result<(), Violation> {
        let argument = word >> 4;
        match word & 15 {
            0..=2 => self.produce(argument),
            3..=8 => return self.deliver(argument),
            9 => return self.answer(),
            10 => return self.cut(),
            11 => self.go_half_open(argument),
            12 if argument.is_multiple_of(4) => return self.expire(),
            13 => return self.advance(u64::from(argument % 3_000)),
            14 => return self.advance(u64::from(argument % 40_000)),
            _ => return self.serve(),
        }
        Ok(())
    }

    /// Faults over: everything comes through, the run finishes, and it all fits together.
    fn finish(&mut self) -> Result<(), Violation> {
        if self.socket.as_ref().is_some_and(|socket| socket.half_open) {
            self.cut()?;
        }
        let until = self.now + 180_000;
        for _ in 0..100_000 {
            if self.state().is_settled() {
                return self.judge();
            }
            if !self.to_answer.is_empty() {
                self.answer()?;
            } else if self.awaited.is_empty() && !self.ended {
                self.end();
            } else if self.has_frames() {
                self.deliver(0)?;
            } else if self.owes_something() {
                self.serve()?;
            } else if self.alarm.is_some_and(|alarm| alarm <= until) {
                self.ring()?;
            } else {
                break;
            }
        }
        Err(Violation {
            invariant: "I16",
            what: format!(
                "the run did not end; the server waits for {:?}",
                self.awaited
            ),
        })
    }

    fn judge(&mut self) -> Result<(), Violation> {
        let mut events: Vec<u64> = (1..)
            .zip(&self.log)
            .filter(|(_, frame)| frame["type"] == "agent_event")
            .map(|(id, _)| id)
            .collect();
        // An end that only the server's status told: the last frames may be missing, and that was said.
        if self.ends_with_gap {
            events.truncate(self.handed_on.len());
        }
        if self.state().receipt().gaps > u64::from(self.ends_with_gap) {
            return Err(Violation {
                invariant: "I6",
                what: "a gap was told, and the gateway had kept everything".into(),
            });
        }
        if self.handed_on != events {
            return Err(Violation {
                invariant: "I6",
                what: format!("handed on {:?}, not {events:?}", self.handed_on),
            });
        }
        if self.outcome != Some(Outcome::Completed) {
            return Err(Violation {
                invariant: "I10",
                what: format!("ended as {:?}", self.outcome),
            });
        }
        Ok(())
    }

    /// The run goes on on the server.
    fn produce(&mut self, argument: u32) {
        if self.ended {
            return;
        }
        let call = ToolCallId::from(format!("call_{}", self.log.len()).as_str());
        match argument % 8 {
            0 => {
                self.push_event(
                    "tool_execute",
                    &json!({ "toolCallId": call.as_str(),
                    "identifier": "t", "apiName": "a", "arguments": "{}",
                    "executionTimeoutMs": 800_000 }),
                );
                self.awaited.insert(call);
            }
            1 => self.push(json!({ "type": "status_change", "status": "running" })),
            _ => self.push_event(
                "stream_chunk",
                &json!({ "chunkType": "text", "content": "x" }),
            ),
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.push_event("agent_runtime_end", &json!({ "reason": "done" }));
        self.push(json!({ "type": "session_complete", "summary": "" }));
    }

    fn push_event(&mut self, kind: &str, data: &Value) {
        let timestamp = self.log.len();
        self.push(
            json!({ "type": "agent_event", "event": { "type": kind, "data": data,
            "operationId": "op_1", "stepIndex": 0, "timestamp": timestamp } }),
        );
    }

    /// Numbers a frame, keeps it, and sends it live if anybody listens.
    fn push(&mut self, mut frame: Value) {
        frame["id"] = (self.log.len() + 1).to_string().into();
        self.log.push(frame.clone());
        if let Some(socket) = &mut self.socket
            && socket.stage == Stage::Authenticated
            && !socket.half_open
        {
            socket.live.push_back(frame);
        }
    }

    /// The network carries one frame, of the live ones or of the replay.
    fn deliver(&mut self, argument: u32) -> Result<(), Violation> {
        let Some(socket) = self.socket.as_mut().filter(|socket| !socket.half_open) else {
            return Ok(());
        };
        let live_first = argument & 1 == 1;
        let frame = if live_first {
            socket
                .live
                .pop_front()
                .or_else(|| socket.replay.pop_front())
        } else {
            socket
                .replay
                .pop_front()
                .or_else(|| socket.live.pop_front())
        };
        match frame {
            Some(frame) => self.send(&frame),
            None => Ok(()),
        }
    }

    /// The client's hands and the server do what is due: open, authenticate, answer requests.
    fn serve(&mut self) -> Result<(), Violation> {
        if let Some((request, call)) = self.requests.pop_front() {
            let reply = self.reply(&call);
            return self.happen(EventKind::ReplyReceived { request, reply });
        }
        let Some(socket) = &mut self.socket else {
            return self.ring();
        };
        let dial = socket.dial;
        match socket.stage {
            Stage::Dialing => {
                socket.stage = Stage::Opened;
                self.happen(EventKind::ConnectionOpened { dial })
            }
            Stage::AuthSent => {
                socket.stage = Stage::Authenticated;
                self.send(&json!({ "type": "auth_success" }))
            }
            Stage::Opened | Stage::Authenticated => Ok(()),
        }
    }

    fn reply(&mut self, call: &Call) -> Reply {
        match call {
            Call::StartRun(_) => Reply::Started(Box::new(Started {
                operation: "op_1".into(),
                topic: Some("tpc_1".into()),
                agent: None,
                thread: None,
                assistant_message: None,
                user_message: None,
                token: Some(self.grant()),
            })),
            Call::RefreshToken { .. } | Call::MintToken => Reply::TokenIssued(self.grant()),
            Call::InterruptRun { .. } => Reply::Interrupted { success: true },
            Call::AskStatus { .. } => Reply::Status(Some(StatusReport {
                status: if self.ended {
                    OperationStatus::Done
                } else {
                    OperationStatus::Running
                },
                error: None,
            })),
            Call::FetchMessages(_) => Reply::Messages(RawJson::null()),
            Call::ReadMarker { .. } => Reply::Marker(Some("op_1".into())),
            Call::SettleMarker { .. } | Call::ClearMarker { .. } => Reply::MarkerCleared,
        }
    }

    /// The caller answers one tool call.
    fn answer(&mut self) -> Result<(), Violation> {
        match self.to_answer.pop_front() {
            Some(call) => self.happen(EventKind::AnswerTool {
                call,
                answer: ToolAnswer::success("done").into(),
            }),
            None => Ok(()),
        }
    }

    fn cut(&mut self) -> Result<(), Violation> {
        match self.socket.take() {
            Some(Socket { dial, .. }) => self.happen(EventKind::ConnectionClosed {
                dial,
                close: Close::Lost { text: "cut".into() },
            }),
            None => Ok(()),
        }
    }

    fn go_half_open(&mut self, argument: u32) {
        if let Some(socket) = &mut self.socket {
            socket.half_open |= argument.is_multiple_of(4);
        }
    }

    fn expire(&mut self) -> Result<(), Violation> {
        match &self.socket {
            Some(socket) if socket.stage == Stage::Authenticated && !socket.half_open => {
                self.send(&json!({ "type": "auth_expired" }))
            }
            _ => Ok(()),
        }
    }

    /// Time passes. What is on the network takes up to three seconds: longer than a seam's quiet, shorter than the
    /// answer to a probe may take.
    fn advance(&mut self, millis: u64) -> Result<(), Violation> {
        if self.has_frames() && self.socket.as_ref().is_some_and(|socket| !socket.half_open) {
            self.pass_time(millis.min(3_000))?;
            while self.has_frames() {
                self.deliver(1)?;
            }
        }
        self.pass_time(millis)
    }

    fn pass_time(&mut self, millis: u64) -> Result<(), Violation> {
        let until = self.now + millis;
        while let Some(alarm) = self.alarm.filter(|alarm| *alarm <= until) {
            self.now = self.now.max(alarm);
            self.happen(EventKind::AlarmRang)?;
        }
        self.now = until;
        Ok(())
    }

    fn ring(&mut self) -> Result<(), Violation> {
        self.now = self.now.max(self.alarm.unwrap_or(self.now));
        self.happen(EventKind::AlarmRang)
    }

    fn send(&mut self, frame: &Value) -> Result<(), Violation> {
        let Some(Socket { dial, .. }) = self.socket else {
            return Ok(());
        };
        let frame = ServerFrame::decode(&frame.to_string()).expect("well formed");
        self.happen(EventKind::FrameReceived { dial, frame })
    }

    fn grant(&mut self) -> TokenGrant {
        self.tokens += 1;
        TokenGrant {
            id: TokenId(self.tokens),
            kind: TokenKind::Jwt,
            lifetime: Some(Millis::seconds(300)),
        }
    }

    fn state(&self) -> &State {
        self.state
            .as_ref()
            .expect("between two steps there is a state")
    }

    fn has_frames(&self) -> bool {
        self.socket
            .as_ref()
            .is_some_and(|socket| !socket.live.is_empty() || !socket.replay.is_empty())
    }

    fn owes_something(&self) -> bool {
        let waits = |socket: &Socket| matches!(socket.stage, Stage::Dialing | Stage::AuthSent);
        !self.requests.is_empty() || self.socket.as_ref().is_some_and(waits)
    }

    fn happen(&mut self, kind: EventKind) -> Result<(), Violation> {
        if kind == EventKind::AlarmRang {
            self.alarm = None;
        }
        let event = Event::new(Timestamp::from_millis(self.now), kind);
        let state = self
            .state
            .take()
            .expect("between two steps there is a state");
        let (state, effects) = transition(state, event.clone());
        let observed = self.invariants.observe(&Observation {
            event: &event,
            effects: &effects,
            state: &state,
        });
        self.state = Some(state);
        if self.tells {
            println!("{} {:?}", event.at, event.kind);
        }
        self.ends_with_gap |= ends_with_gap(&effects);
        for effect in effects {
            if self.tells {
                println!("    {effect:?}");
            }
            self.perform(effect);
        }
        observed
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::OpenConnection { dial, .. } => self.socket = Some(Socket::new(dial)),
            Effect::CloseConnection { .. } => self.socket = None,
            Effect::SendFrame { frame, .. } => self.receive(frame),
            Effect::SendRequest { request, call } => self.requests.push_back((request, call)),
            Effect::CancelRequest { request } => {
                self.requests.retain(|(other, _)| *other != request);
            }
            Effect::SetAlarm(alarm) => self.alarm = alarm.map(|alarm| alarm.at.as_millis()),
            Effect::Notify(notification) => self.note(notification),
            Effect::Ignored(_) => {}
        }
    }

    /// The gateway gets a frame, unless it went into a socket that is half-open.
    fn receive(&mut self, frame: ClientFrame<TokenId>) {
        let Some(socket) = self.socket.as_mut().filter(|socket| !socket.half_open) else {
            return;
        };
        match frame {
            ClientFrame::Auth(_) => socket.stage = Stage::AuthSent,
            ClientFrame::Resume(resume) => {
                let after = match resume.last_event_id {
                    Some(EventId::Number(number)) => usize::try_from(number).expect("small"),
                    _ => 0,
                };
                socket.replay.extend(self.log.iter().skip(after).cloned());
                if self.answers_resume {
                    let status = if self.ended { "completed" } else { "running" };
                    let complete = json!({ "type": "resume_complete", "status": status });
                    socket.replay.push_back(complete);
                }
            }
            ClientFrame::Heartbeat => {
                // Answered in its turn: after the replay that was asked for before it.
                socket.replay.push_back(json!({ "type": "heartbeat_ack" }));
            }
            ClientFrame::ToolResult(result) => {
                let call = result.tool_call_id;
                let is_first = self.awaited.remove(&call);
                if is_first {
                    self.push_event("tool_end", &json!({ "toolCallId": call.as_str() }));
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, notification: Notification) {
        match notification {
            Notification::EventReceived(received) => {
                if let Some(EventId::Number(number)) = received.cursor.id {
                    self.handed_on.push(number);
                }
            }
            Notification::ToolRequested { call, .. } => {
                self.to_answer.push_back(call.tool_call_id);
            }
            Notification::RunEnded { outcome, .. } => self.outcome = Some(outcome),
            _ => {}
        }
    }
}

impl Socket {
    fn new(dial: DialId) -> Self {
        Self {
            dial,
            stage: Stage::Dialing,
            half_open: false,
            live: VecDeque::new(),
            replay: VecDeque::new(),
        }
    }
}

/// Whether a run ended in these effects, and all that is missing is what came last.
fn ends_with_gap(effects: &Effects) -> bool {
    let gap = |effect: &Effect| {
        matches!(
            effect,
            Effect::Notify(Notification::GapFound { before: None, .. })
        )
    };
    let end = |effect: &Effect| matches!(effect, Effect::Notify(Notification::RunEnded { .. }));
    effects.iter().any(gap) && effects.iter().any(end)
}

//! One run on a stage: events at virtual times go in, what the machine wants done comes out as lines.
//!
//! Frames are given as the wire has them. After every step the stage checks, whatever the test is about, that
//!
//! - the state can be written, read back equal, and goes on with the same effects;
//! - the invariants hold;
//! - a ring for no reason, a reply and a frame nobody waits for change nothing;
//! - the state can be woken elsewhere, twice, on a clock that reads nothing or very much.

use std::collections::BTreeMap;

use agent_gateway_machine::{
    Attach, Call, Close, Config, DialFailure, DialFailureKind, DialId, Effect, Effects, Event,
    EventKind, Execute, FrameProblem, Ignored, Limits, Millis, Network, Outcome, Refusal,
    RefusalKind, Reply, RequestFailure, RequestId, Started, State, StatusReport, Timer, Timestamp,
    TokenGrant, TokenId, TokenKind, ToolAnswer, transition,
};
use agent_gateway_protocol::api::{AppContext, ExecAgent};
use agent_gateway_protocol::{CloseCode, GatewayUrl, OperationStatus, ServerFrame};
use agent_gateway_sim::invariant::{Invariants, Observation};
use agent_gateway_sim::trace::effects_text;
use serde_json::{Value, json};

pub(crate) const AUTH_SUCCESS: &str = r#"{"type":"auth_success"}"#;
pub(crate) const AUTH_EXPIRED: &str = r#"{"type":"auth_expired"}"#;
pub(crate) const HEARTBEAT_ACK: &str = r#"{"type":"heartbeat_ack"}"#;

/// One run and its surroundings.
#[derive(Clone)]
pub(crate) struct Stage {
    state: State,
    invariants: Invariants,
    now: u64,
    alarm: Option<(u64, Timer)>,
    /// The dial made last.
    dial: u64,
    /// The request made last, by the name of its call.
    requests: BTreeMap<&'static str, RequestId>,
    tokens: u64,
    /// What the last step wanted done, word for word.
    pub(crate) effects: Effects,
}

/// How a run gets onto the stage.
impl Stage {
    pub(crate) fn idle() -> Self {
        Self::with(|_| {})
    }

    /// Idle, with other numbers.
    pub(crate) fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut config = Config::new(GatewayUrl::parse("wss://gateway.example").ok());
        change(&mut config.limits);
        Self::configured(config)
    }

    pub(crate) fn configured(config: Config) -> Self {
        Self {
            state: State::new(config, 1).expect("the config is valid"),
            invariants: Invariants::default(),
            now: 0,
            alarm: None,
            dial: 0,
            requests: BTreeMap::new(),
            tokens: 0,
            effects: Effects::new(),
        }
    }

    /// `execAgent` is in flight.
    pub(crate) fn starting() -> Self {
        Self::idle().executed()
    }

    /// The server has started the run, and the first dial is under way.
    pub(crate) fn dialing() -> Self {
        Self::starting().started()
    }

    /// Authenticated; `resume` is sent and not answered.
    pub(crate) fn in_seam() -> Self {
        Self::dialing().authenticated()
    }

    /// The seam is over, the run goes on.
    pub(crate) fn connected() -> Self {
        Self::in_seam().resumed()
    }

    /// The same, with other limits.
    pub(crate) fn connected_with(change: impl FnOnce(&mut Limits)) -> Self {
        Self::with(change)
            .executed()
            .started()
            .authenticated()
            .resumed()
    }

    /// Connected, with frames 1 to `last` passed.
    pub(crate) fn streamed(last: u64) -> Self {
        let mut stage = Self::connected();
        for id in 1..=last {
            stage.wire(&chunk(id));
        }
        stage
    }

    /// Attached from the beginning: the token is being fetched.
    pub(crate) fn attaching() -> Self {
        let mut stage = Self::idle();
        stage.attach(Attach::new("op_1".into(), Some("tpc_1".into())));
        stage
    }

    /// Attached with a cursor and a token, authenticated, the seam open.
    pub(crate) fn attached_at(id: u64) -> Self {
        let mut stage = Self::idle();
        let mut attach = Attach::new("op_1".into(), Some("tpc_1".into()));
        attach.cursor.id = Some(id.into());
        attach.token = Some(stage.token());
        stage.attach(attach);
        stage.reply("read_marker", Reply::Marker(Some("op_1".into())));
        stage.authenticated()
    }

    pub(crate) fn executed(mut self) -> Self {
        self.execute(execute());
        self
    }

    pub(crate) fn started(mut self) -> Self {
        let started = self.start_reply();
        self.reply("start_run", started);
        self
    }

    pub(crate) fn opened(mut self) -> Self {
        self.open();
        self
    }

    pub(crate) fn authenticated(self) -> Self {
        let mut stage = self.opened();
        stage.wire(AUTH_SUCCESS);
        stage
    }

    pub(crate) fn resumed(mut self) -> Self {
        self.wire(&resume_complete("running"));
        self
    }

    /// The socket is cut, the backoff waited for, and the next socket authenticated: its seam is open.
    pub(crate) fn redialled(mut self) -> Self {
        self.cut();
        self.wait_for_dial();
        self.authenticated()
    }
}

/// What happens on it. Each says what the machine wants done, alarms left out.
impl Stage {
    pub(crate) fn execute(&mut self, execute: Execute) -> Vec<String> {
        self.feed(EventKind::Execute(Box::new(execute)))
    }

    pub(crate) fn attach(&mut self, attach: Attach) -> Vec<String> {
        self.feed(EventKind::Attach(Box::new(attach)))
    }

    pub(crate) fn stop(&mut self) -> Vec<String> {
        self.feed(EventKind::Stop)
    }

    pub(crate) fn detach(&mut self) -> Vec<String> {
        self.feed(EventKind::Detach)
    }

    pub(crate) fn answer(&mut self, call: &str, content: &str) -> Vec<String> {
        self.feed(EventKind::AnswerTool {
            call: call.into(),
            answer: ToolAnswer::success(content).into(),
        })
    }

    /// The socket dialled last is open.
    pub(crate) fn open(&mut self) -> Vec<String> {
        let dial = DialId(self.dial);
        self.feed(EventKind::ConnectionOpened { dial })
    }

    pub(crate) fn fail_dial(&mut self, kind: DialFailureKind) -> Vec<String> {
        let dial = DialId(self.dial);
        let text = "no".into();
        let failure = DialFailure { kind, text };
        self.feed(EventKind::DialFailed { dial, failure })
    }

    /// A frame on the socket dialled last, as the wire has it.
    pub(crate) fn wire(&mut self, text: &str) -> Vec<String> {
        self.wire_on(self.dial, text)
    }

    pub(crate) fn wire_on(&mut self, dial: u64, text: &str) -> Vec<String> {
        let frame = ServerFrame::decode(text).expect("a frame");
        let dial = DialId(dial);
        self.feed(EventKind::FrameReceived { dial, frame })
    }

    pub(crate) fn reject(&mut self, problem: FrameProblem) -> Vec<String> {
        let dial = DialId(self.dial);
        self.feed(EventKind::FrameRejected { dial, problem })
    }

    /// Part of a frame on the socket dialled last.
    pub(crate) fn arriving(&mut self) -> Vec<String> {
        let dial = DialId(self.dial);
        self.feed(EventKind::FrameArriving { dial })
    }

    /// A second passes, and another part of the same frame comes; so many times.
    pub(crate) fn arriving_for(&mut self, seconds: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..seconds {
            lines.extend(self.wait(1_000));
            lines.extend(self.arriving());
        }
        lines
    }

    pub(crate) fn close(&mut self, code: u16) -> Vec<String> {
        self.end_socket(Close::Closed {
            code: Some(CloseCode(code)),
            reason: "".into(),
        })
    }

    /// The socket is lost without a close frame.
    pub(crate) fn cut(&mut self) -> Vec<String> {
        self.end_socket(Close::Lost { text: "cut".into() })
    }

    pub(crate) fn end_socket(&mut self, close: Close) -> Vec<String> {
        let dial = DialId(self.dial);
        self.feed(EventKind::ConnectionClosed { dial, close })
    }

    /// The answer to the request of this name made last.
    pub(crate) fn reply(&mut self, call: &str, reply: Reply) -> Vec<String> {
        let request = self.requests[call];
        self.feed(EventKind::ReplyReceived { request, reply })
    }

    /// A fresh token comes, answering the request in flight.
    pub(crate) fn issue(&mut self) -> Vec<String> {
        let token = self.token();
        self.reply("refresh_token", Reply::TokenIssued(token))
    }

    pub(crate) fn status(&mut self, status: &str) -> Vec<String> {
        self.reply("ask_status", status_reply(status))
    }

    pub(crate) fn network(&mut self, network: Network) -> Vec<String> {
        self.feed(EventKind::NetworkChanged(network))
    }

    pub(crate) fn pause(&mut self) -> Vec<String> {
        self.feed(EventKind::ReadingPaused)
    }

    pub(crate) fn resume_reading(&mut self) -> Vec<String> {
        self.feed(EventKind::ReadingResumed)
    }

    /// The state was stored and is woken now, on a clock that reads `at`.
    pub(crate) fn restore(&mut self, at: u64, token: Option<TokenGrant>) -> Vec<String> {
        self.now = at;
        self.feed(EventKind::Restored { token })
    }

    /// Time passes, and the alarm rings exactly when it was asked to.
    pub(crate) fn wait(&mut self, millis: u64) -> Vec<String> {
        let until = self.now + millis;
        let mut lines = Vec::new();
        while let Some((at, _)) = self.alarm.filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            lines.extend(self.ring());
            assert!(
                self.alarm.is_none_or(|(at, _)| at > self.now),
                "the alarm rings for ever at {}: {:?}",
                self.now,
                self.alarm
            );
        }
        self.now = until;
        lines
    }

    /// Time passes until the next socket is dialled; says how much.
    pub(crate) fn wait_for_dial(&mut self) -> u64 {
        let (dial, since) = (self.dial, self.now);
        while self.dial == dial {
            assert!(self.now - since < 1_000_000, "no dial comes");
            let (at, _) = self.alarm.expect("a dial is to come");
            self.wait(at.saturating_sub(self.now));
        }
        self.now - since
    }

    /// Time passes while the host sleeps: the alarm rings once, at the end of it.
    pub(crate) fn sleep(&mut self, millis: u64) -> Vec<String> {
        self.pass(millis);
        self.ring()
    }

    /// Time passes, and whatever is due does not ring yet.
    pub(crate) fn pass(&mut self, millis: u64) {
        self.now += millis;
    }

    pub(crate) fn ring(&mut self) -> Vec<String> {
        self.feed(EventKind::AlarmRang)
    }

    pub(crate) fn feed(&mut self, kind: EventKind) -> Vec<String> {
        let event = Event::new(Timestamp::from_millis(self.now), kind);
        self.feed_event(event)
    }

    pub(crate) fn feed_event(&mut self, event: Event) -> Vec<String> {
        let stored = serde_json::to_string(&self.state).expect("a state can be written");
        let woken: State = serde_json::from_str(&stored).expect("and read back");
        assert_eq!(woken, self.state, "a stored state comes back equal");
        let same = transition(woken, event.clone());
        let (state, effects) = transition(self.state.clone(), event.clone());
        assert_eq!(same, (state.clone(), effects.clone()), "and goes on alike");
        self.state = state;
        let step = Observation {
            event: &event,
            effects: &effects,
            state: &self.state,
        };
        if let Err(violation) = self.invariants.observe(&step) {
            panic!("{violation}");
        }
        for effect in &effects {
            self.heed(effect);
        }
        let lines = lines(&effects);
        self.effects = effects;
        self.check_harmless();
        lines
    }

    fn heed(&mut self, effect: &Effect) {
        match effect {
            Effect::OpenConnection { dial, .. } => self.dial = dial.0,
            Effect::SendRequest { request, call } => {
                self.requests.insert(call.name(), *request);
            }
            Effect::SetAlarm(alarm) => {
                self.alarm = alarm.map(|alarm| (alarm.at.as_millis(), alarm.timer));
            }
            _ => {}
        }
    }

    fn check_harmless(&self) {
        let now = Timestamp::from_millis(self.now);
        if self.alarm.is_none_or(|(at, _)| at > self.now) {
            let (_, effects) =
                transition(self.state.clone(), Event::new(now, EventKind::AlarmRang));
            let told: Vec<_> = effects.iter().cloned().collect();
            let again = [Effect::SetAlarm(self.state.alarm())];
            assert_eq!(told, again, "a ring for no reason is only answered");
        }
        let request = RequestId(u64::MAX);
        let reply = Reply::MarkerCleared;
        self.check_ignored(
            EventKind::ReplyReceived { request, reply },
            Ignored::StaleRequest(request),
        );
        let dial = DialId(u64::MAX);
        let frame = ServerFrame::AuthExpired;
        self.check_ignored(
            EventKind::FrameReceived { dial, frame },
            Ignored::StaleDial(dial),
        );
        self.check_ignored(EventKind::FrameArriving { dial }, Ignored::StaleDial(dial));
        for at in [0, 1 << 60] {
            let restored = || {
                let at = Timestamp::from_millis(at);
                Event::new(at, EventKind::Restored { token: None })
            };
            let (once, _) = transition(self.state.clone(), restored());
            let (twice, _) = transition(once, restored());
            assert_eq!(twice.check(), Ok(()));
        }
    }

    fn check_ignored(&self, kind: EventKind, why: Ignored) {
        let event = Event::new(Timestamp::from_millis(self.now), kind);
        let (_, effects) = transition(self.state.clone(), event);
        let expected: Effects = [Effect::Ignored(why)].into_iter().collect();
        assert_eq!(effects, expected);
    }
}

/// What can be seen of it.
impl Stage {
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// When the hands are to ring, and what for.
    pub(crate) fn alarm(&self) -> Option<(u64, Timer)> {
        self.alarm
    }

    pub(crate) fn outcome(&self) -> Option<&'static str> {
        self.state.outcome().map(Outcome::name)
    }

    pub(crate) fn connection(&self) -> &'static str {
        self.state.status().as_str()
    }

    /// Whether a request of this name was ever made.
    pub(crate) fn has_asked(&self, call: &str) -> bool {
        self.requests.contains_key(call)
    }

    /// The frames the last step sends, as the wire has them; a token is its name.
    pub(crate) fn sent(&self) -> Vec<Value> {
        let encoded = self.effects.iter().filter_map(|effect| match effect {
            Effect::SendFrame { frame, .. } => {
                let frame = frame.clone().with_token(|token| token.to_string().into());
                Some(frame.encode())
            }
            _ => None,
        });
        encoded
            .map(|text| serde_json::from_str(&text).expect("a frame is JSON"))
            .collect()
    }

    /// The requests the last step sends.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let calls = self.effects.iter().filter_map(|effect| match effect {
            Effect::SendRequest { call, .. } => Some(call.clone()),
            _ => None,
        });
        calls.collect()
    }

    /// A new token in the vault, good for a day.
    pub(crate) fn token(&mut self) -> TokenGrant {
        self.tokens += 1;
        TokenGrant {
            id: TokenId(self.tokens),
            kind: TokenKind::Jwt,
            lifetime: Some(Millis::seconds(86_400)),
        }
    }

    pub(crate) fn api_key(&mut self) -> TokenGrant {
        TokenGrant {
            kind: TokenKind::ApiKey,
            lifetime: None,
            ..self.token()
        }
    }

    /// `execAgent`'s answer: `op_1` on `tpc_1`.
    pub(crate) fn start_reply(&mut self) -> Reply {
        Reply::Started(Box::new(Started {
            operation: "op_1".into(),
            topic: Some("tpc_1".into()),
            agent: Some("agt_1".into()),
            thread: None,
            assistant_message: Some("msg_2".into()),
            user_message: Some("msg_1".into()),
            token: Some(self.token()),
        }))
    }
}

/// A run on the topic `tpc_1`.
pub(crate) fn execute() -> Execute {
    Execute::new(ExecAgent {
        agent_id: Some("agt_1".into()),
        prompt: "hi".into(),
        app_context: Some(AppContext {
            topic_id: Some("tpc_1".into()),
            ..AppContext::default()
        }),
        ..ExecAgent::default()
    })
}

pub(crate) fn status_reply(status: &str) -> Reply {
    Reply::Status(Some(StatusReport {
        status: OperationStatus::parse(status),
        error: None,
    }))
}

pub(crate) fn refused(kind: RefusalKind, status: u16) -> Reply {
    Reply::Failed(RequestFailure::Refused(Refusal {
        kind,
        status,
        retry_after: None,
        message: "no".into(),
        path: None,
    }))
}

pub(crate) fn unreachable() -> Reply {
    Reply::Failed(RequestFailure::Unreachable {
        text: "refused".into(),
    })
}

pub(crate) fn lost() -> Reply {
    Reply::Failed(RequestFailure::Lost {
        text: "cut off".into(),
    })
}

/// A chunk of the run's own text; its timestamp is its id.
pub(crate) fn chunk(id: u64) -> String {
    let text = format!("t{id}");
    event(
        id,
        "stream_chunk",
        json!({ "chunkType": "text", "content": text }),
    )
}

/// The line of a chunk that is handed on.
pub(crate) fn handed(id: u64) -> String {
    format!("event_received stream_chunk \"t{id}\" at {id}")
}

/// An event of the run's own.
pub(crate) fn event(id: u64, kind: &str, data: Value) -> String {
    event_of("op_1", id, kind, data)
}

pub(crate) fn event_of(operation: &str, id: u64, kind: &str, data: Value) -> String {
    let event = json!({
        "type": kind, "stepIndex": 0, "operationId": operation, "timestamp": id, "data": data
    });
    json!({ "type": "agent_event", "id": id.to_string(), "event": event }).to_string()
}

/// The run's own end.
pub(crate) fn end(id: u64, reason: &str) -> String {
    event(id, "agent_runtime_end", json!({ "reason": reason }))
}

pub(crate) fn session_complete(id: u64) -> String {
    json!({ "type": "session_complete", "id": id.to_string(), "summary": "" }).to_string()
}

pub(crate) fn status_change(id: u64, status: &str) -> String {
    json!({ "type": "status_change", "id": id.to_string(), "status": status }).to_string()
}

pub(crate) fn resume_complete(status: &str) -> String {
    json!({ "type": "resume_complete", "status": status }).to_string()
}

pub(crate) fn auth_failed(reason: &str) -> String {
    json!({ "type": "auth_failed", "reason": reason }).to_string()
}

pub(crate) fn tool_execute(id: u64, call: &str, timeout: i64) -> String {
    let data = json!({
        "toolCallId": call, "identifier": "fs", "apiName": "read", "arguments": "{}",
        "executionTimeoutMs": timeout
    });
    event(id, "tool_execute", data)
}

pub(crate) fn tool_end(id: u64, call: &str) -> String {
    event(
        id,
        "tool_end",
        json!({ "toolCallId": call, "isSuccess": true }),
    )
}

/// Effects as lines, alarms and receipts left out.
fn lines(effects: &Effects) -> Vec<String> {
    let text = effects_text(effects);
    let effects = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("→ "));
    effects
        .filter(|line| !line.starts_with("set_alarm"))
        .map(|line| match line.strip_prefix("run_ended ") {
            Some(ended) => {
                let outcome = ended.split(':').next().unwrap_or(ended);
                format!("run_ended {outcome}")
            }
            None => line.to_owned(),
        })
        .collect()
}

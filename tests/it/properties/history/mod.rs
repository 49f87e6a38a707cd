//! Histories: abstract actions become recorded events, each checked against every invariant.
//!
//! A history is a list of words. Each word is one action; what it means depends on what is outstanding when its turn
//! comes, so that most words do something that could really happen, and some do what never should.

mod fair;
mod faults;
mod frames;
mod surroundings;

use agent_gateway_machine::recording::{Header, Recording, Step};
use agent_gateway_machine::{
    Attach, Call, Config, DialId, Effect, Event, EventKind, Execute, Millis, Mutation, Renewal,
    RequestId, State, Timestamp, TokenGrant, TokenId, TokenKind, transition,
};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::{GatewayUrl, OperationStatus};
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

use agent_gateway_machine::Timestamp;
use agent_gateway_protocol::frame::{Auth, Resume, TokenType};
use agent_gateway_protocol::{
    AgentEvent, ClientFrame, EventId, EventType, OperationId, OperationStatus, RawJson,
    ServerFrame, Token, UserId,
};

use super::*;

struct Bench {
    gateway: Gateway,
    token: Token,
    now: u64,
    minted: u64,
}

const OPERATION: &str = "op";

impl Bench {
    fn new(dialect: Dialect) -> Self {
        let config = GatewayConfig {
            dialect,
            ..GatewayConfig::default()
        };
        let mut gateway = Gateway::new(config, TokenBook::new(1, 0));
        let plan = TokenPlan::of(UserId::new("user"));
        let token = gateway.tokens_mut().issue(&plan, Timestamp::ZERO);
        Self {
            gateway,
            token,
            now: 0,
            minted: 0,
        }
    }

    fn started(dialect: Dialect) -> Self {
        let mut bench = Self::new(dialect);
        bench.call(GatewayCall::Initialize {
            operation: OperationId::new(OPERATION),
            user: UserId::new("user"),
        });
        bench
    }

    fn tell(&mut self, input: GatewayInput) -> Vec<String> {
        let outputs = self.gateway.handle(Timestamp::from_millis(self.now), input);
        outputs.iter().map(show).collect()
    }

    fn call(&mut self, call: GatewayCall) -> Vec<String> {
        self.minted += 1;
        let ticket = Ticket(self.minted);
        self.tell(GatewayInput::Called { ticket, call })
    }

    fn push(&mut self, kind: &str, data: &str, owner: &str) -> Vec<String> {
        let data = RawJson::parse(data).ok();
        let event = AgentEvent::new(EventType::parse(kind), OperationId::new(owner), data);
        self.call(GatewayCall::PushEvent {
            operation: OperationId::new(OPERATION),
            event: event.into(),
        })
    }

    fn open(&mut self, socket: u64) {
        self.tell(GatewayInput::SocketOpened {
            socket: SocketId(socket),
            operation: OperationId::new(OPERATION),
        });
    }

    fn send(&mut self, socket: u64, frame: ClientFrame) -> Vec<String> {
        let socket = SocketId(socket);
        self.tell(GatewayInput::FrameReceived { socket, frame })
    }

    fn authenticate(&mut self, socket: u64) -> Vec<String> {
        let token = self.token.clone();
        self.send(
            socket,
            ClientFrame::Auth(Box::new(Auth {
                token,
                token_type: None,
                server_url: None,
            })),
        )
    }

    fn resume(&mut self, socket: u64, after: &str) -> Vec<String> {
        let last_event_id = (!after.is_empty()).then(|| EventId::parse(after));
        self.send(
            socket,
            ClientFrame::Resume(Resume {
                last_event_id,
                want_status: true,
            }),
        )
    }

    fn tick(&mut self, at: u64) -> Vec<String> {
        self.now = at;
        self.tell(GatewayInput::Ticked)
    }
}

fn show(output: &GatewayOutput) -> String {
    match output {
        GatewayOutput::SendFrame { socket, frame } => {
            let id = frame.id().map(|id| format!(" {id}")).unwrap_or_default();
            let detail = match frame {
                ServerFrame::ResumeComplete(frame) => {
                    format!(" {:?} gap:{}", frame.status, frame.gap)
                }
                ServerFrame::AuthFailed(frame) => format!(" {}", frame.reason),
                _ => String::new(),
            };
            format!("{}<{}{id}{detail}", socket.0, frame.kind())
        }
        GatewayOutput::Close {
            socket,
            code,
            reason,
        } => format!("{}x{code} {reason}", socket.0),
        GatewayOutput::Answer { answer, .. } => format!("{answer:?}"),
        GatewayOutput::DeliverToolResult { result, .. } => {
            format!("result {}", result.tool_call_id)
        }
        GatewayOutput::FinalizeAbandoned { .. } => "abandoned".into(),
        GatewayOutput::CountRestarted => "counts anew".into(),
    }
}

#[test]
fn a_socket_without_auth_is_closed_after_ten_seconds() {
    let mut bench = Bench::started(Dialect::default());
    bench.open(1);
    assert_eq!(
        bench.send(1, ClientFrame::Heartbeat),
        [""; 0],
        "before auth"
    );
    assert!(bench.tick(9_999).is_empty());
    assert_eq!(
        bench.tick(10_000),
        [
            "1<auth_failed Authentication timeout",
            "1x1008 Authentication timeout"
        ]
    );
}

#[test]
fn an_init_of_another_user_refuses_a_pending_socket() {
    let mut bench = Bench::new(Dialect::default());
    bench.open(1);
    assert_eq!(bench.authenticate(1), ["1<auth_success"]);
    assert!(bench.authenticate(1).is_empty(), "a second auth is ignored");
    let answers = bench.call(GatewayCall::Initialize {
        operation: OperationId::new(OPERATION),
        user: UserId::new("another"),
    });
    assert_eq!(
        answers,
        [
            "1<auth_failed userId mismatch",
            "1x1008 userId mismatch",
            "Done"
        ]
    );
}

#[test]
fn a_key_without_its_server_is_refused() {
    let mut bench = Bench::started(Dialect::default());
    bench.open(1);
    let auth = Auth {
        token: bench.token.clone(),
        token_type: Some(TokenType::ApiKey),
        server_url: None,
    };
    assert_eq!(
        bench.send(1, ClientFrame::Auth(auth.into())),
        [
            "1<auth_failed Missing serverUrl for apiKey auth",
            "1x1008 Missing serverUrl for apiKey auth"
        ]
    );
}

#[test]
fn an_unknown_token_is_refused() {
    let mut bench = Bench::started(Dialect::default());
    bench.open(1);
    bench.token = Token::new("forged");
    assert_eq!(
        bench.authenticate(1),
        [
            "1<auth_failed signature verification failed",
            "1x1008 signature verification failed"
        ]
    );
}

#[test]
fn live_frames_come_before_the_replay_and_again_in_it() {
    let mut bench = Bench::started(Dialect::default());
    bench.push("step_start", "{}", OPERATION);
    bench.open(1);
    bench.authenticate(1);
    assert_eq!(
        bench.push("stream_start", "{}", OPERATION),
        ["1<agent_event 2", "Done"]
    );
    assert_eq!(
        bench.resume(1, ""),
        [
            "1<agent_event 1",
            "1<agent_event 2",
            "1<resume_complete Some(Running) gap:false"
        ]
    );
    assert_eq!(
        bench.resume(1, "1"),
        [
            "1<agent_event 2",
            "1<resume_complete Some(Running) gap:false"
        ]
    );
}

#[test]
fn an_old_gateway_replays_everything_after_an_unknown_id_and_says_nothing_at_the_end() {
    for (resume, shown) in [(ResumeStyle::ById, 1), (ResumeStyle::ByIdInclusive, 2)] {
        let mut bench = Bench::started(Dialect {
            resume,
            answers_resume: false,
            ..Dialect::default()
        });
        for _ in 0..3 {
            bench.push("stream_chunk", "{}", OPERATION);
        }
        bench.open(1);
        bench.authenticate(1);
        assert_eq!(bench.resume(1, "2").len(), shown);
        assert_eq!(bench.resume(1, "77").len(), 3);
    }
}

#[test]
fn a_heartbeat_is_acknowledged_behind_the_replay_that_was_asked_for_before_it() {
    let mut bench = Bench::started(Dialect {
        replay_delay: 500,
        ..Dialect::default()
    });
    bench.push("step_start", "{}", OPERATION);
    bench.open(1);
    bench.authenticate(1);
    assert_eq!(bench.resume(1, ""), [""; 0]);
    assert_eq!(bench.send(1, ClientFrame::Heartbeat), [""; 0]);
    assert_eq!(
        bench.tick(500),
        [
            "1<agent_event 1",
            "1<resume_complete Some(Running) gap:false",
            "1<heartbeat_ack"
        ]
    );
    assert_eq!(bench.send(1, ClientFrame::Heartbeat), ["1<heartbeat_ack"]);
}

#[test]
fn the_buffer_is_cut_to_500_above_1000_and_the_replay_says_so() {
    let mut bench = Bench::started(Dialect::default());
    for _ in 0..1_001 {
        bench.push("stream_chunk", "{}", OPERATION);
    }
    bench.open(1);
    bench.authenticate(1);
    let replay = bench.resume(1, "1");
    assert_eq!(replay.len(), 501);
    assert_eq!(replay[0], "1<agent_event 502");
    assert_eq!(replay[500], "1<resume_complete Some(Running) gap:true");
    assert!(bench.resume(1, "501")[500].ends_with("gap:false"));
}

#[test]
fn every_end_completes_the_session_and_the_status_tells_little() {
    for (reason, status) in [
        ("error", OperationStatus::Error),
        ("interrupted", OperationStatus::Interrupted),
        ("cancelled", OperationStatus::Completed),
        ("waiting_for_human", OperationStatus::Completed),
        ("done", OperationStatus::Completed),
    ] {
        let mut bench = Bench::started(Dialect::default());
        bench.open(1);
        bench.authenticate(1);
        let data = format!(r#"{{"reason":"{reason}"}}"#);
        assert_eq!(
            bench.push("agent_runtime_end", &data, OPERATION),
            ["1<agent_event 1", "1<session_complete 2", "Done"]
        );
        let read = bench.call(GatewayCall::ReadStatus {
            operation: OperationId::new(OPERATION),
        });
        let answer = GatewayAnswer::Status {
            client_connected: true,
            status: Some(status),
        };
        assert_eq!(read, [format!("{answer:?}")], "{reason}");
    }
}

#[test]
fn only_an_old_gateway_completes_on_a_foreign_end() {
    for (any_end_completes, shown) in [(false, 1), (true, 2)] {
        let mut bench = Bench::started(Dialect {
            any_end_completes,
            ..Dialect::default()
        });
        bench.push("agent_runtime_end", r#"{"reason":"done"}"#, "op_member");
        bench.open(1);
        bench.authenticate(1);
        assert_eq!(bench.resume(1, "").len(), shown + 1);
    }
}

#[test]
fn silence_of_90_seconds_closes_with_1000() {
    let mut bench = Bench::started(Dialect::default());
    bench.open(1);
    bench.authenticate(1);
    bench.now = 60_000;
    assert_eq!(bench.send(1, ClientFrame::Heartbeat), ["1<heartbeat_ack"]);
    assert!(bench.tick(149_999).is_empty());
    assert_eq!(bench.tick(150_000), ["1x1000 Heartbeat timeout"]);
}

#[test]
fn ten_minutes_after_its_end_an_operation_is_forgotten() {
    let mut bench = Bench::started(Dialect::default());
    bench.push("agent_runtime_end", "{}", OPERATION);
    bench.now = 550_000;
    let plan = TokenPlan::of(UserId::new("user"));
    let now = Timestamp::from_millis(bench.now);
    bench.token = bench.gateway.tokens_mut().issue(&plan, now);
    bench.open(1);
    bench.authenticate(1);
    assert_eq!(
        bench.tick(600_000),
        ["counts anew", "1x1000 Session expired"]
    );
    bench.open(2);
    assert_eq!(bench.authenticate(2), ["2<auth_success"]);
    assert!(
        bench.resume(2, "").is_empty(),
        "an empty operation says nothing"
    );
}

#[test]
fn the_watchdog_asks_the_server_and_tells_its_verdict() {
    let mut bench = Bench::started(Dialect::default());
    bench.push("step_complete", "{}", OPERATION);
    assert!(bench.tick(599_999).is_empty());
    assert_eq!(bench.tick(600_000), ["abandoned"]);
    assert!(bench.tick(700_000).is_empty(), "asked once");
    bench.tell(GatewayInput::AbandonedFinalized {
        operation: OperationId::new(OPERATION),
        verdict: Finalization::Finalized,
    });
    let mut busy = Bench::started(Dialect::default());
    busy.push("stream_chunk", "{}", OPERATION);
    assert!(busy.tick(600_000).is_empty());
    assert_eq!(busy.tick(1_800_000), ["abandoned"]);
}

#[test]
fn an_expired_socket_stays_open_for_another_auth() {
    let mut bench = Bench::started(Dialect::default());
    bench.open(1);
    bench.authenticate(1);
    let said = bench.gateway.announce_expiry(&OperationId::new(OPERATION));
    assert_eq!(
        said.iter().map(show).collect::<Vec<_>>(),
        ["1<auth_expired"]
    );
    assert_eq!(
        bench.push("step_start", "{}", OPERATION).len(),
        2,
        "frames flow"
    );
    assert_eq!(bench.authenticate(1), ["1<auth_success"]);
}

#[test]
fn prompts_are_answered_by_the_client_or_by_time() {
    let mut bench = Bench::started(Dialect::default());
    bench.open(1);
    bench.authenticate(1);
    let ask = |id: &str| GatewayCall::RequestConfirmation {
        operation: OperationId::new(OPERATION),
        tool_call: id.into(),
        tool: None,
        timeout: None,
    };
    assert_eq!(bench.call(ask("a")), ["1<tool_confirmation_request 1"]);
    bench.call(ask("b"));
    let yes = agent_gateway_protocol::frame::ToolConfirmation {
        tool_call_id: "a".into(),
        approved: true,
    };
    assert_eq!(
        bench.send(1, ClientFrame::ToolConfirmation(yes)),
        ["Confirmed(Some(true))"]
    );
    assert_eq!(bench.tick(60_000), ["Confirmed(None)"]);
}

#[test]
fn hibernation_loses_the_buffer_and_keeps_the_status() {
    let mut bench = Bench::started(Dialect::default());
    bench.push("step_start", "{}", OPERATION);
    bench.gateway.hibernate();
    bench.open(1);
    bench.authenticate(1);
    assert_eq!(
        bench.resume(1, ""),
        ["1<resume_complete Some(Running) gap:true"]
    );
    assert_eq!(
        bench.push("step_start", "{}", OPERATION)[0],
        "1<agent_event 2"
    );
}

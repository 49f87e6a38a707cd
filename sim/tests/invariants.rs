//! What the invariants that span time object to, each in a history that a broken machine could have: the real machine's
//! states, and effects that it does not have.

use agent_gateway_machine::{
    Attach, Call, Config, Cursor, DialId, Effect, Effects, Event, EventKind, EventReceived, Millis,
    Notification, Reply, RequestId, State, StatusReport, Timestamp, TokenGrant, TokenId, TokenKind,
    transition,
};
use agent_gateway_protocol::{GatewayUrl, OperationStatus, ServerFrame};
use agent_gateway_sim::invariant::{Invariants, Observation};
use serde_json::{Value, json};

/// A machine attached to `op_1`, and the invariants that watch it.
struct Watched {
    state: State,
    invariants: Invariants,
}

impl Watched {
    /// Connected at 2, with the seam open.
    fn in_seam() -> Self {
        let config = Config::new(GatewayUrl::parse("wss://gateway.example").ok());
        let mut watched = Self {
            state: State::new(config, 1).expect("the config is valid"),
            invariants: Invariants::default(),
        };
        let mut attach = Attach::new("op_1".into(), Some("tpc_1".into()));
        attach.cursor.id = Some(2.into());
        attach.token = Some(TokenGrant {
            id: TokenId(1),
            kind: TokenKind::Jwt,
            lifetime: Some(Millis::seconds(3_600)),
        });
        watched.feed(EventKind::Attach(Box::new(attach)));
        let reply = Reply::Marker(Some("op_1".into()));
        let request = RequestId(1);
        watched.feed(EventKind::ReplyReceived { request, reply });
        watched.feed(EventKind::ConnectionOpened { dial: DialId(1) });
        watched.frame(json!({ "type": "auth_success" }));
        watched
    }

    /// As the machine has it.
    fn feed(&mut self, kind: EventKind) {
        let answered = self.feed_and(kind, None);
        assert_eq!(answered, Ok(()));
    }

    fn frame(&mut self, frame: Value) {
        self.feed(received(frame));
    }

    /// With more effects than the machine has.
    fn feed_and(
        &mut self,
        kind: EventKind,
        more: impl IntoIterator<Item = Effect>,
    ) -> Result<(), String> {
        let event = Event::new(Timestamp::from_millis(1_000), kind);
        let (state, effects) = transition(self.state.clone(), event.clone());
        self.state = state;
        let effects: Effects = more.into_iter().chain(effects.iter().cloned()).collect();
        let step = Observation {
            event: &event,
            effects: &effects,
            state: &self.state,
        };
        let observed = self.invariants.observe(&step);
        observed.map_err(|violation| violation.to_string())
    }

    /// What I18 says of a marker that is settled now.
    fn settle_marker(&mut self) -> Result<(), String> {
        let settle = Effect::SendRequest {
            request: RequestId(99),
            call: Call::SettleMarker {
                topic: "tpc_1".into(),
                operation: "op_1".into(),
            },
        };
        self.feed_and(EventKind::AlarmRang, Some(settle))
    }
}

fn received(frame: Value) -> EventKind {
    EventKind::FrameReceived {
        dial: DialId(1),
        frame: ServerFrame::decode(&frame.to_string()).expect("a frame"),
    }
}

fn event(id: u64, operation: &str, kind: &str, data: Value) -> Value {
    let event = json!({ "type": kind, "operationId": operation, "timestamp": id, "data": data });
    json!({ "type": "agent_event", "id": id.to_string(), "event": event })
}

fn text(id: u64) -> Value {
    let data = json!({ "chunkType": "text", "content": "x" });
    event(id, "op_1", "stream_chunk", data)
}

const CLEARED: &str = "I18: the marker was cleared, and nobody said that the run is over";

#[test]
fn i6_what_came_before_a_counter_started_again_is_not_handed_on_after_it() {
    let mut watched = Watched::in_seam();
    watched.frame(text(4));
    watched.frame(text(1));
    watched.frame(text(2));
    let held = ServerFrame::decode(&text(4).to_string()).expect("a frame");
    let ServerFrame::AgentEvent(held) = held else {
        panic!("an event");
    };
    let handed_on = EventReceived {
        cursor: Cursor {
            epoch: 1,
            id: Some(4.into()),
            digest: None,
        },
        replayed: true,
        own: true,
        event: held.event,
    };
    let again = Effect::Notify(Notification::EventReceived(handed_on));
    let observed = watched.feed_and(received(text(3)), Some(again));
    let message = observed.expect_err("it is no frame of this epoch");
    assert_eq!(message, "I6: 1/4 was handed on, and came in another epoch");
}

#[test]
fn i18_an_own_end_lets_the_marker_be_settled() {
    let mut watched = Watched::in_seam();
    watched.frame(event(
        3,
        "op_1",
        "agent_runtime_end",
        json!({ "reason": "done" }),
    ));
    assert_eq!(watched.settle_marker(), Ok(()));
}

#[test]
fn i18_what_is_no_end_of_the_run_does_not() {
    let frames = [
        event(3, "op_2", "agent_runtime_end", json!({ "reason": "done" })),
        event(
            3,
            "op_1",
            "agent_runtime_end",
            json!({ "reason": "waiting_for_human" }),
        ),
        event(
            3,
            "op_1",
            "agent_runtime_end",
            json!({ "reason": "waiting_for_async_tool" }),
        ),
        event(
            3,
            "op_1",
            "error",
            json!({ "error": "x", "phase": "tool_execution" }),
        ),
        event(
            3,
            "op_1",
            "agent_runtime_end",
            json!({ "reason": "done", "subagent": {} }),
        ),
        json!({ "type": "resume_complete", "status": "completed" }),
        json!({ "type": "session_complete", "id": "3", "summary": "" }),
        // Ahead of its turn.
        json!({ "type": "status_change", "id": "5", "status": "error" }),
    ];
    for frame in frames {
        let mut watched = Watched::in_seam();
        watched.frame(frame.clone());
        assert_eq!(watched.settle_marker(), Err(CLEARED.into()), "{frame}");
    }
}

#[test]
fn i18_an_end_of_another_socket_does_not() {
    let mut watched = Watched::in_seam();
    let end = event(3, "op_1", "agent_runtime_end", json!({ "reason": "done" }));
    let EventKind::FrameReceived { frame, .. } = received(end) else {
        panic!("a frame");
    };
    let dial = DialId(7);
    watched.feed(EventKind::FrameReceived { dial, frame });
    assert_eq!(watched.settle_marker(), Err(CLEARED.into()));
}

#[test]
fn i18_an_end_that_is_void_does_not() {
    let later = [
        event(4, "op_1", "step_start", json!({})),
        json!({ "type": "resume_complete", "status": "running" }),
        json!({ "type": "status_change", "id": "4", "status": "running" }),
    ];
    for frame in later {
        let mut watched = Watched::in_seam();
        watched.frame(event(
            3,
            "op_1",
            "agent_runtime_end",
            json!({ "reason": "done" }),
        ));
        watched.frame(frame.clone());
        assert_eq!(watched.settle_marker(), Err(CLEARED.into()), "{frame}");
    }
}

#[test]
fn i18_a_status_in_its_turn_lets_the_marker_be_settled() {
    let mut watched = Watched::in_seam();
    watched.frame(json!({ "type": "status_change", "id": "4", "status": "error" }));
    watched.frame(text(3));
    assert_eq!(watched.settle_marker(), Ok(()));
}

#[test]
fn i18_a_status_counts_whatever_the_seam_that_it_ends_holds() {
    let mut watched = Watched::in_seam();
    let waits = json!({ "reason": "waiting_for_async_tool" });
    watched.frame(text(4));
    watched.frame(event(5, "op_1", "agent_runtime_end", waits));
    watched.frame(json!({ "type": "session_complete", "id": "6", "summary": "" }));
    // The session_complete of a run that waits is ignored in this step, and the status is not.
    watched.frame(json!({ "type": "resume_complete", "status": "error" }));
    assert_eq!(watched.state.phase(), "settling", "as the machine does");
}

#[test]
fn i18_a_status_that_echoes_the_end_of_another_does_not() {
    let mut watched = Watched::in_seam();
    let done = json!({ "reason": "done" });
    watched.frame(event(3, "op_2", "agent_runtime_end", done));
    watched.frame(json!({ "type": "resume_complete", "status": "error" }));
    assert_eq!(watched.settle_marker(), Err(CLEARED.into()));
}

#[test]
fn i18_the_servers_answer_is_the_last_word() {
    let mut watched = Watched::in_seam();
    watched.frame(json!({ "type": "session_complete", "id": "3", "summary": "" }));
    watched.frame(json!({ "type": "resume_complete", "status": "completed" }));
    assert_eq!(watched.settle_marker(), Err(CLEARED.into()));
    let mut watched = Watched::in_seam();
    watched.frame(json!({ "type": "session_complete", "id": "3", "summary": "" }));
    watched.frame(json!({ "type": "resume_complete", "status": "completed" }));
    let request = RequestId(2);
    let reply = Reply::Status(Some(StatusReport {
        status: OperationStatus::Done,
        error: None,
    }));
    watched.feed(EventKind::ReplyReceived { request, reply });
    assert_eq!(watched.state.phase(), "settling", "as the machine does");
}

const TOO_OFTEN: &str = "I19: asked more often than 4 times at once and then every 1000ms";

#[test]
fn i19_the_server_is_not_asked_as_fast_as_it_answers() {
    let mut watched = Watched::in_seam();
    let mut ask = |request| {
        let call = Call::AskStatus {
            operation: "op_1".into(),
        };
        let request = RequestId(request);
        // Each is over at once: it is one at a time (I4).
        let ask = Effect::SendRequest { request, call };
        watched.feed_and(
            EventKind::AlarmRang,
            [ask, Effect::CancelRequest { request }],
        )
    };
    for request in 90..94 {
        assert_eq!(ask(request), Ok(()));
    }
    assert_eq!(ask(94), Err(TOO_OFTEN.into()));
}

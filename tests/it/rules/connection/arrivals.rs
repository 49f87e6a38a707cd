//! C12–C14: what arrives: unknown, stale, or late.

use agent_gateway_machine::{Close, DialId, Event, EventKind, FrameProblem, Rule, Timestamp};
use agent_gateway_protocol::ServerFrame;
use serde_json::json;

use crate::rules::stage::*;

#[test]
fn c12_what_is_no_frame_is_one_counted_warning_of_its_sort() {
    let mut stage = Stage::connected();
    let warning = "warning_raised ";
    assert_eq!(
        stage.reject(FrameProblem::Malformed),
        [format!("{warning}Malformed")]
    );
    assert_eq!(stage.reject(FrameProblem::Malformed), [""; 0]);
    assert_eq!(
        stage.reject(FrameProblem::Binary),
        [format!("{warning}Binary")]
    );
    let unknown = r#"{"type":"from_the_future","id":"1","x":1}"#;
    assert_eq!(
        stage.wire(unknown),
        [format!("{warning}unknown frame from_the_future")]
    );
    assert_eq!(stage.wire(r#"{"type":"another"}"#), [""; 0]);
    assert_eq!(stage.state().receipt().warnings, 5);
    assert_eq!(stage.connection(), "connected");
    assert_eq!(stage.wire(&chunk(2)), [handed(2)]);
}

#[test]
fn c12_unknown_events_are_handed_on_raw_and_missing_members_do_no_harm() {
    let mut stage = Stage::connected();
    assert_eq!(
        stage.wire(&event(1, "from_the_future", json!({ "x": [1] }))),
        ["event_received from_the_future {\"x\":[1]} at 1"]
    );
    let bare = r#"{"type":"agent_event","id":"2","event":{"type":"agent_runtime_init"}}"#;
    assert_eq!(stage.wire(bare), ["event_received agent_runtime_init at 2"]);
    let strange = event(3, "tool_execute", json!("not an object"));
    assert_eq!(
        stage.wire(&strange),
        ["event_received tool_execute \"not an object\" at 3"]
    );
    let null = event(4, "tool_end", json!(null));
    assert_eq!(stage.wire(&null), ["event_received tool_end at 4"]);
    assert_eq!(stage.outcome(), None);
}

#[test]
fn c13_answers_to_anything_not_current_change_nothing() {
    let mut stage = Stage::streamed(1).redialled();
    let before = stage.state().cursor().cloned();
    assert_eq!(
        stage.wire_on(1, &end(2, "done")),
        ["ignored: dial#1 is not current"]
    );
    assert_eq!(stage.state().cursor().cloned(), before);
    let dial = DialId(1);
    let close = Close::Lost {
        text: "late".into(),
    };
    let stale = ["ignored: dial#1 is not current"];
    assert_eq!(
        stage.feed(EventKind::ConnectionClosed { dial, close }),
        stale
    );
    assert_eq!(stage.feed(EventKind::ConnectionOpened { dial }), stale);
    assert_eq!(stage.open(), ["ignored: dial#2 is open already"]);
    let reply = stage.start_reply();
    assert_eq!(
        stage.reply("start_run", reply),
        ["ignored: request#1 is not outstanding"]
    );
    assert_eq!(stage.connection(), "connected");
}

#[test]
fn c13_an_answer_of_the_wrong_kind_counts_as_none() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    let lines = stage.reply("refresh_token", agent_gateway_machine::Reply::MarkerCleared);
    assert_eq!(
        lines[0],
        "ignored: not the kind of reply request#2 asked for"
    );
    assert!(lines[1].starts_with("refresh_delayed for "));
}

#[test]
fn c14_after_a_jump_every_due_timer_fires_once_and_there_is_one_attempt() {
    let mut stage = Stage::streamed(1);
    stage.wire(&tool_execute(2, "call_1", 60_000));
    stage.cut();
    let lines = stage.sleep(7 * 24 * 3_600_000);
    let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    assert_eq!(count("tool_timed_out call_1"), 1);
    assert_eq!(count("ask_status"), 1);
    assert_eq!(count("refresh_token"), 1, "the token has aged (S10)");
    assert_eq!(count("open_connection"), 0);
    assert_eq!(
        stage
            .issue()
            .iter()
            .filter(|line| line.contains("open_connection"))
            .count(),
        1
    );
}

#[test]
fn c14_a_reading_earlier_than_the_latest_counts_as_the_latest() {
    let mut stage = Stage::connected();
    stage.wait(20_000);
    stage.ring();
    let call = |at| {
        let frame = ServerFrame::decode(&tool_execute(1, "call_1", 60_000)).expect("a frame");
        let dial = DialId(1);
        Event::new(
            Timestamp::from_millis(at),
            EventKind::FrameReceived { dial, frame },
        )
    };
    let mut set_back = stage.clone();
    stage.feed_event(call(20_000));
    set_back.feed_event(call(2_000));
    assert_eq!(set_back.state(), stage.state());
    assert!(set_back.effects.rules().contains(Rule::C14));
    assert!(!stage.effects.rules().contains(Rule::C14));
}

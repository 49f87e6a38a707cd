//! A stored state is woken elsewhere: sockets, requests and tokens are gone, and its deadlines shift to the new clock,
//! counted from the last event it saw.
//! The stage wakes a copy after every step of every test; here is what comes of it.

use agent_gateway_machine::{
    Close, DialId, Event, EventKind, Execute, FrameProblem, Reply, State, Timer, Timestamp,
    TokenGrant, TokenId, TokenKind, transition,
};
use agent_gateway_protocol::ServerFrame;
use agent_gateway_protocol::api::ExecAgent;
use serde_json::Value;

use super::stage::*;

fn has(lines: &[String], what: &str) -> bool {
    lines.iter().any(|line| line.contains(what))
}

#[test]
fn restored_an_exec_in_flight_is_start_unknown_and_never_sent_again() {
    let mut stage = Stage::starting();
    assert_eq!(stage.restore(0, None), ["run_ended start_unknown"]);
    assert!(stage.state().is_settled());
    let mut stage = Stage::starting();
    stage.stop();
    assert_eq!(stage.restore(0, None), ["run_ended stopped_server_unknown"]);
}

#[test]
fn restored_while_messages_are_fetched_goes_on_without_them() {
    let mut stage = Stage::idle();
    stage.execute(Execute::new(ExecAgent::default()));
    let reply = stage.start_reply();
    stage.reply("start_run", reply);
    let lines = stage.restore(9, None);
    assert_eq!(
        lines,
        [
            "topic_created tpc_1 without messages",
            "run_started op_1",
            "topic_status_changed running",
            "request#3 ▶ refresh_token of tpc_1",
            "status_changed connecting"
        ]
    );
}

#[test]
fn restored_a_stream_fetches_a_token_and_redials_from_its_cursor() {
    let mut stage = Stage::streamed(4);
    stage.wait(20_000);
    let lines = stage.restore(3, None);
    assert_eq!(
        lines,
        [
            "topic_status_changed running",
            "status_changed reconnecting",
            "request#2 ▶ refresh_token of tpc_1"
        ]
    );
    assert!(has(&stage.issue(), "open_connection dial#2"));
    stage.open();
    assert_eq!(stage.wire(AUTH_SUCCESS)[1], "dial#2 ▶ resume after 4");
    assert_eq!(stage.wire(&chunk(4)), [""; 0]);
}

#[test]
fn restored_with_a_token_dials_at_once() {
    let mut stage = Stage::streamed(4);
    let token = stage.token();
    let lines = stage.restore(0, Some(token));
    assert!(has(&lines, "open_connection dial#2"));
    assert_eq!(stage.open()[0], "dial#2 ▶ auth token#2");
}

#[test]
fn restored_an_attach_asks_for_everything_again() {
    let mut stage = Stage::attaching();
    stage.issue();
    assert_eq!(
        stage.restore(0, None),
        ["request#3 ▶ refresh_token of tpc_1"]
    );
    assert_eq!(stage.issue()[1], "request#4 ▶ read_marker of tpc_1");
    let stale = stage.feed(agent_gateway_machine::EventKind::ReplyReceived {
        request: agent_gateway_machine::RequestId(2),
        reply: Reply::Marker(Some("op_9".into())),
    });
    assert_eq!(stale, ["ignored: request#2 is not outstanding"]);
}

#[test]
fn restored_a_stop_in_flight_is_asked_for_again_and_its_time_goes_on() {
    let mut stage = Stage::connected();
    stage.stop();
    stage.wait(8_000);
    stage.wire(HEARTBEAT_ACK);
    let token = stage.token();
    let lines = stage.restore(1_000_000, Some(token));
    assert_eq!(lines[2], "request#3 ▶ interrupt_run op_1");
    stage.wait(21_999);
    assert_eq!(stage.outcome(), None);
    stage.wait(1);
    assert_eq!(stage.outcome(), Some("interrupted_unconfirmed"));
}

#[test]
fn restored_deadlines_shift_to_the_new_clock() {
    let mut stage = Stage::connected();
    stage.wire(&tool_execute(1, "call_1", 60_500));
    stage.wait(40_000);
    stage.wire(HEARTBEAT_ACK);
    let token = stage.token();
    stage.restore(5, Some(token));
    let mut stage = stage.authenticated().resumed();
    assert!(!has(&stage.wait(19_999), "tool_timed_out"));
    assert!(has(&stage.wait(1), "tool_timed_out call_1"));
}

#[test]
fn restored_an_end_that_was_being_looked_into_is_asked_about_again() {
    let mut stage = Stage::connected();
    stage.wire(&session_complete(1));
    let lines = stage.restore(0, None);
    assert_eq!(
        lines,
        [
            "topic_status_changed running",
            "status_changed reconnecting",
            "request#3 ▶ ask_status op_1"
        ]
    );
    assert!(has(&stage.status("done"), "run_ended completed"));
    // However often it was asked before (S14).
    let mut stage = Stage::connected();
    for id in 1..=3 {
        stage.wire(&session_complete(id));
        stage.status("running");
    }
    assert_eq!(stage.wire(&session_complete(4)), [""; 0]);
    assert!(has(&stage.restore(0, None), "ask_status op_1"));
}

#[test]
fn restored_settling_is_taken_up_again_within_its_time() {
    let mut stage = Stage::connected();
    stage.wire(&end(1, "done"));
    stage.wait(4_000);
    stage.ring();
    let lines = stage.restore(0, None);
    assert_eq!(lines, ["request#3 ▶ settle_marker of tpc_1 for op_1"]);
    assert_eq!(stage.alarm(), Some((6_000, Timer::Settle)));
    stage.reply("settle_marker", Reply::MarkerCleared);
    assert!(stage.state().is_settled());
}

#[test]
fn restored_an_interrupt_behind_the_end_is_asked_for_again() {
    let mut stage = Stage::starting();
    stage.stop();
    let reply = stage.start_reply();
    stage.reply("start_run", reply);
    assert_eq!(stage.restore(0, None), ["request#3 ▶ interrupt_run op_1"]);
    stage.reply("interrupt_run", Reply::Interrupted { success: true });
    assert!(stage.state().is_settled());
}

#[test]
fn restored_before_it_began_or_after_it_settled_there_is_nothing_to_do() {
    let mut idle = Stage::idle();
    assert_eq!(idle.restore(0, None), [""; 0]);
    assert_eq!(idle.execute(execute()).len(), 1);
    let mut ended = Stage::connected();
    ended.detach();
    assert_eq!(ended.restore(u64::MAX, None), [""; 0]);
    assert!(ended.state().is_settled());
}

#[test]
fn restored_while_paused_reads_again() {
    let mut stage = Stage::connected();
    stage.pause();
    stage.wait(500_000);
    let token = stage.token();
    stage.restore(0, Some(token));
    let lines = stage.wait(15_000);
    assert!(has(&lines, "close_connection dial#2 1000"), "{lines:?}");
    assert_eq!(stage.resume_reading(), ["ignored: no change"]);
}

#[test]
fn restored_a_state_of_another_version_is_refused_for_that() {
    let stored = serde_json::to_string(Stage::streamed(1).state()).unwrap();
    assert!(stored.starts_with(r#"{"version":4,"#), "{stored}");
    for other in [
        stored.replacen(r#""version":4"#, r#""version":3"#, 1),
        r#"{"version":3,"made":"of something else"}"#.to_owned(),
    ] {
        let error = serde_json::from_str::<State>(&other).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the state has version 3; this program reads version 4"),
            "{error}"
        );
    }
    let error = serde_json::from_str::<State>("{}").unwrap_err();
    assert!(error.to_string().contains("`version`"), "{error}");
}

/// The replay of the socket that is opened after waking, up to its end.
fn woken(stage: Stage, replayed: &[String]) -> (Stage, Vec<String>) {
    let mut stage = stage;
    let token = stage.token();
    stage.restore(5, Some(token));
    let mut stage = stage.authenticated();
    for frame in replayed {
        stage.wire(frame);
    }
    let lines = stage.wire(&resume_complete("running"));
    (stage, lines)
}

#[test]
fn t1_what_is_open_is_asked_again_of_whoever_carries_a_stored_run_on() {
    let mut stage = Stage::connected();
    stage.wire(&tool_execute(1, "call_1", 60_500));
    stage.wire(&tool_execute(2, "call_2", 60_500));
    stage.answer("call_2", "done");
    stage.wait(20_000);
    stage.wire(HEARTBEAT_ACK);
    let (mut stage, lines) = woken(stage, &[]);
    let requested: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("requested"))
        .collect();
    assert_eq!(
        requested,
        ["tool_requested call_1 fs/read {} within 40000 ms"]
    );
    assert!(has(&stage.answer("call_1", "done"), "tool_result call_1"));
    // The next seam of the same program asks nobody again.
    let mut stage = stage.redialled();
    assert!(!has(&stage.wire(&resume_complete("running")), "requested"));
}

#[test]
fn t1_what_the_replay_shows_as_done_is_not_asked_again() {
    let mut stage = Stage::connected();
    stage.wire(&tool_execute(1, "call_1", 0));
    let (mut stage, lines) = woken(stage, &[tool_end(2, "call_1")]);
    assert!(!has(&lines, "requested"), "{lines:?}");
    let late = stage.answer("call_1", "late");
    assert_eq!(late, ["answer_refused tool call call_1: AlreadyAnswered"]);
}

#[test]
fn t1_a_caller_that_remembers_may_answer_before_it_is_asked_again() {
    let mut stage = Stage::connected();
    stage.wire(&tool_execute(1, "call_1", 0));
    let token = stage.token();
    stage.restore(5, Some(token));
    assert_eq!(stage.answer("call_1", "done"), [""; 0]);
    let mut stage = stage.opened();
    assert!(has(&stage.wire(AUTH_SUCCESS), "tool_result call_1"));
    assert!(!has(&stage.wire(&resume_complete("running")), "requested"));
}

#[test]
fn t7_an_open_prompt_is_asked_again_of_whoever_carries_a_stored_run_on() {
    let mut stage = Stage::connected();
    stage.wire(r#"{"type":"input_request","id":"1","requestId":"req_1","prompt":"?"}"#);
    stage.wire(r#"{"type":"tool_confirmation_request","id":"2","toolCallId":"call_1"}"#);
    let (_, lines) = woken(stage, &[]);
    assert!(has(&lines, "input_requested req_1"), "{lines:?}");
    assert!(has(&lines, "confirmation_requested call_1"), "{lines:?}");
}

/// Each number of a stored state at its end, and all that can follow: it is refused, or carried on.
#[test]
fn i14_a_stored_state_is_as_good_as_what_a_machine_made_or_it_is_refused() {
    let mut stage = Stage::connected();
    stage.wire(&tool_execute(1, "call_1", 60_500));
    stage.cut();
    let stored = serde_json::to_value(stage.state()).unwrap();
    let mut refused = 0;
    for path in numbers(&stored, String::new()) {
        for end in [u64::MAX, u64::from(u32::MAX), 0] {
            let mut changed = stored.clone();
            *changed.pointer_mut(&path).unwrap() = end.into();
            let Ok(state) = serde_json::from_value::<State>(changed) else {
                refused += 1;
                continue;
            };
            let mut state = state;
            for event in what_may_follow() {
                state = transition(state, event).0;
            }
        }
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn c1_a_stored_state_with_a_gateway_that_is_not_allowed_is_refused() {
    let stored = serde_json::to_string(Stage::streamed(1).state()).unwrap();
    let changed = stored.replacen("wss://gateway.example", "ws://gateway.example", 1);
    assert_ne!(stored, changed, "{stored}");
    let error = serde_json::from_str::<State>(&changed).unwrap_err();
    assert!(
        error.to_string().contains("ws://gateway.example"),
        "{error}"
    );
}

#[test]
fn t3_a_stored_state_in_which_something_else_than_an_answer_waits_is_refused() {
    let mut stage = Stage::connected();
    stage.wire(&tool_execute(1, "call_1", 60_500));
    stage.cut();
    stage.answer("call_1", "done");
    let stored = serde_json::to_string(stage.state()).unwrap();
    let answer = concat!(
        r#"{"tool_result":{"tool_call_id":"call_1","content":"done","success":true,"#,
        r#""error":null,"state":null}}"#
    );
    let changed = stored.replace(answer, r#""heartbeat""#);
    assert_ne!(changed, stored, "{stored}");
    let error = serde_json::from_str::<State>(&changed).unwrap_err();
    assert!(error.to_string().contains("no answer"), "{error}");
}

/// The paths of all numbers in it.
fn numbers(value: &Value, path: String) -> Vec<String> {
    match value {
        Value::Number(_) => vec![path],
        Value::Array(items) => (0..)
            .zip(items)
            .flat_map(|(index, item): (usize, _)| numbers(item, format!("{path}/{index}")))
            .collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| numbers(member, format!("{path}/{name}")))
            .collect(),
        Value::Null | Value::Bool(_) | Value::String(_) => Vec::new(),
    }
}

fn what_may_follow() -> Vec<Event> {
    let token = TokenGrant {
        id: TokenId(9),
        kind: TokenKind::Jwt,
        lifetime: None,
    };
    let dial = DialId(2);
    let frame = |text: &str| EventKind::FrameReceived {
        dial,
        frame: ServerFrame::decode(text).unwrap(),
    };
    let kinds = [
        EventKind::Restored { token: Some(token) },
        EventKind::ConnectionOpened { dial },
        frame(AUTH_SUCCESS),
        frame(&resume_complete("running")),
        frame(&tool_execute(2, "call_2", 0)),
        frame(&chunk(9)),
        frame(r#"{"type":"of another world"}"#),
        EventKind::FrameRejected {
            dial,
            problem: FrameProblem::Binary,
        },
        EventKind::AlarmRang,
        EventKind::ConnectionClosed {
            dial,
            close: Close::Lost {
                text: "gone".into(),
            },
        },
        EventKind::AlarmRang,
        EventKind::Stop,
    ];
    (1..)
        .zip(kinds)
        .map(|(step, kind): (u64, _)| Event::new(Timestamp::from_millis(step * 1_000_000), kind))
        .collect()
}

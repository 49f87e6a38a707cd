//! A stored state is woken elsewhere: sockets, requests and tokens are gone, and its deadlines shift to the new clock,
//! counted from the last event it saw.
//! The stage wakes a copy after every step of every test; here is what comes of it.

use agent_gateway_machine::{Execute, Reply, State, Timer};
use agent_gateway_protocol::api::ExecAgent;

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
    assert_eq!(lines[1], "request#3 ▶ interrupt_run op_1");
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
        ["status_changed reconnecting", "request#3 ▶ ask_status op_1"]
    );
    assert!(has(&stage.status("done"), "run_ended completed"));
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
    assert!(stored.starts_with(r#"{"version":3,"#), "{stored}");
    for other in [
        stored.replacen(r#""version":3"#, r#""version":2"#, 1),
        r#"{"version":2,"made":"of something else"}"#.to_owned(),
    ] {
        let error = serde_json::from_str::<State>(&other).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the state has version 2; this program reads version 3"),
            "{error}"
        );
    }
    let error = serde_json::from_str::<State>("{}").unwrap_err();
    assert!(error.to_string().contains("`version`"), "{error}");
}

//! S14: ask, don't guess.

use agent_gateway_machine::{RefusalKind, Reply};
use serde_json::json;

use super::{cut_and_asked_while_away, ends_with, foreign, questions};
use crate::rules::stage::*;

#[test]
fn s14_no_resume_complete_within_five_seconds_asks() {
    let mut stage = Stage::in_seam();
    stage.wait(2_000);
    stage.wire(HEARTBEAT_ACK);
    assert_eq!(stage.wait(2_999), [""; 0]);
    assert_eq!(stage.wait(1), ["request#2 ▶ ask_status op_1"]);
    assert_eq!(stage.status("running"), [""; 0]);
    assert_eq!(stage.outcome(), None);
}

#[test]
fn s14_a_minute_of_nothing_but_acks_asks_and_every_minute_again() {
    let mut stage = Stage::streamed(1);
    for _ in 0..3 {
        stage.wait(30_000);
        stage.wire(HEARTBEAT_ACK);
        let lines = stage.wait(30_000);
        assert!(
            lines.iter().any(|line| line.ends_with("ask_status op_1")),
            "{lines:?}"
        );
        stage.wire(HEARTBEAT_ACK);
        assert_eq!(stage.reply("ask_status", lost()), [""; 0]);
    }
    stage.wait(30_000);
    stage.wire(HEARTBEAT_ACK);
    stage.wait(30_000);
    assert!(ends_with(&stage.status("done"), "completed"));
}

#[test]
fn s14_while_a_question_is_in_flight_no_other_is_asked_and_nothing_spins() {
    let mut stage = Stage::connected();
    stage.wire(&session_complete(1));
    stage.reply("ask_status", Reply::Status(None));
    stage.wait(5_000);
    let lines = stage.wait(9_999);
    assert_eq!(lines, [""; 0]);
    assert_eq!(stage.wait(1), ["cancel_request request#3"]);
}

#[test]
fn s14_what_was_asked_before_not_found_is_asked_anew() {
    let mut stage = Stage::streamed(1);
    stage.wait(60_000);
    stage.wire(AUTH_EXPIRED);
    let lines = stage.reply("refresh_token", refused(RefusalKind::NotFound, 404));
    assert_eq!(
        lines,
        ["cancel_request request#2", "request#4 ▶ ask_status op_1"],
        "the answer on its way may be older than the end"
    );
    let lines = stage.wire(&end(2, "done"));
    assert!(ends_with(&lines, "completed"));
}

#[test]
fn s14_a_gateway_that_gives_reason_after_reason_to_ask_is_asked_three_times_at_once_and_then_once_a_second()
 {
    let mut stage = Stage::connected();
    let mut asked = Vec::new();
    let mut late = Vec::new();
    for round in 0..30 {
        let id = 3 * round;
        let mut lines = late;
        lines.extend(stage.wire(&foreign(
            id + 1,
            "agent_runtime_end",
            json!({ "reason": "done" }),
        )));
        lines.extend(stage.wire(&session_complete(id + 2)));
        lines.extend(stage.wire(&chunk(id + 3)));
        if lines.iter().any(|line| line.contains("ask_status")) {
            asked.push(round * 100);
            stage.status("running");
        }
        late = stage.wait(100);
    }
    assert_eq!(asked, [0, 100, 200, 1_000, 2_000]);
    assert_eq!(stage.outcome(), None);
}

#[test]
fn s14_what_was_asked_before_an_end_was_noted_does_not_make_it_void() {
    let mut stage = Stage::in_seam();
    stage.wait(2_000);
    stage.wire(HEARTBEAT_ACK);
    stage.cut();
    stage.wait_for_dial();
    let mut stage = stage.authenticated();
    stage.wait(5_000);
    assert!(stage.has_asked("ask_status"));
    let lines = stage.wire(&end(1, "done"));
    assert_eq!(
        lines.last().map(|line| &**line),
        Some("cancel_request request#2")
    );
    let lines = stage.wire(&resume_complete("completed"));
    assert!(ends_with(&lines, "completed"));
    assert!(!lines.iter().any(|line| line.contains("gap_found")));
}

#[test]
fn s14_no_answer_overtakes_a_stream_that_is_talking() {
    let mut stage = Stage::streamed(1);
    stage.wait(60_000);
    stage.wire(&chunk(2));
    assert_eq!(stage.status("done"), [""; 0]);
    assert_eq!(stage.wait(1_999), [""; 0]);
    assert_eq!(stage.wait(1), ["request#3 ▶ ask_status op_1"]);
    let mut alive = stage.clone();
    let lines = stage.wire(&end(3, "error"));
    assert!(ends_with(&lines, "failed"));
    assert_eq!(alive.status("running"), [""; 0]);
    assert_eq!(questions(&alive.wait(50_000)), 0, "it is asked once");
}

/// It brings it in the replay, however lately it has spoken.
#[test]
fn s14_no_answer_overtakes_a_stream_that_is_reconnected() {
    let mut stage = Stage::streamed(1);
    stage.stop();
    stage.cut();
    stage.reply("interrupt_run", Reply::Interrupted { success: false });
    assert_eq!(stage.status("done"), [""; 0]);
    assert_eq!(questions(&stage.wait(5_000)), 0);
    let mut stage = stage.authenticated();
    stage.wire(&end(2, "error"));
    assert!(ends_with(&stage.wire(&resume_complete("error")), "failed"));
}

#[test]
fn s14_the_answer_to_a_resume_is_not_missed_on_a_socket_that_is_gone() {
    let mut stage = Stage::in_seam();
    stage.wait(1_000);
    stage.cut();
    assert_eq!(questions(&stage.wait(10_000)), 0);
}

/// The frame is the run's last words, on a slow link.
#[test]
fn s14_no_answer_overtakes_a_frame_that_is_arriving() {
    let mut stage = Stage::streamed(1);
    stage.wait(60_000);
    stage.arriving();
    assert_eq!(stage.status("done"), [""; 0]);
    let lines = stage.arriving_for(20);
    assert!(!lines.iter().any(|line| line.contains("ask_status")));
    assert_eq!(stage.wire(&chunk(2)), [handed(2)]);
    assert!(ends_with(&stage.wire(&end(3, "error")), "failed"));
}

/// On a link so slow that even an ack does.
#[test]
fn s14_acks_that_come_in_parts_do_not_put_the_question_off() {
    let mut stage = Stage::streamed(1);
    stage.wait(30_000);
    stage.arriving_for(1);
    stage.wire(HEARTBEAT_ACK);
    assert_eq!(stage.wait(28_999), [""; 0]);
    let lines = stage.wait(1);
    let asks = |line: &String| line.ends_with("ask_status op_1");
    assert!(lines.iter().any(asks), "{lines:?}");
    stage.arriving();
    assert_eq!(stage.status("done"), [""; 0], "it may be the end");
    stage.wire(HEARTBEAT_ACK);
    assert_eq!(stage.wait(1_999), [""; 0]);
    assert!(stage.wait(1).iter().any(asks), "again, once it is quiet");
    assert!(ends_with(&stage.status("done"), "completed"));
}

#[test]
fn s14_no_answer_overtakes_a_stream_that_is_not_read() {
    let mut stage = Stage::streamed(1);
    stage.wait(60_000);
    stage.pause();
    assert_eq!(stage.status("done"), [""; 0]);
    let lines = stage.wait(3_600_000);
    assert!(
        lines.iter().all(|line| line.ends_with("heartbeat")),
        "{lines:?}"
    );
    stage.resume_reading();
    assert_eq!(stage.wire(&chunk(2)), [handed(2)]);
    assert!(ends_with(&stage.wire(&end(3, "error")), "failed"));
}

#[test]
fn s14_every_replay_has_its_time_to_bring_the_end() {
    let mut stage = Stage::streamed(1);
    cut_and_asked_while_away(&mut stage);
    assert_eq!(stage.status("done"), [""; 0]);
    stage.wait_for_dial();
    let mut stage = stage.authenticated().resumed();
    assert_eq!(stage.wire(&chunk(2)), [handed(2)], "it went on");
    cut_and_asked_while_away(&mut stage);
    assert_eq!(stage.status("done"), [""; 0]);
    stage.wait_for_dial();
    let mut stage = stage.authenticated();
    stage.wire(&end(3, "error"));
    let lines = stage.wire(&resume_complete("completed"));
    assert!(ends_with(&lines, "failed"));
    assert_eq!(stage.state().receipt().gaps, 0);
}

#[test]
fn s14_a_run_that_is_known_again_is_not_known_to_be_gone() {
    let mut stage = Stage::streamed(1);
    stage.wait(60_000);
    stage.reply("ask_status", Reply::Status(None));
    stage.wire(HEARTBEAT_ACK);
    stage.wait(5_000);
    stage.status("running");
    let lines = stage.wait(30_000);
    assert!(
        !lines.iter().any(|line| line.contains("ask_status")),
        "nothing more is to be asked: {lines:?}"
    );
    stage.wire(HEARTBEAT_ACK);
    stage.wait(30_000);
    stage.reply("ask_status", Reply::Status(None));
    assert_eq!(stage.outcome(), None, "it is the first time again");
    stage.wait(5_000);
    stage.reply("ask_status", Reply::Status(None));
    assert_eq!(stage.outcome(), Some("ended_unknown"));
}

#[test]
fn s14_a_pause_is_no_time_in_which_resume_was_not_answered() {
    let asks = |lines: &[String]| lines.iter().any(|line| line.contains("ask_status"));
    let mut stage = Stage::in_seam();
    stage.pause();
    stage.wait(60_000);
    stage.resume_reading();
    assert!(!asks(&stage.wait(4_999)));
    assert!(asks(&stage.wait(1)));
}

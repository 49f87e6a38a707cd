//! C5: whether the peer lives.

use agent_gateway_machine::{FrameProblem, Timer};

use crate::rules::stage::*;

#[test]
fn c5_heartbeats_go_out_every_thirty_seconds() {
    let mut stage = Stage::connected();
    for _ in 0..5 {
        assert_eq!(
            stage
                .wait(30_000)
                .iter()
                .filter(|line| line.ends_with("heartbeat"))
                .count(),
            1
        );
        assert_eq!(stage.wire(HEARTBEAT_ACK), [""; 0]);
    }
}

#[test]
fn c5_silence_past_three_beats_and_a_margin_is_a_redial() {
    let mut stage = Stage::connected();
    stage.wait(99_999);
    assert_eq!(stage.connection(), "connected");
    assert_eq!(
        stage.wait(1),
        [
            "close_connection dial#1 1000",
            "status_changed reconnecting",
            "reconnect_scheduled in 781 ms: the gateway has gone silent"
        ]
    );
}

#[test]
fn c5_any_frame_is_a_sign_of_life() {
    let frames = [
        HEARTBEAT_ACK.to_owned(),
        chunk(1),
        r#"{"type":"unheard_of"}"#.to_owned(),
        resume_complete("running"),
    ];
    for frame in frames {
        let mut stage = Stage::connected();
        stage.wait(99_000);
        stage.wire(&frame);
        stage.wait(99_999);
        assert_eq!(stage.connection(), "connected", "{frame}");
        stage.wait(1);
        assert_eq!(stage.connection(), "reconnecting", "{frame}");
    }
    let mut stage = Stage::connected();
    stage.wait(99_000);
    stage.reject(FrameProblem::Binary);
    stage.wait(99_999);
    assert_eq!(stage.connection(), "connected");
}

#[test]
fn c5_a_frame_that_is_arriving_is_a_sign_of_life() {
    let mut stage = Stage::connected();
    let lines = stage.arriving_for(300);
    assert_eq!(lines, vec!["dial#1 ▶ heartbeat"; 10]);
    stage.wait(99_999);
    assert_eq!(stage.connection(), "connected");
    stage.wait(1);
    assert_eq!(stage.connection(), "reconnecting");
}

#[test]
fn c5_a_frame_that_is_arriving_answers_a_probe() {
    let mut stage = Stage::connected();
    stage.sleep(120_001);
    stage.status("running");
    stage.wait(9_999);
    assert_eq!(stage.arriving(), [""; 0]);
    stage.wait(90_000);
    assert_eq!(stage.connection(), "connected");
}

/// Answers to `auth` are short: what is arriving before them is none.
#[test]
fn c5_before_auth_success_a_frame_that_is_arriving_is_no_sign_of_life() {
    let mut stage = Stage::dialing().opened();
    stage.wait(9_999);
    assert_eq!(stage.arriving(), ["ignored: before auth_success"]);
    assert_eq!(stage.wait(1)[0], "close_connection dial#1 1000");
    assert_eq!(stage.arriving(), ["ignored: dial#1 is not current"]);
}

#[test]
fn c5_a_beat_that_rings_late_probes_and_drops_what_does_not_answer() {
    let mut stage = Stage::connected();
    let lines = stage.sleep(120_001);
    assert_eq!(lines, ["request#2 ▶ ask_status op_1", "dial#1 ▶ heartbeat"]);
    stage.status("running");
    assert_eq!(stage.alarm(), Some((130_001, Timer::Probe)));
    let lines = stage.wait(10_000);
    assert_eq!(lines[0], "close_connection dial#1 1000");
    assert!(lines[2].ends_with("the gateway did not answer a probe"));
}

#[test]
fn c5_a_probe_that_is_answered_at_once_keeps_the_connection() {
    let mut stage = Stage::connected();
    stage.sleep(3_600_000);
    stage.wire(HEARTBEAT_ACK);
    stage.status("running");
    assert_eq!(stage.wait(10_000), [""; 0]);
    assert_eq!(stage.connection(), "connected");
    let mut silent = stage.clone();
    assert_eq!(stage.wait(30_000)[0], "dial#1 ▶ heartbeat");
    // Silence counts from the answer.
    silent.wait(89_999);
    assert_eq!(silent.connection(), "connected");
    silent.wait(1);
    assert_eq!(silent.connection(), "reconnecting");
}

#[test]
fn c5_what_came_before_the_probe_is_no_answer_to_it() {
    let mut stage = Stage::connected();
    stage.pass(3_600_000);
    stage.wire(HEARTBEAT_ACK);
    stage.ring();
    stage.wait(10_000);
    assert_eq!(stage.connection(), "reconnecting");
}

#[test]
fn c5_a_second_sleep_after_the_answer_probes_again() {
    let mut stage = Stage::connected();
    stage.sleep(3_600_000);
    stage.wire(HEARTBEAT_ACK);
    let lines = stage.sleep(3_600_000);
    assert!(lines.contains(&"dial#1 ▶ heartbeat".to_owned()));
    stage.wait(9_999);
    assert_eq!(stage.connection(), "connected");
    stage.wait(1);
    assert_eq!(stage.connection(), "reconnecting");
}

/// A gateway closes a socket on which it hears nothing for 90 s.
#[test]
fn c5_while_reading_is_paused_with_a_probe_out_beats_go_on() {
    let mut stage = Stage::connected();
    stage.cut();
    stage.wait_for_dial();
    let mut stage = stage.authenticated();
    // It does not answer `resume`, so it is probed (C8).
    assert_eq!(stage.wait(5_000)[0], "dial#2 ▶ heartbeat");
    stage.status("running");
    stage.pause();
    let lines = stage.wait(3_600_000);
    assert_eq!(lines, vec!["dial#2 ▶ heartbeat"; 120]);
    stage.resume_reading();
    stage.wait(9_999);
    assert_eq!(stage.connection(), "connected");
    stage.wait(1);
    assert_eq!(stage.connection(), "reconnecting");
}

#[test]
fn c5_while_reading_is_paused_the_clocks_stand_still_and_beats_go_on() {
    let mut stage = Stage::connected();
    stage.wait(90_000);
    stage.pause();
    let lines = stage.wait(3_600_000);
    assert_eq!(lines, vec!["dial#1 ▶ heartbeat"; 120]);
    stage.resume_reading();
    stage.wait(9_999);
    assert_eq!(stage.connection(), "connected");
    stage.wait(1);
    assert_eq!(stage.connection(), "reconnecting");
}

#[test]
fn c5_a_pause_stops_the_clocks_of_dial_and_auth_too() {
    let mut stage = Stage::dialing();
    stage.pause();
    assert_eq!(stage.wait(600_000), [""; 0]);
    stage.open();
    assert_eq!(stage.wait(600_000), [""; 0]);
    assert_eq!(stage.resume_reading(), [""; 0]);
    assert_eq!(stage.resume_reading(), ["ignored: no change"]);
    assert_eq!(stage.wait(9_999), [""; 0]);
    assert_eq!(stage.wait(1)[0], "close_connection dial#1 1000");
}

#[test]
fn c5_what_comes_during_a_pause_is_not_heard_ahead_of_time() {
    let mut stage = Stage::dialing();
    stage.pause();
    stage.wait(600_000);
    let mut stage = stage.authenticated().resumed();
    stage.resume_reading();
    stage.wait(99_999);
    assert_eq!(stage.connection(), "connected");
    assert_eq!(stage.wait(1)[0], "close_connection dial#1 1000");
}

#[test]
fn c5_while_reading_is_paused_a_beat_that_rings_late_is_no_sleep() {
    let mut stage = Stage::connected();
    stage.pause();
    assert_eq!(stage.sleep(200_000), ["dial#1 ▶ heartbeat"]);
    assert_eq!(stage.wait(60_000), ["dial#1 ▶ heartbeat"; 2], "they go on");
    stage.resume_reading();
    stage.wait(10_000);
    assert_eq!(stage.connection(), "connected", "it was not probed");
}

#[test]
fn c5_a_pause_after_the_answer_to_a_probe_is_no_silence() {
    let mut stage = Stage::connected();
    stage.sleep(200_000);
    stage.status("running");
    stage.wire(HEARTBEAT_ACK);
    stage.pause();
    stage.wait(150_000);
    stage.resume_reading();
    assert_eq!(stage.wait(10_000), [""; 0], "it is not probed again");
}

//! C8: the seam after each `resume`.

use agent_gateway_machine::Millis;
use serde_json::json;

use super::stage::*;

fn replayed(id: u64) -> String {
    handed(id) + ", replayed"
}

#[test]
fn c8_in_a_seam_frames_pass_in_order_each_once_and_without_waiting() {
    let mut stage = Stage::streamed(3).redialled();
    assert_eq!(stage.wire(&chunk(6)), [""; 0]);
    assert_eq!(stage.wire(&chunk(4)), [replayed(4)]);
    assert_eq!(stage.wire(&chunk(4)), [""; 0]);
    assert_eq!(stage.wire(&chunk(6)), [""; 0]);
    assert_eq!(stage.wire(&chunk(5)), [replayed(5), replayed(6)]);
    assert_eq!(stage.wire(&resume_complete("running")), [""; 0]);
    assert_eq!(stage.state().receipt().duplicates, 2);
}

#[test]
fn c8_with_an_empty_cursor_the_next_expected_id_is_one() {
    let mut stage = Stage::in_seam();
    assert_eq!(stage.wire(&chunk(2)), [""; 0]);
    assert_eq!(stage.wire(&chunk(1)), [handed(1), handed(2)]);
}

#[test]
fn c8_the_first_resume_complete_ends_the_seam_and_what_is_held_goes_on_with_its_gaps() {
    let mut stage = Stage::streamed(3).redialled();
    stage.wire(&chunk(6));
    stage.wire(&chunk(9));
    assert_eq!(
        stage.wire(&resume_complete("running")),
        [
            "gap_found after 3 before 6",
            &replayed(6),
            "gap_found after 6 before 9",
            &replayed(9)
        ]
    );
    assert_eq!(stage.wire(&chunk(5)), [""; 0], "a late fill is dropped");
    assert_eq!(stage.state().receipt().late, 1);
    assert_eq!(stage.wire(&chunk(10)), [handed(10)]);
}

#[test]
fn c8_without_resume_complete_the_seam_ends_two_seconds_after_the_last_frame_found_its_place() {
    let mut stage = Stage::in_seam();
    stage.wait(1_000);
    stage.wire(&chunk(2));
    assert_eq!(stage.wait(1_999), [""; 0]);
    assert_eq!(
        stage.wait(1),
        ["dial#1 ▶ heartbeat"],
        "the gateway is asked for a sign"
    );
    assert_eq!(
        stage.wire(HEARTBEAT_ACK),
        ["gap_found after start before 2", &handed(2)]
    );
    assert_eq!(
        stage.wire(&chunk(4)),
        ["gap_found after 2 before 4", &handed(4)]
    );
}

#[test]
fn c8_what_came_after_a_probe_and_then_nothing_is_a_dead_socket_and_gives_nothing_up() {
    let mut stage = Stage::in_seam();
    stage.wire(&chunk(2));
    stage.wait(2_000);
    stage.wire(&chunk(3));
    let lines = stage.wait(10_000);
    assert!(
        lines.contains(&"dial#1 ▶ heartbeat".to_owned()),
        "{lines:?}"
    );
    let lines = stage.wait(10_000);
    assert!(!lines.iter().any(|line| line.contains("gap_found")));
    assert_eq!(stage.connection(), "reconnecting");
}

#[test]
fn c8_a_gateway_that_talks_and_answers_no_heartbeat_is_probed_twice() {
    let mut stage = Stage::in_seam();
    stage.wire(&chunk(2));
    stage.wait(2_000);
    for id in 3..5 {
        assert_eq!(stage.wire(&chunk(id)), [""; 0]);
        stage.wait(10_000);
    }
    assert_eq!(stage.state().receipt().delivered, 3);
    assert_eq!(stage.connection(), "connected");
}

/// The replay is a frame that takes a minute on a slow link, and a live one has overtaken it.
#[test]
fn c8_while_a_frame_is_arriving_a_probe_gives_nothing_up() {
    let mut stage = Stage::in_seam();
    stage.wire(&chunk(2));
    assert_eq!(stage.wait(2_000), ["dial#1 ▶ heartbeat"]);
    let lines = stage.arriving_for(60);
    stage.status("running");
    assert!(
        !lines.iter().any(|line| line.contains("gap_found")),
        "{lines:?}"
    );
    assert_eq!(stage.connection(), "connected");
    assert_eq!(stage.wire(&chunk(1)), [handed(1), handed(2)]);
    assert_eq!(stage.wire(HEARTBEAT_ACK), [""; 0]);
    assert_eq!(
        stage.wire(&chunk(4)),
        ["gap_found after 2 before 4", &handed(4)],
        "the seam is over"
    );
}

#[test]
fn c8_a_frame_that_is_arriving_keeps_the_seam_from_being_quiet() {
    let mut stage = Stage::in_seam();
    stage.wait(1_000);
    stage.arriving();
    let lines = stage.arriving_for(3);
    assert!(!lines.contains(&"dial#1 ▶ heartbeat".to_owned()));
    stage.wait(1_999);
    assert!(stage.wait(1).contains(&"dial#1 ▶ heartbeat".to_owned()));
}

#[test]
fn c8_a_hole_that_shrinks_keeps_the_seam_open() {
    let mut stage = Stage::in_seam();
    stage.wire(&chunk(20));
    for id in 1..10 {
        let lines = stage.wait(1_900);
        assert!(!lines.contains(&"dial#1 ▶ heartbeat".to_owned()));
        assert_eq!(stage.wire(&chunk(id)), [handed(id)]);
    }
    stage.wait(1_999);
    assert!(stage.wait(1).contains(&"dial#1 ▶ heartbeat".to_owned()));
}

#[test]
fn c8_a_stream_that_never_rests_does_not_keep_a_seam_without_a_hole_open() {
    let mut stage = Stage::in_seam();
    let call = json!({ "toolCallId": "call_1", "identifier": "tools", "apiName": "run", "arguments": "{}" });
    stage.wire(&event(1, "tool_execute", call));
    for id in 2..5 {
        assert_no_probe(&stage.wait(600));
        assert_eq!(stage.wire(&chunk(id)), [handed(id)]);
    }
    assert_eq!(stage.wait(200), ["dial#1 ▶ heartbeat"]);
    assert_eq!(stage.wire(&chunk(5)), [handed(5)]);
    let lines = stage.wire(HEARTBEAT_ACK);
    assert!(lines[0].starts_with("tool_requested call_1"), "{lines:?}");
}

#[test]
fn c8_a_new_hole_has_its_whole_time() {
    let mut stage = Stage::in_seam();
    stage.wait(1_999);
    stage.wire(&chunk(2));
    stage.wait(1_000);
    assert_eq!(stage.wire(&chunk(1)), [handed(1), handed(2)]);
}

#[test]
fn c8_the_clock_of_a_hole_stands_still_while_reading_is_paused() {
    let mut stage = Stage::in_seam();
    stage.wait(500);
    stage.wire(&chunk(2));
    stage.wait(500);
    stage.pause();
    stage.wait(20_000);
    stage.resume_reading();
    assert_eq!(stage.wait(1_499), [""; 0]);
    assert_eq!(stage.wait(1), ["dial#1 ▶ heartbeat"]);
}

#[test]
fn c8_a_gateway_that_has_sent_resume_complete_has_five_seconds_after_the_last_frame_that_found_its_place()
 {
    let mut stage = Stage::streamed(1).redialled();
    stage.wire(&chunk(9));
    for id in 2..6 {
        assert_no_probe(&stage.wait(4_900));
        assert_eq!(stage.wire(&chunk(id)), [replayed(id)], "a slow replay");
    }
    assert_no_probe(&stage.wait(4_999));
    assert!(stage.wait(1).contains(&"dial#2 ▶ heartbeat".to_owned()));
}

#[test]
fn c8_a_seam_whose_resume_complete_never_comes_ends_at_the_answer_to_a_probe() {
    let mut stage = Stage::streamed(1).redialled();
    let call = json!({ "toolCallId": "call_1", "identifier": "tools", "apiName": "run", "arguments": "{}" });
    stage.wire(&event(2, "tool_execute", call));
    stage.wire(&chunk(4));
    stage.wait(5_000);
    let lines = stage.wire(HEARTBEAT_ACK);
    assert_eq!(
        lines[..2],
        ["gap_found after 2 before 4".to_owned(), replayed(4)]
    );
    assert!(lines[2].starts_with("tool_requested call_1"), "{lines:?}");
    assert_eq!(stage.wire(&chunk(5)), [handed(5)], "the seam is over");
    // A late one still tells its status.
    let lines = stage.wire(&resume_complete("interrupted"));
    assert!(
        lines.contains(&"run_ended interrupted".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn c8_a_gateway_that_has_answered_resume_and_died_since_gives_nothing_up() {
    let mut stage = Stage::streamed(1).redialled();
    stage.wire(&chunk(3));
    stage.wait(5_000);
    let lines = stage.wait(10_000);
    assert!(
        !lines.iter().any(|line| line.contains("gap_found")),
        "{lines:?}"
    );
    assert_eq!(stage.connection(), "reconnecting");
}

fn assert_no_probe(lines: &[String]) {
    let probed = lines.iter().any(|line| line.contains("heartbeat"));
    assert!(!probed, "{lines:?}");
}

#[test]
fn c8_the_seam_ends_at_its_bound_in_frames() {
    let mut stage = Stage::with(|limits| limits.seam_frames = 3)
        .executed()
        .started();
    stage = stage.authenticated();
    stage.wire(&chunk(5));
    stage.wire(&chunk(7));
    assert_eq!(
        stage.wire(&chunk(6)),
        [
            "gap_found after start before 5",
            &handed(5),
            &handed(6),
            &handed(7)
        ]
    );
    assert_eq!(
        stage.wire(&chunk(9)),
        ["gap_found after 7 before 9", &handed(9)]
    );
}

#[test]
fn c8_the_seam_ends_at_its_bound_in_bytes() {
    let mut stage = Stage::with(|limits| limits.seam_bytes = 200)
        .executed()
        .started();
    stage = stage.authenticated();
    stage.wire(&chunk(3));
    let long = event(2, "stream_chunk", json!({ "content": "x".repeat(200) }));
    let lines = stage.wire(&long);
    assert_eq!(lines[0], "gap_found after start before 2");
    assert_eq!(lines[2], handed(3));
}

#[test]
fn c8_at_its_least_bound_a_seam_holds_nothing() {
    let mut stage = Stage::with(|limits| {
        limits.seam_frames = 1;
        limits.seam_bytes = 1;
        limits.ring = 1;
    });
    stage.execute(execute());
    let mut stage = stage.started().authenticated();
    let gap = "gap_found after start before 18446744073709551615";
    let lines = stage.wire(&chunk(u64::MAX));
    assert_eq!(lines[0], gap);
    assert_eq!(stage.wire(&chunk(u64::MAX)), [""; 0]);
    assert_eq!(stage.wire(&chunk(7)), [""; 0], "a late fill");
    assert_eq!(stage.state().receipt().late, 1);
}

#[test]
fn c8_a_lost_socket_takes_its_seam_along_and_the_next_replay_brings_it_all() {
    let mut stage = Stage::streamed(1).redialled();
    stage.wire(&chunk(4));
    stage.cut();
    stage.wait_for_dial();
    stage.open();
    assert_eq!(stage.wire(AUTH_SUCCESS)[1], "dial#3 ▶ resume after 1");
    for id in 2..=4 {
        assert_eq!(stage.wire(&chunk(id)), [replayed(id)]);
    }
    assert_eq!(stage.state().receipt().duplicates, 0);
}

#[test]
fn c8_a_seam_of_numbers_and_names_does_not_go_back() {
    let mut stage = Stage::with(|limits| limits.seam_quiet = Millis(1))
        .executed()
        .started();
    stage = stage.authenticated();
    stage.wire(&chunk(5));
    let name = r#"{"type":"agent_event","id":"x","event":{"type":"step_start","data":{}}}"#;
    stage.wire(name);
    stage.wire(&chunk(10));
    stage.wire(&resume_complete("running"));
    assert_eq!(
        stage.state().cursor().and_then(|cursor| cursor.id.clone()),
        Some(10.into())
    );
}

//! C9–C11: each frame in its place, once; the cursor, and gaps.

use agent_gateway_machine::{Attach, Cursor, Reply};
use agent_gateway_protocol::EventId;
use serde_json::json;

use super::stage::*;

fn gap_flag(status: &str) -> String {
    json!({ "type": "resume_complete", "status": status, "gap": true }).to_string()
}

fn replayed(id: u64) -> String {
    handed(id) + ", replayed"
}

/// A chunk of another life of the operation: same id, other content.
fn other_chunk(id: u64) -> String {
    let data = json!({ "chunkType": "text", "content": "again" });
    let event = json!({ "type": "stream_chunk", "timestamp": 1_000_000 + id, "data": data });
    json!({ "type": "agent_event", "id": id.to_string(), "event": event }).to_string()
}

/// A gateway has taken a member's end for the run's, up to frame 2, and goes on to `last`: it forgets the operation some
/// time after.
fn misled_up_to(last: u64, mut stage: Stage) -> Stage {
    stage.wire(&event_of(
        "op_2",
        1,
        "agent_runtime_end",
        json!({ "reason": "done" }),
    ));
    stage.wire(&session_complete(2));
    stage.status("running");
    for id in 3..=last {
        stage.wire(&chunk(id));
    }
    stage
}

/// Cut and dialled again: what `resume` names.
fn resumed_after(stage: &mut Stage) -> String {
    stage.cut();
    stage.wait_for_dial();
    stage.open();
    let lines = stage.wire(AUTH_SUCCESS);
    let resume = lines.iter().find_map(|line| line.split_once("▶ resume "));
    resume.expect("a resume").1.to_owned()
}

#[test]
fn c9_every_frame_with_an_id_takes_its_place() {
    let mut stage = Stage::in_seam();
    stage.wire(&event_of("op_2", 2, "stream_chunk", json!({})));
    stage.wire(r#"{"type":"from_the_future","id":"3"}"#);
    stage.wire(&status_change(4, "running"));
    stage.wire(r#"{"type":"input_request","id":"5","requestId":"req_1","prompt":"?"}"#);
    stage.wire(&chunk(6));
    assert_eq!(
        stage.wire(&chunk(1)),
        [
            &handed(1),
            "event_received stream_chunk at 2, not ours",
            "warning_raised unknown frame from_the_future",
            "input_requested req_1 \"?\"",
            &handed(6)
        ]
    );
}

#[test]
fn c9_a_known_frame_again_is_a_duplicate_in_a_seam_and_outside() {
    let mut stage = Stage::streamed(3).redialled();
    assert_eq!(stage.wire(&chunk(2)), [""; 0]);
    assert_eq!(stage.wire(&chunk(3)), [""; 0]);
    let mut stage = stage.resumed();
    assert_eq!(stage.wire(&chunk(1)), [""; 0]);
    assert_eq!(stage.state().receipt().duplicates, 3);
    assert_eq!(stage.state().receipt().gaps, 0);
}

#[test]
fn c9_an_unknown_frame_at_or_below_the_cursor_is_a_restarted_counter() {
    for in_seam in [true, false] {
        let mut stage = Stage::streamed(3).redialled();
        if !in_seam {
            stage = stage.resumed();
        }
        let lines = stage.wire(&other_chunk(1));
        assert_eq!(lines[0], "gap_found after 3");
        assert!(
            lines[1].starts_with("event_received stream_chunk \"again\" at 1/1"),
            "{lines:?}"
        );
        assert_eq!(stage.wire(&other_chunk(1)), [""; 0]);
        let cursor = stage.state().cursor().cloned().expect("a cursor");
        assert_eq!((cursor.epoch, cursor.id), (1, Some(EventId::Number(1))));
        assert_eq!(stage.wire(&other_chunk(2)).len(), 1);
    }
}

#[test]
fn c9_a_restart_in_a_seam_keeps_the_order_of_the_new_counter() {
    let mut stage = Stage::streamed(5).redialled();
    assert_eq!(stage.wire(&other_chunk(3)), ["gap_found after 5"]);
    assert_eq!(stage.wire(&other_chunk(1)).len(), 1);
    assert_eq!(stage.wire(&other_chunk(2)).len(), 2);
    assert_eq!(stage.state().receipt().gaps, 1);
}

#[test]
fn c9_a_restart_in_a_seam_lets_go_of_what_it_holds_by_the_old_counter() {
    let mut stage = Stage::streamed(2).redialled();
    assert_eq!(stage.wire(&chunk(4)), [""; 0]);
    assert_eq!(stage.wire(&other_chunk(1))[0], "gap_found after 2");
    for id in 2..=5 {
        let lines = stage.wire(&other_chunk(id));
        let handed = format!("event_received stream_chunk \"again\" at 1/{id}, replayed");
        assert_eq!(lines, [handed]);
    }
    assert_eq!(stage.state().receipt().late, 1);
    assert_eq!(stage.state().receipt().gaps, 1);
}

#[test]
fn c9_the_ring_forgets_the_oldest() {
    let mut stage = Stage::connected_with(|limits| limits.ring = 2);
    for id in 1..=4 {
        stage.wire(&chunk(id));
    }
    assert_eq!(stage.wire(&chunk(3)), [""; 0]);
    assert_eq!(stage.wire(&chunk(1))[0], "gap_found after 4");
}

#[test]
fn c9_ids_that_are_no_numbers_pass_as_they_come_each_once() {
    let mut stage = Stage::in_seam();
    let frame = |id: &str| {
        json!({ "type": "agent_event", "id": id, "event": { "type": "step_start", "data": {} } })
            .to_string()
    };
    assert_eq!(stage.wire(&frame("b")), ["event_received step_start at b"]);
    assert_eq!(stage.wire(&frame("a")), ["event_received step_start at a"]);
    assert_eq!(stage.wire(&frame("b")), [""; 0]);
    assert_eq!(stage.wire(&frame("")).len(), 1);
    assert_eq!(stage.wire(&frame("")).len(), 1, "an empty id is none");
    assert_eq!(stage.wire(&frame("007")).len(), 1);
    assert_eq!(stage.wire(&chunk(1)), [handed(1)]);
}

#[test]
fn c9_frames_without_an_id_are_handed_on() {
    let mut stage = Stage::in_seam();
    stage.wire(&chunk(2));
    let bare = r#"{"type":"agent_event","event":{"type":"step_start","data":{}}}"#;
    assert_eq!(stage.wire(bare), ["event_received step_start at start"]);
    assert_eq!(stage.wire(bare), ["event_received step_start at start"]);
    let zero = r#"{"type":"agent_event","id":"0","event":{"type":"step_start","data":{}}}"#;
    assert_eq!(stage.wire(zero), ["event_received step_start at start"]);
}

#[test]
fn c10_no_new_socket_resets_the_cursor_and_it_never_goes_back() {
    let mut stage = Stage::streamed(7);
    for dial in 2..5 {
        stage.cut();
        stage.wait_for_dial();
        stage.open();
        assert_eq!(
            stage.wire(AUTH_SUCCESS)[1],
            format!("dial#{dial} ▶ resume after 7")
        );
        stage.wire(&chunk(6));
        assert_eq!(
            stage.state().cursor().and_then(|cursor| cursor.id.clone()),
            Some(7.into())
        );
    }
}

#[test]
fn c10_a_cursor_can_be_given_at_the_start() {
    let mut stage = Stage::idle();
    let mut attach = Attach::new("op_1".into(), None);
    attach.cursor = Cursor {
        epoch: 2,
        id: Some(41.into()),
        digest: None,
    };
    attach.token = Some(stage.token());
    stage.attach(attach);
    stage.open();
    assert_eq!(stage.wire(AUTH_SUCCESS)[1], "dial#1 ▶ resume after 41");
    let lines = stage.wire(&chunk(42));
    assert_eq!(
        lines,
        ["event_received stream_chunk \"t42\" at 2/42, replayed"]
    );
}

#[test]
fn c10_a_gateway_that_forgot_the_operation_and_counted_past_the_cursor_is_noticed() {
    let mut stage = misled_up_to(7, Stage::connected());
    assert_eq!(resumed_after(&mut stage), "after 6");
    let handed = |id| format!("event_received stream_chunk \"again\" at 1/{id}, replayed");
    let lines = stage.wire(&other_chunk(7));
    assert_eq!(lines, ["gap_found after 7".to_owned(), handed(7)]);
    assert_eq!(stage.wire(&other_chunk(8)), [handed(8)]);
    assert_eq!(stage.state().receipt().gaps, 1);
    assert_eq!(resumed_after(&mut stage), "after 7", "it may forget again");
}

#[test]
fn c10_a_gateway_that_may_have_forgotten_and_has_not_sends_one_frame_twice() {
    // Some send the frame that `resume` names too.
    for first in [7, 6] {
        let mut stage = misled_up_to(7, Stage::connected());
        assert_eq!(resumed_after(&mut stage), "after 6");
        for id in first..=7 {
            assert_eq!(stage.wire(&chunk(id)), [""; 0]);
        }
        assert_eq!(stage.wire(&chunk(8)), [replayed(8)]);
        assert_eq!(stage.state().receipt().gaps, 0);
        assert_eq!(resumed_after(&mut stage), "after 7", "it may forget yet");
    }
}

/// Until the overlap has come nobody knows by which count the rest is, live frames that overtake the replay above all.
#[test]
fn c10_what_overtakes_the_overlap_waits_for_it() {
    for forgotten in [true, false] {
        let mut stage = misled_up_to(7, Stage::connected());
        assert_eq!(resumed_after(&mut stage), "after 6");
        let frame = |id| {
            if forgotten {
                other_chunk(id)
            } else {
                chunk(id)
            }
        };
        let mut handed = Vec::new();
        for id in [8, 9, 7, 8, 9, 10] {
            let lines = stage.wire(&frame(id));
            let events = lines.into_iter().filter(|line| line.starts_with("event_"));
            handed.extend(events.map(|line| (id, line)));
        }
        handed.extend(
            stage
                .wire(&resume_complete("running"))
                .into_iter()
                .map(|line| (0, line)),
        );
        let came: Vec<u64> = handed.iter().map(|(id, _)| *id).collect();
        let gaps = stage.state().receipt().gaps;
        if forgotten {
            assert_eq!((came, gaps), (vec![7, 8, 9, 10], 1), "{handed:?}");
        } else {
            assert_eq!((came, gaps), (vec![7, 7, 10], 0), "{handed:?}");
        }
    }
}

/// The gateway has lost its buffer, and counts on.
#[test]
fn c10_where_the_overlap_never_comes_the_seams_end_lets_the_rest_go_on() {
    let mut stage = misled_up_to(7, Stage::connected());
    resumed_after(&mut stage);
    assert_eq!(stage.wire(&chunk(8)), [""; 0]);
    assert_eq!(stage.wire(&chunk(10)), [""; 0]);
    let lines = stage.wire(&resume_complete("running"));
    let gap = |places| format!("gap_found after {places}");
    let hole = gap("8 before 10");
    assert_eq!(lines, [gap("7"), replayed(8), hole, replayed(10)]);
    // Nothing waits for it: what comes later is by an unknown count all the same, and that is told once.
    let mut stage = misled_up_to(7, Stage::connected());
    resumed_after(&mut stage);
    assert_eq!(stage.wire(&resume_complete("running")), [gap("7")]);
    assert_eq!(stage.wire(&chunk(8)), [handed(8)]);
}

/// What a gateway sends of itself says no time, and may look the same in the next count.
#[test]
fn c10_what_is_asked_for_again_is_a_frame_that_says_when_it_was() {
    let back = || {
        let mut stage = Stage::streamed(3);
        stage.wire(&session_complete(4));
        stage.status("running");
        assert_eq!(resumed_after(&mut stage), "after 2");
        stage
    };
    let mut same = back();
    assert_eq!(same.wire(&chunk(3)), [""; 0]);
    assert_eq!(same.wire(&session_complete(4)), [""; 0]);
    assert_eq!(same.wire(&chunk(5)), [replayed(5)]);
    assert_eq!(same.state().receipt().gaps, 0);
    let mut other = back();
    assert_eq!(other.wire(&other_chunk(3))[0], "gap_found after 4");
    // Too far back: the cursor's own will have to do.
    let mut stage = Stage::streamed(3);
    for id in 4..=8 {
        stage.wire(&session_complete(id));
    }
    stage.status("running");
    assert_eq!(resumed_after(&mut stage), "after 7");
}

/// Before it there is none to name.
#[test]
fn c10_the_first_frame_of_all_is_asked_for_from_the_beginning() {
    for undated in 0..=3 {
        let back = || {
            let mut stage = Stage::streamed(1);
            for id in 2..2 + undated {
                stage.wire(&session_complete(id));
            }
            stage.wire(&resume_complete("completed"));
            stage.status("running");
            assert_eq!(resumed_after(&mut stage), "from the beginning", "{undated}");
            stage
        };
        let mut same = back();
        assert_eq!(same.wire(&chunk(1)), [""; 0]);
        assert_eq!(same.wire(&chunk(2 + undated)), [replayed(2 + undated)]);
        assert_eq!(same.state().receipt().gaps, 0);
        let mut other = back();
        let lines = other.wire(&other_chunk(1));
        assert_eq!(lines[0], format!("gap_found after {}", 1 + undated));
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(other.wire(&other_chunk(2)).len(), 1);
    }
    // Too far back: the cursor's own will have to do.
    let mut stage = Stage::streamed(1);
    for id in 2..=5 {
        stage.wire(&session_complete(id));
    }
    stage.status("running");
    assert_eq!(resumed_after(&mut stage), "after 4");
}

/// What fills it now is late, so that `resume` can name it.
#[test]
fn c10_the_frame_behind_a_hole_that_was_given_up_is_asked_for_once_more() {
    let mut stage = misled_up_to(2, Stage::connected()).redialled();
    stage.wire(&chunk(5));
    stage.wire(&resume_complete("running"));
    assert_eq!(stage.state().receipt().gaps, 1);
    assert_eq!(resumed_after(&mut stage), "after 4");
    for again in [chunk(4), chunk(5)] {
        assert_eq!(stage.wire(&again), [""; 0]);
    }
    assert_eq!(stage.wire(&chunk(6)), [replayed(6)]);
    let receipt = stage.state().receipt();
    assert_eq!((receipt.gaps, receipt.late, receipt.duplicates), (1, 1, 1));
    // And in a new count that is known from a frame that came in the place of another.
    let mut stage = misled_up_to(7, Stage::connected());
    resumed_after(&mut stage);
    stage.wire(&other_chunk(7));
    assert_eq!(resumed_after(&mut stage), "after 6");
}

#[test]
fn c10_what_looks_like_an_end_and_waits_for_its_turn_has_been_seen() {
    let foreign_end = event_of("op_2", 5, "agent_runtime_end", json!({ "reason": "done" }));
    for seen in [
        end(5, "done"),
        foreign_end,
        session_complete(5),
        status_change(5, "completed"),
    ] {
        let mut stage = Stage::streamed(3).redialled();
        assert_eq!(stage.wire(&seen), [""; 0]);
        assert_eq!(resumed_after(&mut stage), "after 2", "{seen}");
    }
    let mut stage = Stage::streamed(3).redialled();
    stage.wire(&chunk(5));
    assert_eq!(resumed_after(&mut stage), "after 3");
}

#[test]
fn c10_what_looks_like_an_end_and_comes_too_late_has_been_seen() {
    let mut stage = Stage::streamed(3).redialled();
    stage.wire(&chunk(6));
    stage.wire(&chunk(7));
    stage.wire(&resume_complete("running"));
    assert_eq!(stage.wire(&session_complete(4)), [""; 0]);
    assert_eq!(resumed_after(&mut stage), "after 6");
}

/// Some gateways send it, and live frames overtake it.
#[test]
fn c10_in_a_new_count_the_frame_that_resume_names_is_late() {
    let mut stage = misled_up_to(7, Stage::connected());
    assert_eq!(resumed_after(&mut stage), "after 6");
    stage.wire(&other_chunk(7));
    for again in 6..=7 {
        assert_eq!(stage.wire(&other_chunk(again)), [""; 0], "{again}");
    }
    let receipt = stage.state().receipt();
    assert_eq!((receipt.gaps, receipt.late, receipt.duplicates), (1, 1, 1));
}

#[test]
fn c10_the_overlap_is_known_whatever_the_ring_has_forgotten() {
    let mut stage = misled_up_to(7, Stage::connected());
    assert_eq!(resumed_after(&mut stage), "after 6");
    for id in 9..9 + 1_024 {
        stage.wire(&chunk(id));
    }
    for id in 7..9 + 1_024 {
        assert_eq!(stage.wire(&chunk(id)), [""; 0], "{id}");
    }
}

#[test]
fn c10_whatever_looked_like_an_end_may_have_misled_the_gateway() {
    let foreign_end = event_of("op_2", 4, "agent_runtime_end", json!({ "reason": "done" }));
    for seen in [foreign_end, end(4, "waiting_for_async_tool")] {
        let mut stage = Stage::streamed(3);
        stage.wire(&seen);
        assert_eq!(resumed_after(&mut stage), "after 3", "{seen}");
    }
    // Noted in a seam that was lost, and in one whose end the server refuted before it came.
    let mut lost = Stage::streamed(3).redialled();
    lost.wire(&end(4, "done"));
    assert_eq!(resumed_after(&mut lost), "after 3");
    let mut refuted = Stage::streamed(3).redialled();
    refuted.wire(&end(4, "done"));
    refuted.wait(5_000);
    refuted.status("running");
    refuted.wire(&resume_complete("running"));
    assert_eq!(resumed_after(&mut refuted), "after 3");
    // The counter started again for another reason.
    let mut restarted = misled_up_to(7, Stage::connected());
    for id in 1..=3 {
        restarted.wire(&other_chunk(id));
    }
    assert_eq!(resumed_after(&mut restarted), "after 2");
}

#[test]
fn c10_an_end_that_the_server_refutes_may_be_forgotten_too() {
    let mut stage = Stage::streamed(3);
    stage.wire(&session_complete(4));
    stage.status("running");
    assert_eq!(resumed_after(&mut stage), "after 2");
}

#[test]
fn c10_where_the_frame_before_the_cursors_is_not_known_resume_names_the_cursor() {
    let foreign_end = |id| event_of("op_2", id, "agent_runtime_end", json!({ "reason": "done" }));
    // 100 was given, and never seen here.
    let mut stage = Stage::attached_at(100);
    stage.wire(&foreign_end(101));
    stage.wire(&resume_complete("completed"));
    assert_eq!(resumed_after(&mut stage), "after 101");
    // 3 is missing.
    let mut stage = misled_up_to(2, Stage::connected());
    stage.wire(&chunk(4));
    assert_eq!(resumed_after(&mut stage), "after 4");
    // 6 is forgotten by now.
    let mut stage = misled_up_to(7, Stage::connected_with(|limits| limits.ring = 1));
    assert_eq!(resumed_after(&mut stage), "after 7");
    // And here, perhaps: what has no number came after 7.
    let mut stage = misled_up_to(7, Stage::connected_with(|limits| limits.ring = 2));
    stage.wire(r#"{"type":"agent_event","id":"x","event":{"type":"step_start","data":{}}}"#);
    assert_eq!(resumed_after(&mut stage), "after 7");
}

#[test]
fn c11_a_session_complete_without_an_id_is_preceded_by_a_gap() {
    for (complete, gaps) in [(session_complete(4), 0), (NO_ID.to_owned(), 1)] {
        let mut stage = Stage::streamed(3);
        stage.wire(&complete);
        let lines = stage.status("done");
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("run_ended completed"))
        );
        assert_eq!(stage.state().receipt().gaps, gaps, "{complete}");
    }
}

const NO_ID: &str = r#"{"type":"session_complete"}"#;

#[test]
fn c11_a_gap_flag_is_one_gap() {
    let mut stage = Stage::streamed(3).redialled();
    assert_eq!(stage.wire(&gap_flag("running")), ["gap_found after 3"]);
    let mut stage = Stage::streamed(3).redialled();
    stage.wire(&chunk(501));
    assert_eq!(
        stage.wire(&gap_flag("running")),
        ["gap_found after 3 before 501", &replayed(501)]
    );
    assert_eq!(stage.state().receipt().gaps, 1);
}

#[test]
fn c11_a_counter_that_starts_again_with_a_jump_is_one_gap() {
    let mut stage = Stage::streamed(5);
    let lines = stage.wire(&other_chunk(3));
    assert_eq!(lines[0], "gap_found after 5");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(stage.state().receipt().gaps, 1);
    assert_eq!(
        stage.wire(&other_chunk(9))[0],
        "gap_found after 1/3 before 1/9"
    );
}

#[test]
fn d4_a_replay_that_includes_the_cursors_event_is_a_duplicate() {
    let mut stage = Stage::streamed(3).redialled();
    assert_eq!(stage.wire(&chunk(3)), [""; 0]);
    assert_eq!(stage.wire(&chunk(4)), [replayed(4)]);
    let mut given = Stage::attached_at(3);
    assert_eq!(
        given.wire(&chunk(3)),
        [""; 0],
        "even if only its id was given"
    );
    assert_eq!(given.wire(&chunk(4)), [replayed(4)]);
    assert_eq!(given.state().receipt().gaps, 0);
}

#[test]
fn d5_attach_to_a_busy_stream_hands_on_every_event_at_once() {
    let mut stage = Stage::attaching();
    stage.issue();
    stage.reply("read_marker", Reply::Marker(Some("op_1".into())));
    let mut stage = stage.authenticated();
    for id in 1..50 {
        assert_eq!(stage.wire(&chunk(id)), [handed(id)]);
        stage.wait(400);
    }
}

#[test]
fn d11_a_live_end_that_overtakes_the_replay_comes_after_everything_before_it() {
    let mut stage = Stage::attached_at(100);
    assert_eq!(stage.wire(&end(120, "done")), [""; 0]);
    assert_eq!(stage.wire(&session_complete(121)), [""; 0]);
    for id in 101..119 {
        assert_eq!(stage.wire(&chunk(id)), [replayed(id)]);
    }
    let last = stage.wire(&chunk(119));
    assert_eq!(
        last,
        [
            &replayed(119),
            "event_received agent_runtime_end done at 120, replayed"
        ]
    );
    assert_eq!(stage.outcome(), None);
    let lines = stage.wire(&resume_complete("completed"));
    assert_eq!(lines[2], "run_ended completed");
}

//! S2, C11: an end that was noted, and what is missing before or behind it.

use agent_gateway_machine::RefusalKind;
use serde_json::json;

use super::{ends_with, wait_for_question};
use crate::rules::stage::*;

#[test]
fn c11_an_end_that_nobody_can_explain_any_more_is_preceded_by_a_gap() {
    for answer in [lost(), status_reply("running")] {
        let mut stage = Stage::attaching();
        stage.reply("refresh_token", refused(RefusalKind::NotFound, 404));
        let mut lines = stage.reply("ask_status", answer.clone());
        while stage.outcome().is_none() {
            wait_for_question(&mut stage);
            lines = stage.reply("ask_status", answer.clone());
        }
        assert_eq!(lines[0], "gap_found after start");
        assert!(ends_with(&lines, "ended_unknown"), "{lines:?}");
        // One that goes on is not asked about again, and its marker is not ours to clear (R6).
        let goes_on = answer == status_reply("running");
        assert_eq!(stage.state().is_settled(), goes_on);
    }
}

#[test]
fn s2_an_end_noted_in_a_lost_seam_does_not_say_how_the_run_went() {
    let gone = || refused(RefusalKind::NotFound, 404);
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "done"));
    stage.restore(0, None);
    assert_eq!(
        stage.reply("refresh_token", gone()),
        ["request#3 ▶ ask_status op_1"],
        "the operation may have been started again, and gone on"
    );
    let lines = stage.clone().status("interrupted");
    assert_eq!(lines[0], "gap_found after 1");
    assert!(ends_with(&lines, "interrupted"));
    let mut unanswered = stage.clone();
    let mut lines = unanswered.reply("ask_status", lost());
    while unanswered.outcome().is_none() {
        wait_for_question(&mut unanswered);
        lines = unanswered.reply("ask_status", lost());
    }
    assert!(ends_with(&lines, "ended_unknown"));
    stage.restore(0, None);
    assert!(ends_with(&stage.status("done"), "completed"));
}

/// What it says more than the server does (S8).
#[test]
fn s2_after_not_found_the_reason_of_an_end_noted_before_is_kept() {
    let mut stage = Stage::in_seam();
    stage.wire(&event(1, "error", json!({ "message": "boom" })));
    stage.wire(AUTH_EXPIRED);
    stage.reply("refresh_token", refused(RefusalKind::NotFound, 404));
    stage.wait(2_000);
    assert!(ends_with(&stage.status("error"), "failed"));
    let outcome = stage.state().outcome().map(ToString::to_string);
    assert!(
        outcome.as_deref().is_some_and(|text| text.contains("boom")),
        "{outcome:?}"
    );
}

#[test]
fn s2_after_not_found_a_sign_of_life_takes_the_reason_of_an_end() {
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "done"));
    stage.wire(AUTH_EXPIRED);
    stage.reply("refresh_token", refused(RefusalKind::NotFound, 404));
    stage.wire(&chunk(2));
    stage.wire(&end(3, "interrupted"));
    let lines = stage.wire(&resume_complete("interrupted"));
    assert!(ends_with(&lines, "interrupted"));
    assert!(!lines.iter().any(|line| line.contains("gap_found")));
}

#[test]
fn s2_what_is_missing_behind_a_noted_end_takes_its_reason() {
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "done"));
    let flagged = r#"{"type":"resume_complete","status":"completed","gap":true}"#;
    let asked = ["gap_found after 1", "request#2 ▶ ask_status op_1"];
    assert_eq!(stage.clone().wire(flagged), asked);
    let mut stage = stage.redialled();
    assert_eq!(stage.clone().wire(flagged), asked);
    stage.wire(&end(7, "interrupted"));
    let lines = stage.wire(&resume_complete("interrupted"));
    assert_eq!(lines[0], "gap_found after 1 before 7");
    assert!(ends_with(&lines, "interrupted"), "{lines:?}");
}

#[test]
fn c11_an_end_told_in_its_place_and_outside_the_sequence_is_no_gap() {
    let outside = r#"{"type":"session_complete","summary":""}"#;
    let mut stage = Stage::streamed(1);
    stage.wire(outside);
    let lines = stage.wire(&end(2, "done"));
    assert!(ends_with(&lines, "completed"));
    assert!(
        !lines.iter().any(|line| line.contains("gap_found")),
        "{lines:?}"
    );
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "done"));
    stage.wire(outside);
    let lines = stage.wire(&resume_complete("completed"));
    assert!(ends_with(&lines, "completed"));
    assert!(
        !lines.iter().any(|line| line.contains("gap_found")),
        "{lines:?}"
    );
}

#[test]
fn s2_what_is_missing_behind_an_end_that_was_held_takes_its_reason() {
    let mut stage = Stage::in_seam();
    stage.wire(&end(2, "done"));
    stage.wire(&session_complete(4));
    let lines = stage.wire(&resume_complete("completed"));
    assert!(
        lines.contains(&"request#2 ▶ ask_status op_1".into()),
        "{lines:?}"
    );
    assert!(ends_with(&stage.status("interrupted"), "interrupted"));
}

#[test]
fn s2_a_count_that_begins_again_behind_a_noted_end_takes_its_reason() {
    for number in [1, 2] {
        let mut stage = Stage::in_seam();
        stage.wire(&chunk(1));
        stage.wire(&end(2, "done"));
        let other = end(9, "interrupted").replace(r#""id":"9""#, &format!(r#""id":"{number}""#));
        let lines = stage.wire(&other);
        assert_eq!(lines[0], "gap_found after 2");
        let lines = stage.wire(&resume_complete("interrupted"));
        assert!(ends_with(&lines, "interrupted"), "{lines:?}");
    }
}

#[test]
fn c11_a_status_that_turns_out_to_be_no_end_is_no_gap() {
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "waiting_for_async_tool"));
    stage.wire(&session_complete(2));
    stage.wire(&chunk(3));
    // The gateway took the wait for an end, and nothing tells it better.
    let lines = stage.wire(&resume_complete("completed"));
    assert!(
        !lines.iter().any(|line| line.contains("gap_found")),
        "{lines:?}"
    );
    assert_eq!(stage.clone().reply("ask_status", lost()), [""; 0]);
    stage.wait(2_000);
    let lines = stage.status("done");
    assert_eq!(lines[0], "gap_found after 3");
    assert!(ends_with(&lines, "completed"));
}

#[test]
fn c11_an_end_that_a_silent_seam_left_open_is_preceded_by_a_gap() {
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "error"));
    stage.wait(2_000);
    stage.wait(3_000);
    let lines = stage.status("error");
    assert_eq!(lines[0], "gap_found after 1");
    assert!(ends_with(&lines, "failed"));
}

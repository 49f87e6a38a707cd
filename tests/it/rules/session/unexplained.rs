//! S3: an end that does not say how the run went.

use agent_gateway_machine::{Millis, Network, Refusal, RefusalKind, Reply, RequestFailure};
use serde_json::json;

use super::{dials, ends_with, foreign, questions, wait_for_question};
use crate::rules::stage::*;

#[test]
fn s3_session_complete_in_its_place_is_terminal_and_the_server_says_how_it_went() {
    for (status, outcome) in [
        ("done", "completed"),
        ("error", "failed"),
        ("interrupted", "interrupted"),
    ] {
        let mut stage = Stage::streamed(1);
        assert_eq!(
            stage.wire(&session_complete(2)),
            ["request#2 ▶ ask_status op_1"]
        );
        assert_eq!(
            dials(&stage.cut()),
            0,
            "no dial while the end is looked into"
        );
        assert!(ends_with(&stage.status(status), outcome));
    }
}

#[test]
fn s3_an_end_that_nobody_can_explain_is_ended_unknown() {
    let mut stage = Stage::connected();
    stage.wire(&session_complete(1));
    stage.reply("ask_status", Reply::Status(None));
    assert_eq!(stage.wait(5_000), ["request#3 ▶ ask_status op_1"]);
    assert!(ends_with(
        &stage.reply("ask_status", Reply::Status(None)),
        "ended_unknown"
    ));
}

#[test]
fn s3_an_unanswered_question_is_asked_again_and_never_touches_the_marker() {
    let mut stage = Stage::connected();
    stage.wire(&session_complete(1));
    for pause in [1_000, 2_000, 4_000, 8_000, 16_000] {
        assert_eq!(stage.reply("ask_status", lost()), [""; 0]);
        assert_eq!(questions(&stage.wait(pause / 2 - 1)), 0);
        assert_eq!(questions(&stage.wait(pause / 2 + 1)), 1);
        assert_eq!(stage.outcome(), None);
    }
    let lines = stage.reply("ask_status", lost());
    assert!(ends_with(&lines, "ended_unknown"));
    assert_eq!(questions(&lines), 1, "R6: once more before the marker");
    assert_eq!(stage.reply("ask_status", lost()), [""; 0]);
    assert!(stage.state().is_settled());
    assert!(!stage.has_asked("settle_marker"));
}

#[test]
fn s3_a_question_that_is_about_to_be_asked_again_is_not_asked_before() {
    let mut stage = Stage::connected();
    stage.wire(&session_complete(1));
    stage.reply("ask_status", lost());
    assert_eq!(stage.wire(&session_complete(2)), [""; 0]);
    assert_eq!(questions(&stage.wait(1_000)), 1);
}

/// That it does not know the run is an answer.
#[test]
fn s3_only_questions_in_a_row_that_bring_no_answer_are_counted() {
    let mut stage = Stage::connected();
    stage.wire(&session_complete(1));
    for _ in 0..5 {
        stage.reply("ask_status", lost());
        wait_for_question(&mut stage);
    }
    stage.reply("ask_status", Reply::Status(None));
    wait_for_question(&mut stage);
    stage.reply("ask_status", lost());
    assert_eq!(stage.outcome(), None);
    wait_for_question(&mut stage);
    assert!(ends_with(&stage.status("done"), "completed"));
    // Nor does another end have fewer.
    let mut stage = Stage::connected();
    stage.wire(&session_complete(1));
    for _ in 0..4 {
        stage.reply("ask_status", lost());
        wait_for_question(&mut stage);
    }
    stage.reply("ask_status", lost());
    stage.wire(&chunk(2));
    assert_eq!(questions(&stage.wire(&session_complete(3))), 1);
    stage.reply("ask_status", lost());
    assert_eq!(stage.outcome(), None);
}

/// It came first (S7).
#[test]
fn s3_an_end_that_is_being_looked_into_wins_over_auth_failed() {
    let mut stage = Stage::streamed(1);
    stage.wire(&session_complete(2));
    let lines = stage.wire(&auth_failed("userId mismatch"));
    assert!(lines.contains(&"close_connection dial#1 1000".to_owned()));
    assert_eq!(dials(&stage.wait(5_000)), 0);
    assert!(ends_with(&stage.status("done"), "completed"));
}

#[test]
fn s3_while_the_end_is_looked_into_a_dead_socket_is_not_dialled_anew() {
    let mut stage = Stage::connected();
    stage.wire(&session_complete(1));
    stage.sleep(3_600_000);
    let lines = stage.wait(10_000);
    assert!(lines.contains(&"close_connection dial#1 1000".to_owned()));
    assert_eq!(dials(&stage.wait(5_000)), 0);
    assert!(ends_with(&stage.status("done"), "completed"));
}

#[test]
fn s3_a_question_that_is_not_answered_in_time_is_asked_again() {
    let mut stage = Stage::streamed(1);
    stage.wire(&session_complete(2));
    assert_eq!(stage.wait(9_999), [""; 0]);
    assert_eq!(questions(&stage.wait(1_001)), 1);
    stage.status("running");
    assert_eq!(stage.wire(&chunk(3)), [handed(3)]);
}

#[test]
fn s3_a_question_is_asked_again_when_the_server_says_so() {
    let mut stage = Stage::connected();
    stage.wire(&session_complete(1));
    let busy = Refusal {
        kind: RefusalKind::Other,
        status: 429,
        retry_after: Some(Millis::seconds(20)),
        message: "slow down".into(),
        path: None,
    };
    let busy = Reply::Failed(RequestFailure::Refused(busy));
    assert_eq!(stage.reply("ask_status", busy), [""; 0]);
    assert_eq!(stage.wait(19_999), [""; 0]);
    assert_eq!(stage.wait(1), ["request#3 ▶ ask_status op_1"]);
    assert!(ends_with(&stage.status("done"), "completed"));
}

#[test]
fn s3_while_the_network_is_gone_questions_are_not_counted() {
    let mut stage = Stage::connected();
    stage.wire(&session_complete(1));
    stage.network(Network::Offline);
    for _ in 0..10 {
        assert_eq!(stage.reply("ask_status", unreachable()), [""; 0]);
        assert_eq!(questions(&stage.wait(30_000)), 1);
    }
    assert_eq!(stage.outcome(), None);
    assert!(ends_with(&stage.status("done"), "completed"));
}

#[test]
fn c15_when_the_network_is_back_a_question_that_an_end_waits_for_is_asked_at_once() {
    let mut stage = Stage::connected();
    stage.wire(&session_complete(1));
    stage.network(Network::Offline);
    stage.wait(2_000);
    stage.reply("ask_status", unreachable());
    stage.network(Network::Online);
    assert_eq!(questions(&stage.wait(0)), 1);
    // A run that is only being attached to asks as soon.
    let mut stage = Stage::attaching();
    stage.reply("refresh_token", refused(RefusalKind::NotFound, 404));
    stage.network(Network::Offline);
    stage.reply("ask_status", unreachable());
    stage.network(Network::Online);
    assert_eq!(questions(&stage.wait(0)), 1);
}

#[test]
fn s3_session_complete_releases_no_hole() {
    let mut stage = Stage::in_seam();
    stage.wire(&session_complete(3));
    assert_eq!(stage.wire(&chunk(1)), [handed(1)]);
    assert_eq!(stage.outcome(), None);
    assert_eq!(stage.wire(&chunk(2)), [handed(2)]);
    stage.wire(&resume_complete("completed"));
    assert!(ends_with(&stage.status("done"), "completed"));
}

/// It may be a late echo (S4), and the run's own end may be behind it.
#[test]
fn s3_behind_a_foreign_end_session_complete_is_not_whole() {
    for own_between in [false, true] {
        let mut stage = Stage::connected();
        let done = json!({ "reason": "done" });
        stage.wire(&foreign(1, "agent_runtime_end", done));
        if own_between {
            stage.wire(&chunk(2));
        }
        stage.wait(5_001);
        let last = if own_between { 3 } else { 2 };
        assert_eq!(
            stage.wire(&session_complete(last)),
            ["request#2 ▶ ask_status op_1"]
        );
        let lines = stage.status("done");
        assert_eq!(lines[0], format!("gap_found after {last}"));
        assert!(ends_with(&lines, "completed"));
    }
}

#[test]
fn s3_a_run_that_goes_on_after_all_is_streamed_on() {
    let mut stage = Stage::streamed(1);
    stage.wire(&session_complete(2));
    stage.cut();
    let lines = stage.status("running");
    assert_eq!(dials(&lines), 1);
    let mut stage = stage.authenticated();
    // Asked for once more (C10).
    for known in [chunk(1), session_complete(2)] {
        assert_eq!(stage.wire(&known), [""; 0]);
    }
    assert_eq!(stage.wire(&chunk(3)), [handed(3) + ", replayed"]);
}

/// It may wait for an asynchronous tool: the gateway keeps `completed` for that too (S9b).
#[test]
fn s3_completed_behind_a_gap_is_asked_about_and_never_told_unasked() {
    let complete = r#"{"type":"resume_complete","status":"completed","gap":true}"#;
    let mut stage = Stage::streamed(1).redialled();
    stage.wire(complete);
    assert!(stage.has_asked("ask_status"));
    assert_eq!(stage.outcome(), None);
    let mut unanswered = stage.clone();
    unanswered.wait(180_000);
    assert_eq!(unanswered.outcome(), Some("ended_unknown"));
    assert!(!unanswered.has_asked("settle_marker"));
    stage.status("waiting_for_async_tool");
    stage.wait(30_000);
    assert_eq!(stage.outcome(), None, "it goes on");
}

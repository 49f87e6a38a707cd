//! S1, S2, S4–S6, S9b: whose events they are, and what ends a run.

use agent_gateway_machine::{Execute, Millis, Outcome, Renewal, RunError};
use serde_json::json;

use super::{SETTLES, dials, ends_with, foreign};
use crate::rules::stage::*;

#[test]
fn s1_events_without_an_operation_or_with_ours_are_own_and_foreign_ones_change_nothing() {
    let mut stage = Stage::connected();
    let bare = r#"{"type":"agent_event","id":"1","event":{"type":"step_start"}}"#;
    assert_eq!(stage.wire(bare), ["event_received step_start at 1"]);
    assert_eq!(
        stage.wire(&foreign(
            2,
            "agent_runtime_end",
            json!({ "reason": "done" })
        )),
        ["event_received agent_runtime_end done at 2, not ours"]
    );
    let error = foreign(3, "error", json!({ "message": "boom" }));
    assert_eq!(stage.wire(&error).len(), 1);
    assert_eq!(stage.outcome(), None);
    assert_eq!(
        stage.state().cursor().and_then(|cursor| cursor.id.clone()),
        Some(3.into())
    );
}

#[test]
fn s1_the_end_of_a_sub_thread_is_not_the_runs_and_its_life_neither() {
    let sub = json!({ "subagent": { "id": "s" }, "reason": "done" });
    let mut stage = Stage::connected();
    assert_eq!(
        stage
            .wire(&event(1, "agent_runtime_end", sub.clone()))
            .len(),
        1
    );
    assert_eq!(stage.outcome(), None);
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "done"));
    stage.wire(&event(2, "stream_chunk", sub));
    assert!(ends_with(
        &stage.wire(&resume_complete("completed")),
        "completed"
    ));
}

#[test]
fn s2_an_own_end_is_terminal_handed_on_and_latched_with_its_reason() {
    let failed = |text: &str| {
        let kind = "AgentRuntimeError".into();
        let text = text.into();
        Outcome::Failed(RunError { kind, text })
    };
    let ends = [
        ("done", Outcome::Completed),
        ("completed", Outcome::Completed),
        ("success", Outcome::Completed),
        ("from_the_future", Outcome::Completed),
        ("error", failed("the run failed")),
        ("interrupted", Outcome::Interrupted),
        ("cancelled", Outcome::Interrupted),
    ];
    for (reason, outcome) in ends {
        let mut stage = Stage::connected();
        let lines = stage.wire(&end(1, reason));
        assert_eq!(
            lines,
            [
                &format!("event_received agent_runtime_end {reason} at 1"),
                "close_connection dial#1 1000",
                "status_changed disconnected",
                &format!("run_ended {}", outcome.name()),
                "topic_status_changed active",
                &format!("request#2 ▶ {SETTLES}")
            ]
        );
        assert_eq!(stage.state().outcome(), Some(&outcome));
        assert_eq!(
            stage.wire(&session_complete(2)),
            ["ignored: dial#1 is not current"]
        );
        assert_eq!(dials(&stage.wait(600_000)), 0);
    }
}

#[test]
fn s2_an_own_error_is_terminal_but_a_tools_is_handed_on_only() {
    let error = |phase: &str| event(1, "error", json!({ "message": "boom", "phase": phase }));
    for phase in ["tool_execution", "tool_message_persist"] {
        let mut stage = Stage::connected();
        assert_eq!(stage.wire(&error(phase)).len(), 1);
        assert_eq!(stage.outcome(), None);
    }
    for phase in ["llm_execution", "step_execution", "from_the_future"] {
        let mut stage = Stage::connected();
        assert!(ends_with(&stage.wire(&error(phase)), "failed"));
    }
    let mut stage = Stage::connected();
    assert!(ends_with(
        &stage.wire(&event(1, "error", json!(null))),
        "failed"
    ));
}

#[test]
fn s2_in_a_seam_an_end_is_only_noted_and_counts_at_its_end() {
    let mut stage = Stage::in_seam();
    assert_eq!(stage.wire(&end(1, "interrupted")).len(), 1);
    assert_eq!(stage.wire(&session_complete(2)), [""; 0]);
    assert_eq!(stage.wire(&event(3, "step_complete", json!({}))).len(), 1);
    assert!(ends_with(
        &stage.wire(&resume_complete("completed")),
        "interrupted"
    ));
}

#[test]
fn s2_what_trails_behind_an_end_or_comes_at_any_time_does_not_make_it_void() {
    for kind in [
        "agent_runtime_end",
        "error",
        "step_complete",
        "visible_output_end",
        "notify_update",
        "session_title",
        "message_patch",
        "member_runtime_end",
    ] {
        let mut stage = Stage::in_seam();
        stage.wire(&end(1, "interrupted"));
        assert_eq!(stage.wire(&event(2, kind, json!({}))).len(), 1, "{kind}");
        let lines = stage.wire(&resume_complete("completed"));
        assert!(ends_with(&lines, "interrupted"), "{kind}: {lines:?}");
    }
}

#[test]
fn s2_later_own_events_or_a_status_running_make_a_noted_end_void() {
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "done"));
    let lines = stage.wire(&chunk(2));
    assert_eq!(lines, [&handed(2), "request#2 ▶ ask_status op_1"]);
    assert_eq!(
        stage.wire(&resume_complete("completed")),
        ["cancel_request request#2", "request#3 ▶ ask_status op_1"]
    );
    assert_eq!(
        stage.outcome(),
        None,
        "completed says nothing of the outcome; S14 asks"
    );
    let lines = stage.status("done");
    assert_eq!(lines[0], "gap_found after 2");
    assert!(ends_with(&lines, "completed"));
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "done"));
    assert_eq!(
        stage.wire(&resume_complete("running")),
        ["request#2 ▶ ask_status op_1"]
    );
    assert_eq!(stage.status("running"), [""; 0]);
    assert_eq!(stage.wire(&chunk(2)), [handed(2)]);
    assert!(ends_with(&stage.wire(&end(3, "done")), "completed"));
}

#[test]
fn s2_the_first_end_is_latched() {
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "cancelled"));
    stage.wire(&end(2, "success"));
    stage.wire(&event(3, "error", json!({ "message": "boom" })));
    assert!(ends_with(
        &stage.wire(&resume_complete("completed")),
        "interrupted"
    ));
}

#[test]
fn s4_the_echo_of_a_foreign_end_is_ignored_and_asked_about() {
    let end_of_member = foreign(1, "agent_runtime_end", json!({ "reason": "done" }));
    for echo in [
        session_complete(2),
        status_change(2, "completed"),
        status_change(2, "error"),
    ] {
        let mut stage = Stage::connected();
        stage.wire(&end_of_member);
        stage.wait(4_900);
        assert_eq!(
            stage.wire(&echo),
            [
                "ignored: the echo of another operation's end",
                "request#2 ▶ ask_status op_1"
            ]
        );
        assert_eq!(stage.status("running"), [""; 0]);
        assert_eq!(stage.outcome(), None);
    }
    let mut stage = Stage::connected();
    stage.wire(&end_of_member);
    stage.wire(&chunk(2));
    assert_eq!(
        stage.wire(&session_complete(3)),
        ["request#2 ▶ ask_status op_1"]
    );
    assert_eq!(dials(&stage.cut()), 0, "it is no echo");
    assert!(ends_with(&stage.status("error"), "failed"));
}

/// It may be that of a tool, and old gateways echo ends only.
#[test]
fn s4_another_operations_error_is_no_end() {
    let mut stage = Stage::connected();
    let of_tool = json!({ "message": "no", "phase": "tool_execution" });
    stage.wire(&foreign(1, "error", of_tool));
    assert!(ends_with(&stage.wire(&status_change(2, "error")), "failed"));
}

#[test]
fn s4_if_the_last_end_seen_is_foreign_a_terminal_status_asks_first() {
    let mut stage = Stage::connected();
    stage.wire(&foreign(
        1,
        "agent_runtime_end",
        json!({ "reason": "done" }),
    ));
    stage.wire(&chunk(2));
    stage.wait(20_000);
    let lines = stage.wire(&status_change(3, "error"));
    assert_eq!(lines[1], "request#2 ▶ ask_status op_1");
    stage.wait(3_000);
    assert!(ends_with(&stage.status("error"), "failed"));
    // One of our own has been seen since, whatever became of it; or before, and it still stands.
    let mut stage = Stage::connected();
    let done = || json!({ "reason": "done" });
    stage.wire(&foreign(1, "agent_runtime_end", done()));
    stage.wait(5_001);
    stage.wire(&session_complete(2));
    stage.status("running");
    assert!(ends_with(&stage.wire(&status_change(3, "error")), "failed"));
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "done"));
    stage.wire(&foreign(2, "agent_runtime_end", done()));
    stage.pass(5_001);
    let lines = stage.wire(&resume_complete("completed"));
    assert!(ends_with(&lines, "completed"));
    assert!(
        !lines.iter().any(|line| line.contains("ignored")),
        "{lines:?}"
    );
}

#[test]
fn s5_a_terminal_resume_complete_is_terminal_and_any_other_means_alive() {
    for (status, outcome) in [("error", "failed"), ("interrupted", "interrupted")] {
        let mut stage = Stage::in_seam();
        assert!(ends_with(&stage.wire(&resume_complete(status)), outcome));
    }
    let mut stage = Stage::in_seam();
    let lines = stage.wire(&resume_complete("completed"));
    assert!(lines.contains(&"request#2 ▶ ask_status op_1".to_owned()));
    for status in [
        "running",
        "idle",
        "waiting_for_human",
        "waiting_for_async_tool",
        "new",
    ] {
        let mut stage = Stage::in_seam();
        assert_eq!(stage.wire(&resume_complete(status)), [""; 0]);
    }
    let mut stage = Stage::in_seam();
    assert_eq!(stage.wire(r#"{"type":"resume_complete"}"#), [""; 0]);
}

#[test]
fn s5_later_resume_completes_count_for_their_status_only() {
    let mut stage = Stage::connected();
    assert_eq!(stage.wire(&resume_complete("running")), [""; 0]);
    assert!(ends_with(
        &stage.wire(&resume_complete("interrupted")),
        "interrupted"
    ));
}

#[test]
fn s5_status_change_is_terminal_alive_or_as_session_complete() {
    let mut stage = Stage::connected();
    assert!(ends_with(&stage.wire(&status_change(1, "error")), "failed"));
    let mut stage = Stage::connected();
    assert!(ends_with(
        &stage.wire(&status_change(1, "interrupted")),
        "interrupted"
    ));
    let mut stage = Stage::connected();
    assert_eq!(
        stage.wire(&status_change(1, "completed")),
        ["request#2 ▶ ask_status op_1"]
    );
    let mut stage = Stage::connected();
    assert_eq!(stage.wire(&status_change(1, "waiting_for_human")), [""; 0]);
    assert_eq!(stage.wire(&status_change(2, "running")), [""; 0]);
}

#[test]
fn s6_silence_never_ends_a_run() {
    let mut stage = Stage::with(|limits| limits.token_lifetime = Millis::seconds(1 << 40));
    let key = stage.api_key();
    stage.execute(Execute {
        token: Some(key),
        renewal: Renewal::Never,
        ..execute()
    });
    let mut stage = stage.started().authenticated();
    for _ in 0..50 {
        stage.wait(100_000);
        stage.wait_for_dial();
        stage = stage.authenticated();
    }
    assert_eq!(stage.outcome(), None);
}

#[test]
fn s9b_waiting_for_human_parks_whatever_follows() {
    let mut stage = Stage::connected();
    let lines = stage.wire(&end(1, "waiting_for_human"));
    assert!(ends_with(&lines, "parked"));
    assert!(!lines.iter().any(|line| line.contains("settle_marker")));
    for status in ["completed", "waiting_for_human"] {
        let mut stage = Stage::in_seam();
        stage.wire(&end(1, "waiting_for_human"));
        stage.wire(&session_complete(2));
        assert!(
            ends_with(&stage.wire(&resume_complete(status)), "parked"),
            "{status}"
        );
    }
}

#[test]
fn s9b_waiting_for_async_tool_is_a_status_and_the_operation_goes_on_later() {
    let mut stage = Stage::connected();
    assert_eq!(stage.wire(&end(1, "waiting_for_async_tool")).len(), 1);
    assert_eq!(
        stage.wire(&session_complete(2)),
        [
            "ignored: the run waits for an asynchronous tool",
            "request#2 ▶ ask_status op_1"
        ]
    );
    assert_eq!(stage.status("waiting_for_async_tool"), [""; 0]);
    let lines = stage.wire(&status_change(3, "completed"));
    assert_eq!(lines[0], "ignored: the run waits for an asynchronous tool");
    stage.status("waiting_for_async_tool");
    assert_eq!(stage.wire(&chunk(4)), [handed(4)]);
    assert_eq!(
        stage.wire(&session_complete(5)),
        ["request#4 ▶ ask_status op_1"]
    );
    assert!(ends_with(&stage.status("done"), "completed"));
}

#[test]
fn s9b_of_a_run_that_has_waited_a_status_completed_says_nothing() {
    let mut stage = Stage::connected();
    stage.wire(&end(1, "waiting_for_async_tool"));
    stage.wire(&chunk(2));
    assert_eq!(
        stage.wire(&status_change(3, "completed")),
        [
            "ignored: the run waits for an asynchronous tool",
            "request#2 ▶ ask_status op_1"
        ]
    );
    stage.status("running");
    assert_eq!(stage.wire(&chunk(4)), [handed(4)]);
    // Where its end has been seen, it only says the same.
    let mut stage = Stage::in_seam();
    stage.wire(&end(1, "waiting_for_async_tool"));
    stage.wire(&chunk(2));
    stage.wire(&end(3, "done"));
    let lines = stage.wire(&resume_complete("completed"));
    assert!(ends_with(&lines, "completed"));
    assert!(
        !lines.iter().any(|line| line.contains("ignored")),
        "{lines:?}"
    );
}

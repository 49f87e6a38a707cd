//! S1–S14: one operation's stream, its end, its token.

use agent_gateway_machine::{
    Attach, DialFailureKind, EventKind, Execute, Millis, Network, Outcome, Receipt, Refusal,
    RefusalKind, Renewal, Reply, RequestFailure, RunError, TokenGrant,
};
use serde_json::json;

use super::stage::*;

const SETTLES: &str = "settle_marker of tpc_1 for op_1";

fn foreign(id: u64, kind: &str, data: serde_json::Value) -> String {
    event_of("op_2", id, kind, data)
}

fn ends_with(lines: &[String], outcome: &str) -> bool {
    lines.contains(&format!("run_ended {outcome}"))
}

fn dials(lines: &[String]) -> usize {
    let dials = lines
        .iter()
        .filter(|line| line.starts_with("open_connection"));
    dials.count()
}

fn lifetime(seconds: u64, token: TokenGrant) -> TokenGrant {
    TokenGrant {
        lifetime: Some(Millis::seconds(seconds)),
        ..token
    }
}

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
fn s3_session_complete_releases_no_hole() {
    let mut stage = Stage::in_seam();
    stage.wire(&session_complete(3));
    assert_eq!(stage.wire(&chunk(1)), [handed(1)]);
    assert_eq!(stage.outcome(), None);
    assert_eq!(stage.wire(&chunk(2)), [handed(2)]);
    stage.wire(&resume_complete("completed"));
    assert!(ends_with(&stage.status("done"), "completed"));
}

#[test]
fn s3_a_run_that_goes_on_after_all_is_streamed_on() {
    let mut stage = Stage::streamed(1);
    stage.wire(&session_complete(2));
    stage.cut();
    let lines = stage.status("running");
    assert_eq!(dials(&lines), 1);
    let mut stage = stage.authenticated();
    assert_eq!(stage.wire(&chunk(3)), [handed(3) + ", replayed"]);
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
fn s7_auth_failed_is_terminal() {
    for reason in [
        "signature verification failed",
        "userId mismatch",
        "Missing token",
        "",
    ] {
        let mut stage = Stage::dialing().opened();
        let lines = stage.wire(&auth_failed(reason));
        assert_eq!(lines[0], "close_connection dial#1 1000");
        assert!(ends_with(&lines, "auth_lost"), "{reason}");
        assert_eq!(dials(&stage.wait(600_000)), 0);
    }
    let mut stage = Stage::connected();
    assert!(ends_with(
        &stage.wire(&auth_failed("userId mismatch")),
        "auth_lost"
    ));
}

#[test]
fn s7_an_authentication_timeout_is_a_failed_attempt() {
    let mut stage = Stage::dialing().opened();
    let lines = stage.wire(&auth_failed("Authentication timeout"));
    assert_eq!(
        lines[2],
        "reconnect_scheduled in 781 ms: Authentication timeout"
    );
    stage.wait_for_dial();
    assert_eq!(stage.open()[0], "dial#2 ▶ auth token#1");
}

#[test]
fn s7_nbf_is_tried_once_more_per_token_after_a_second() {
    let nbf = auth_failed("\"nbf\" claim timestamp check failed");
    let mut stage = Stage::dialing().opened();
    stage.wire(&nbf);
    assert_eq!(stage.wait_for_dial(), 1_000);
    assert_eq!(stage.open()[0], "dial#2 ▶ auth token#1");
    assert!(ends_with(&stage.wire(&nbf), "auth_lost"));
}

#[test]
fn s7_a_token_too_old_by_the_gateways_clock_is_replaced() {
    let mut stage = Stage::dialing().opened();
    let lines = stage.wire(&auth_failed("\"exp\" claim timestamp check failed"));
    assert!(lines.contains(&"request#2 ▶ refresh_token of tpc_1".to_owned()));
}

#[test]
fn s7_however_it_is_said_that_a_token_ran_out_it_is_replaced() {
    for reason in ["token expired", "JWTExpired", "ERR_JWT_EXPIRED", "exp"] {
        let mut stage = Stage::dialing().opened();
        let lines = stage.wire(&auth_failed(reason));
        let fetch = "request#2 ▶ refresh_token of tpc_1".to_owned();
        assert!(lines.contains(&fetch), "{reason}: {lines:?}");
    }
    for reason in ["Unexpected token", "\"exp1\"", "expected a token"] {
        let mut stage = Stage::dialing().opened();
        let lines = stage.wire(&auth_failed(reason));
        assert!(ends_with(&lines, "auth_lost"), "{reason}: {lines:?}");
    }
}

#[test]
fn s8_auth_expired_fetches_a_token_while_the_socket_stays_open() {
    let mut stage = Stage::streamed(1);
    assert_eq!(
        stage.wire(AUTH_EXPIRED),
        ["request#2 ▶ refresh_token of tpc_1"]
    );
    assert_eq!(stage.connection(), "connected");
    assert_eq!(stage.wire(&chunk(2)), [handed(2)]);
    assert_eq!(
        stage.feed(EventKind::Interrupt),
        ["ignored: not authenticated"]
    );
    assert_eq!(
        stage.issue(),
        [
            "token_refreshed",
            "close_connection dial#1 1000",
            "status_changed reconnecting",
            "open_connection dial#2 wss://gateway.example/ws?operationId=op_1"
        ]
    );
    assert_eq!(stage.open()[0], "dial#2 ▶ auth token#2");
}

#[test]
fn s8_before_auth_success_the_socket_is_closed_at_once() {
    let mut stage = Stage::dialing().opened();
    let lines = stage.wire(AUTH_EXPIRED);
    assert_eq!(lines[0], "request#2 ▶ refresh_token of tpc_1");
    assert_eq!(lines[1], "close_connection dial#1 1000");
    assert_eq!(dials(&stage.wait(9_999)), 0);
    assert_eq!(dials(&stage.issue()), 1);
}

#[test]
fn s8_joined_refreshes_send_one_request() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    assert_eq!(stage.wire(AUTH_EXPIRED), [""; 0]);
    assert_eq!(stage.wire(AUTH_EXPIRED), [""; 0]);
    assert_eq!(dials(&stage.issue()), 1);
}

#[test]
fn s8_a_socket_lost_meanwhile_just_waits_for_the_token() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    assert_eq!(stage.cut(), ["status_changed reconnecting"]);
    assert_eq!(dials(&stage.wait(9_999)), 0);
    assert_eq!(dials(&stage.issue()), 1);
    let mut silent = Stage::with(|limits| limits.request_deadline = Millis::seconds(200));
    silent.execute(execute());
    let mut silent = silent.started().authenticated().resumed();
    silent.wire(AUTH_EXPIRED);
    let lines = silent.wait(150_000);
    assert!(lines.contains(&"close_connection dial#1 1000".to_owned()));
    assert!(
        !lines
            .iter()
            .any(|line| line.starts_with("reconnect_scheduled")),
        "{lines:?}"
    );
    assert_eq!(dials(&silent.issue()), 1);
}

#[test]
fn s8_verdicts_come_from_an_envelope_only() {
    for (kind, status) in [
        (RefusalKind::Unauthorized, 401),
        (RefusalKind::Forbidden, 403),
        (RefusalKind::BadRequest, 400),
    ] {
        let mut stage = Stage::connected();
        stage.wire(AUTH_EXPIRED);
        assert!(ends_with(
            &stage.reply("refresh_token", refused(kind, status)),
            "auth_lost"
        ));
    }
    let unreadable = |status| {
        Reply::Failed(RequestFailure::Unreadable {
            status,
            retry_after: None,
            text: "<html>".into(),
        })
    };
    let failures = [
        unreachable(),
        lost(),
        unreadable(401),
        unreadable(404),
        unreadable(502),
        refused(RefusalKind::UnknownProcedure, 404),
        refused(RefusalKind::Other, 500),
    ];
    for failure in failures {
        let mut stage = Stage::connected();
        stage.wire(AUTH_EXPIRED);
        for _ in 0..2 {
            let lines = stage.reply("refresh_token", failure.clone());
            assert!(lines[0].starts_with("refresh_delayed for "), "{lines:?}");
            stage.wait(2_000);
        }
        assert!(ends_with(
            &stage.reply("refresh_token", failure),
            "refresh_failed"
        ));
    }
}

#[test]
fn s8_no_answer_is_a_try_and_the_first_cause_is_kept() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    stage.reply("refresh_token", unreachable());
    stage.wait(1_000);
    let lines = stage.wait(10_000);
    assert!(
        lines.contains(&"cancel_request request#3".to_owned()),
        "{lines:?}"
    );
    stage.wait(2_000);
    stage.reply("refresh_token", lost());
    let cause = RequestFailure::Unreachable {
        text: "refused".into(),
    };
    assert_eq!(
        stage.state().outcome(),
        Some(&Outcome::RefreshFailed { cause })
    );
}

#[test]
fn s8_retry_after_is_kept_to_within_a_minute() {
    let busy = |seconds| {
        Reply::Failed(RequestFailure::Unreadable {
            status: 429,
            retry_after: Some(Millis::seconds(seconds)),
            text: "".into(),
        })
    };
    for (asked, kept) in [(7, 7_000), (u64::MAX, 60_000)] {
        let mut stage = Stage::connected();
        stage.wire(AUTH_EXPIRED);
        let lines = stage.reply("refresh_token", busy(asked));
        assert!(
            lines[0].starts_with(&format!("refresh_delayed for {kept} ms")),
            "{lines:?}"
        );
    }
}

#[test]
fn s8_not_found_is_the_end_whose_outcome_the_server_tells() {
    let mut stage = Stage::streamed(1);
    stage.wire(AUTH_EXPIRED);
    let gone = refused(RefusalKind::NotFound, 404);
    assert_eq!(
        stage.reply("refresh_token", gone),
        ["request#3 ▶ ask_status op_1"]
    );
    stage.wait(2_000);
    let lines = stage.status("interrupted");
    assert!(ends_with(&lines, "interrupted"));
    assert!(lines.last().is_some_and(|line| line.ends_with(SETTLES)));
}

#[test]
fn s8_what_is_still_on_its_way_after_not_found_comes_before_the_end() {
    let mut stage = Stage::streamed(1);
    stage.wire(AUTH_EXPIRED);
    stage.reply("refresh_token", refused(RefusalKind::NotFound, 404));
    assert_eq!(stage.wire(&chunk(2)), [handed(2)]);
    assert_eq!(stage.status("done"), [""; 0], "the stream is still talking");
    let lines = stage.wire(&end(3, "error"));
    assert_eq!(lines[0], "event_received agent_runtime_end error at 3");
    assert!(ends_with(&lines, "failed"));
}

#[test]
fn s8_an_api_key_cannot_be_refreshed_unless_the_caller_has_a_source() {
    let with_key = |renewal| {
        let mut stage = Stage::idle();
        let key = stage.api_key();
        stage.execute(Execute {
            token: Some(key),
            renewal,
            ..execute()
        });
        stage.started().authenticated().resumed()
    };
    assert!(ends_with(
        &with_key(Renewal::Never).wire(AUTH_EXPIRED),
        "auth_lost"
    ));
    let mut stage = with_key(Renewal::Caller);
    assert_eq!(stage.wire(AUTH_EXPIRED), ["request#2 ▶ mint_token"]);
    let key = stage.api_key();
    assert_eq!(
        dials(&stage.reply("mint_token", Reply::TokenIssued(key))),
        1
    );
}

#[test]
fn s8_auth_failed_meanwhile_wins_and_cancels_the_request() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    let lines = stage.wire(&auth_failed("userId mismatch"));
    assert_eq!(lines[0], "cancel_request request#2");
    assert!(ends_with(&lines, "auth_lost"));
}

#[test]
fn s8_while_the_network_is_gone_no_try_is_spent() {
    let mut stage = Stage::connected();
    stage.network(Network::Offline);
    stage.wire(AUTH_EXPIRED);
    for _ in 0..10 {
        let lines = stage.reply("refresh_token", unreachable());
        assert_eq!(lines, ["refresh_delayed for 30000 ms: refused"]);
        stage.wait(30_000);
    }
    stage.reply("refresh_token", unreachable());
    let lines = stage.network(Network::Online);
    assert!(lines[0].ends_with("refresh_token of tpc_1"), "{lines:?}");
    assert_eq!(dials(&stage.issue()), 1);
}

#[test]
fn s8_an_end_wins_over_what_a_refresh_in_flight_may_say() {
    let mut stage = Stage::streamed(1);
    stage.wire(AUTH_EXPIRED);
    let lines = stage.wire(&session_complete(2));
    assert_eq!(lines[0], "cancel_request request#2");
    let refusal = refused(RefusalKind::Unauthorized, 401);
    assert_eq!(
        stage.reply("refresh_token", refusal),
        ["ignored: request#2 is not outstanding"]
    );
    assert!(ends_with(&stage.status("done"), "completed"));
    let mut stage = Stage::streamed(1);
    stage.wire(AUTH_EXPIRED);
    stage.wire(&session_complete(2));
    let lines = stage.status("running");
    assert!(
        lines.contains(&"request#4 ▶ refresh_token of tpc_1".to_owned()),
        "{lines:?}"
    );
    assert_eq!(dials(&stage.issue()), 1);
}

#[test]
fn s9_three_fresh_tokens_refused_in_a_row_are_auth_lost() {
    let mut stage = Stage::dialing().opened();
    for _ in 0..3 {
        stage.wire(AUTH_EXPIRED);
        assert_eq!(stage.outcome(), None);
        stage.issue();
        stage.open();
    }
    assert!(ends_with(&stage.wire(AUTH_EXPIRED), "auth_lost"));
}

#[test]
fn s9_tokens_that_run_out_in_the_course_of_time_are_not_refused() {
    let mut stage = Stage::connected();
    for _ in 0..10 {
        stage.wait(50_000);
        stage.wire(HEARTBEAT_ACK);
        stage.wire(AUTH_EXPIRED);
        stage.issue();
        stage = stage.authenticated().resumed();
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
fn s10_an_aged_token_is_refreshed_once_per_dial() {
    let mut stage = Stage::starting();
    let mut reply = stage.start_reply();
    if let Reply::Started(started) = &mut reply {
        started.token = started.token.take().map(|token| lifetime(60, token));
    }
    stage.reply("start_run", reply);
    let mut stage = stage.authenticated().resumed();
    stage.wait(59_999);
    stage.wire(&chunk(1));
    stage.cut();
    let lines = stage.wait(1_000);
    assert!(
        lines.contains(&"request#2 ▶ refresh_token of tpc_1".to_owned()),
        "{lines:?}"
    );
    let token = lifetime(0, stage.token());
    let lines = stage.reply("refresh_token", Reply::TokenIssued(token));
    assert_eq!(dials(&lines), 1, "a fresh one is used whatever its age");
    stage.cut();
    assert_eq!(dials(&stage.wait(1_000)), 0);
}

#[test]
fn s10_a_lifetime_that_cannot_be_read_is_five_minutes() {
    for (waited, dialled) in [(298_000, 1), (300_000, 0)] {
        let mut stage = Stage::idle();
        let token = TokenGrant {
            lifetime: None,
            ..stage.token()
        };
        stage.execute(Execute {
            token: Some(token),
            ..execute()
        });
        let mut stage = stage.started().authenticated().resumed();
        for _ in 0..waited / 2_000 {
            stage.wait(2_000);
            stage.wire(HEARTBEAT_ACK);
        }
        stage.cut();
        assert_eq!(dials(&stage.wait(1_000)), dialled);
    }
}

#[test]
fn s10_a_token_that_cannot_be_replaced_is_the_gateways_to_judge() {
    let mut stage = Stage::idle();
    let token = lifetime(1, stage.token());
    stage.execute(Execute {
        token: Some(token),
        renewal: Renewal::Never,
        ..execute()
    });
    let mut stage = stage.started().authenticated().resumed();
    stage.wait(5_000);
    stage.cut();
    assert_eq!(dials(&stage.wait(1_000)), 1);
}

#[test]
fn s10_after_restored_there_is_no_token_and_it_is_fetched_first() {
    let mut stage = Stage::streamed(2);
    let lines = stage.restore(7, None);
    assert_eq!(
        lines,
        [
            "status_changed reconnecting",
            "request#2 ▶ refresh_token of tpc_1"
        ]
    );
    assert_eq!(dials(&stage.issue()), 1);
    stage.open();
    assert_eq!(stage.wire(AUTH_SUCCESS)[1], "dial#2 ▶ resume after 2");
}

#[test]
fn s11_the_end_is_told_once_with_its_receipt() {
    let mut stage = Stage::streamed(2).redialled();
    stage.wire(&chunk(2));
    stage.wire(&chunk(3));
    stage.wire(&chunk(5));
    let mut stage = stage.resumed();
    stage.wire(&chunk(4));
    stage.wire(AUTH_EXPIRED);
    stage.issue();
    let mut stage = stage.authenticated().resumed();
    stage.stop();
    stage.stop();
    stage.wire(&end(6, "done"));
    let receipt = Receipt {
        delivered: 5,
        replayed: 2,
        duplicates: 1,
        late: 1,
        gaps: 1,
        reconnects: 2,
        refreshes: 1,
        warnings: 0,
        ignored: 1,
    };
    assert_eq!(stage.state().receipt(), receipt);
    let told = stage.effects.iter().filter_map(|effect| match effect {
        agent_gateway_machine::Effect::Notify(agent_gateway_machine::Notification::RunEnded {
            receipt,
            ..
        }) => Some(**receipt),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [receipt]);
    for lines in [
        stage.stop(),
        stage.detach(),
        stage.wire(&end(7, "done")),
        stage.wait(60_000),
    ] {
        assert!(!lines.iter().any(|line| line.starts_with("run_ended")));
    }
}

#[test]
fn s12_detach_is_valid_in_every_state_and_leaves_nothing_behind() {
    let mut refreshing = Stage::connected();
    refreshing.wire(AUTH_EXPIRED);
    let mut backing_off = Stage::connected();
    backing_off.cut();
    let mut asking = Stage::connected();
    asking.wire(&session_complete(1));
    let mut marker = Stage::attaching();
    marker.issue();
    let stages = [
        Stage::idle(),
        Stage::starting(),
        Stage::dialing(),
        Stage::dialing().opened(),
        Stage::in_seam(),
        Stage::connected(),
        Stage::attaching(),
        marker,
        refreshing,
        backing_off,
        asking,
    ];
    for mut stage in stages {
        let lines = stage.detach();
        assert!(ends_with(&lines, "detached"), "{lines:?}");
        assert!(
            !lines
                .iter()
                .any(|line| line.contains("marker of") && line.contains('▶'))
        );
        let later = stage.wait(600_000);
        assert_eq!(dials(&later), 0);
        assert!(stage.state().is_settled());
        assert_eq!(stage.alarm(), None);
    }
}

#[test]
fn s12_an_interrupt_already_asked_for_is_never_cancelled() {
    let mut stage = Stage::connected();
    stage.stop();
    let lines = stage.detach();
    assert!(
        !lines.iter().any(|line| line.starts_with("cancel_request")),
        "{lines:?}"
    );
    assert_eq!(stage.state().phase(), "settling");
    stage.reply("interrupt_run", Reply::Interrupted { success: true });
    assert!(stage.state().is_settled());
}

#[test]
fn s13_interrupt_sends_the_socket_frame_when_authenticated() {
    let mut stage = Stage::connected();
    assert_eq!(stage.feed(EventKind::Interrupt), ["dial#1 ▶ interrupt"]);
    assert_eq!(stage.sent(), [json!({ "type": "interrupt" })]);
    assert_eq!(stage.outcome(), None);
    let mut stage = Stage::dialing();
    assert_eq!(
        stage.feed(EventKind::Interrupt),
        ["ignored: not authenticated"]
    );
}

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
    let mut stage = stage.redialled();
    let mut forgotten = stage.clone();
    let flagged = r#"{"type":"resume_complete","status":"completed","gap":true}"#;
    let lines = forgotten.wire(flagged);
    assert_eq!(lines, ["gap_found after 1", "request#2 ▶ ask_status op_1"]);
    stage.wire(&end(7, "interrupted"));
    let lines = stage.wire(&resume_complete("interrupted"));
    assert_eq!(lines[0], "gap_found after 1 before 7");
    assert!(ends_with(&lines, "interrupted"), "{lines:?}");
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

#[test]
fn s14_no_answer_overtakes_a_stream_that_is_talking() {
    let mut stage = Stage::streamed(1);
    stage.wait(60_000);
    stage.wire(&chunk(2));
    assert_eq!(stage.status("done"), [""; 0]);
    assert_eq!(stage.wait(1_999), [""; 0]);
    assert_eq!(stage.wait(1), ["request#3 ▶ ask_status op_1"]);
    let lines = stage.wire(&end(3, "error"));
    assert!(ends_with(&lines, "failed"));
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

/// The socket is lost and no other can be had until the server has been asked.
fn cut_and_asked_while_away(stage: &mut Stage) {
    stage.cut();
    for _ in 0..1_000 {
        let lines = stage.wait(100);
        if dials(&lines) > 0 {
            stage.fail_dial(DialFailureKind::Unreachable);
        }
        if questions(&lines) > 0 {
            return;
        }
    }
    panic!("nobody asks");
}

/// Time passes until the server is asked how the run stands.
fn wait_for_question(stage: &mut Stage) {
    let asks = |stage: &mut Stage| questions(&stage.wait(100)) > 0;
    assert!((0..1_000).any(|_| asks(stage)), "nobody asks");
}

/// How often the server is asked how the run stands.
fn questions(lines: &[String]) -> usize {
    let asked = lines
        .iter()
        .filter(|line| line.ends_with("ask_status op_1"));
    asked.count()
}

#[test]
fn d1_a_refresh_that_comes_back_after_detach_does_nothing() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    let lines = stage.detach();
    assert!(lines.contains(&"cancel_request request#2".to_owned()));
    assert!(stage.state().is_settled());
    assert_eq!(stage.issue(), ["ignored: request#2 is not outstanding"]);
}

#[test]
fn d2_a_refresh_that_comes_back_after_the_end_does_nothing() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    stage.wire(&session_complete(1));
    assert_eq!(stage.issue(), ["ignored: request#2 is not outstanding"]);
    let lines = stage.status("done");
    assert!(ends_with(&lines, "completed"));
    assert_eq!(dials(&stage.wait(600_000)), 0);
}

#[test]
fn d3_auth_expired_twice_is_one_refresh_and_one_redial() {
    let mut stage = Stage::connected();
    assert_eq!(stage.wire(AUTH_EXPIRED).len(), 1);
    assert_eq!(stage.wire(AUTH_EXPIRED).len(), 0);
    assert_eq!(dials(&stage.issue()), 1);
    assert_eq!(dials(&stage.wait(10_000)), 0);
}

#[test]
fn d10_a_network_error_while_refreshing_completes_nothing_and_clears_no_marker() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    for _ in 0..2 {
        stage.reply("refresh_token", lost());
        stage.wait(2_000);
    }
    let lines = stage.reply("refresh_token", lost());
    assert!(ends_with(&lines, "refresh_failed"));
    assert!(
        lines
            .last()
            .is_some_and(|line| line.ends_with("ask_status op_1"))
    );
    assert_eq!(stage.status("running"), [""; 0]);
    assert!(stage.state().is_settled());
}

#[test]
fn d12_the_old_end_in_the_replay_of_an_operation_started_again_does_not_end_it() {
    let mut stage = Stage::attaching();
    stage.issue();
    stage.reply("read_marker", Reply::Marker(Some("op_1".into())));
    let mut stage = stage.authenticated();
    stage.wire(&chunk(1));
    stage.wire(&end(2, "done"));
    stage.wire(&session_complete(3));
    stage.wire(&event(4, "step_start", json!({})));
    stage.wire(&resume_complete("running"));
    assert_eq!(stage.outcome(), None);
    stage.status("running");
    assert_eq!(stage.wire(&chunk(5)), [handed(5)]);
    assert!(ends_with(&stage.wire(&end(6, "done")), "completed"));
}

#[test]
fn d13_asleep_past_the_gateways_memory_the_server_is_asked_and_ends_it() {
    let mut stage = Stage::streamed(3);
    stage.sleep(3_600_000);
    stage.status("running");
    stage.cut();
    stage.wait_for_dial();
    let mut stage = stage.authenticated();
    let lines = stage.wait(5_000);
    assert!(
        lines.iter().any(|line| line.ends_with("ask_status op_1")),
        "{lines:?}"
    );
    stage.reply("ask_status", Reply::Status(None));
    stage.wait(5_000);
    assert!(ends_with(
        &stage.reply("ask_status", Reply::Status(None)),
        "ended_unknown"
    ));
}

#[test]
fn s8_not_found_while_attaching_clears_the_marker() {
    let mut stage = Stage::attaching();
    stage.reply("refresh_token", refused(RefusalKind::NotFound, 404));
    let lines = stage.status("done");
    assert!(ends_with(&lines, "completed"));
    assert!(lines.last().is_some_and(|line| line.ends_with(SETTLES)));
    let mut attach = Attach::new("op_1".into(), None);
    attach.renewal = Renewal::Caller;
    let mut stage = Stage::idle();
    assert_eq!(stage.attach(attach), ["request#1 ▶ mint_token"]);
}

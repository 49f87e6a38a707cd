//! S8: a fresh token.

use agent_gateway_machine::{
    Attach, EventKind, Execute, Millis, Network, Outcome, RefusalKind, Renewal, Reply,
    RequestFailure, Timer,
};

use super::{SETTLES, dials, ends_with};
use crate::rules::stage::*;

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
fn s8_an_end_between_two_tries_leaves_no_timer_behind() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    stage.reply("refresh_token", unreachable());
    assert!(ends_with(&stage.wire(&end(1, "done")), "completed"));
    assert_eq!(stage.alarm(), Some((10_000, Timer::Settle)));
    assert_eq!(stage.reply("settle_marker", Reply::MarkerCleared), [""; 0]);
    assert_eq!(stage.alarm(), None);
}

/// Not even where a token was waited for that is not valid yet (S7).
#[test]
fn s8_after_not_found_no_socket_is_dialled() {
    let mut stage = Stage::streamed(1);
    stage.wire(AUTH_EXPIRED);
    stage.wire(&auth_failed("nbf"));
    stage.reply("refresh_token", refused(RefusalKind::NotFound, 404));
    assert_eq!(dials(&stage.wait(5_000)), 0);
    assert!(ends_with(&stage.status("done"), "completed"));
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
    // All three tries are left, this one among them.
    for pause in [1_000, 2_000] {
        let lines = stage.reply("refresh_token", unreachable());
        assert!(lines[0].starts_with("refresh_delayed"), "{lines:?}");
        stage.wait(pause);
    }
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

//! S7, S9, S10: what the gateway says of a token, and how old it is.

use agent_gateway_machine::{Attach, Execute, Renewal, Reply, TokenGrant};

use super::{dials, ends_with, lifetime};
use crate::rules::stage::*;

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
fn s9_three_fresh_tokens_refused_in_a_row_are_auth_lost() {
    let mut stage = Stage::dialing().opened();
    for _ in 0..3 {
        stage.wire(AUTH_EXPIRED);
        assert_eq!(stage.outcome(), None);
        let mut lines = stage.issue();
        if dials(&lines) == 0 {
            lines = stage.wait(2_000);
        }
        assert_eq!(dials(&lines), 1);
        stage.open();
    }
    assert!(ends_with(&stage.wire(AUTH_EXPIRED), "auth_lost"));
}

#[test]
fn s9_a_gateway_that_wants_token_after_token_is_not_dialled_as_fast_as_tokens_come() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    let lines = stage.issue();
    assert_eq!(dials(&lines), 1, "the first one is used at once");
    for id in 1..20 {
        stage = stage.authenticated();
        stage.wire(&chunk(id));
        stage.wire(AUTH_EXPIRED);
        let lines = stage.issue();
        assert_eq!(dials(&lines), 0);
        assert_eq!(stage.connection(), "reconnecting");
        let waited = stage.wait_for_dial();
        assert!((500..=1_000).contains(&waited), "{waited}");
    }
    assert_eq!(stage.outcome(), None, "each was good for an event");
    stage = stage.authenticated().resumed();
    stage.wait(10_000);
    stage.wire(AUTH_EXPIRED);
    assert_eq!(
        dials(&stage.issue()),
        1,
        "that one was good for long enough"
    );
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
    // Neither where there is no other, nor where there is no topic to fetch one for.
    for (renewal, topic) in [(Renewal::Never, Some("tpc_1")), (Renewal::Server, None)] {
        let mut stage = Stage::idle();
        let token = lifetime(1, stage.token());
        stage.attach(Attach {
            token: Some(token),
            renewal,
            ..Attach::new("op_1".into(), topic.map(Into::into))
        });
        if topic.is_some() {
            stage.reply("read_marker", Reply::Marker(None));
        }
        let mut stage = stage.authenticated().resumed();
        stage.wait(5_000);
        stage.cut();
        assert_eq!(dials(&stage.wait(1_000)), 1);
    }
}

#[test]
fn s10_after_restored_there_is_no_token_and_it_is_fetched_first() {
    let mut stage = Stage::streamed(2);
    let lines = stage.restore(7, None);
    assert_eq!(
        lines,
        [
            "topic_status_changed running",
            "status_changed reconnecting",
            "request#2 ▶ refresh_token of tpc_1"
        ]
    );
    assert_eq!(dials(&stage.issue()), 1);
    stage.open();
    assert_eq!(stage.wire(AUTH_SUCCESS)[1], "dial#2 ▶ resume after 2");
}

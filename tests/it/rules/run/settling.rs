//! R6, R10: what an end says, and what is tidied up after it.

use agent_gateway_machine::{Outcome, RefusalKind, Reply};

use super::settles;
use crate::rules::stage::*;

#[test]
fn r6_the_caller_is_told_first_and_then_the_marker_is_settled() {
    let mut stage = Stage::streamed(1);
    let lines = stage.wire(&end(2, "done"));
    let place = |what: &str| lines.iter().position(|line| line.contains(what));
    assert!(place("run_ended completed") < place("topic_status_changed active"));
    assert!(place("topic_status_changed active") < place("settle_marker"));
    assert_eq!(stage.reply("settle_marker", Reply::MarkerCleared), [""; 0]);
    assert!(stage.state().is_settled());
}

#[test]
fn r6_an_older_server_is_read_and_compared_first() {
    let no_procedure = || refused(RefusalKind::UnknownProcedure, 404);
    let mut stage = Stage::connected();
    stage.wire(&end(1, "done"));
    let lines = stage.reply("settle_marker", no_procedure());
    assert_eq!(lines, ["request#3 ▶ read_marker of tpc_1"]);
    let ours = Reply::Marker(Some("op_1".into()));
    assert_eq!(
        stage.reply("read_marker", ours),
        ["request#4 ▶ clear_marker of tpc_1"]
    );
    stage.reply("clear_marker", Reply::MarkerCleared);
    assert!(stage.state().is_settled());
    for other in [
        Reply::Marker(Some("op_2".into())),
        Reply::Marker(None),
        lost(),
    ] {
        let mut stage = Stage::connected();
        stage.wire(&end(1, "done"));
        stage.reply("settle_marker", no_procedure());
        assert_eq!(stage.reply("read_marker", other), [""; 0]);
        assert!(stage.state().is_settled());
    }
}

#[test]
fn r6_settling_is_bounded_in_time() {
    let mut stage = Stage::connected();
    stage.wire(&end(1, "done"));
    assert_eq!(stage.wait(10_000), ["cancel_request request#2"]);
    assert!(stage.state().is_settled());
}

#[test]
fn r6_when_we_give_up_the_server_is_asked_once_before_the_marker_is_touched() {
    let given_up = || {
        let mut stage = Stage::connected();
        stage.wire(&auth_failed("userId mismatch"));
        stage
    };
    for over in ["done", "completed", "error", "interrupted"] {
        assert!(settles(&given_up().status(over)), "{over}");
    }
    for alive in [
        "running",
        "waiting_for_human",
        "waiting_for_async_tool",
        "new",
    ] {
        let mut stage = given_up();
        assert_eq!(stage.status(alive), [""; 0]);
        assert!(stage.state().is_settled());
    }
    // Not to know a run says that it is over if it is said twice (S14).
    for no_answer in [lost(), Reply::Status(None)] {
        let mut stage = given_up();
        assert_eq!(stage.reply("ask_status", no_answer), [""; 0]);
        assert!(stage.state().is_settled());
    }
}

#[test]
fn r6_never_after_parked_or_detached() {
    let mut parked = Stage::connected();
    parked.wire(&end(1, "waiting_for_human"));
    assert!(parked.state().is_settled());
    let mut detached = Stage::connected();
    detached.detach();
    assert!(detached.state().is_settled());
}

#[test]
fn r10_an_outcome_says_what_it_is_about() {
    let mut stage = Stage::connected();
    stage.wire(&auth_failed("userId mismatch"));
    let reason = "userId mismatch".into();
    assert_eq!(stage.state().outcome(), Some(&Outcome::AuthLost { reason }));
    let mut stage = Stage::dialing();
    stage.fail_dial(agent_gateway_machine::DialFailureKind::TlsIdentity);
    let cause = "no".into();
    assert_eq!(
        stage.state().outcome(),
        Some(&Outcome::ConnectionLost { cause })
    );
    let mut stage = Stage::connected();
    stage.close(1009);
    stage.wait_for_dial();
    let mut stage = stage.authenticated();
    stage.close(1009);
    let what = "closed with 1009".into();
    assert_eq!(
        stage.state().outcome(),
        Some(&Outcome::ProtocolViolation { what })
    );
}

#[test]
fn r6_a_server_that_refuses_to_settle_the_marker_is_not_asked_in_another_way() {
    for reply in [refused(RefusalKind::Other, 500), lost()] {
        let mut stage = Stage::connected();
        stage.wire(&end(1, "done"));
        assert_eq!(stage.reply("settle_marker", reply), [""; 0]);
        assert!(stage.state().is_settled());
    }
}

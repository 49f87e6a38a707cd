//! Defects of the session that must not come back.

use agent_gateway_machine::Reply;
use serde_json::json;

use super::{dials, ends_with};
use crate::rules::stage::*;

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

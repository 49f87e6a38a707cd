//! R7: how a run that is going is joined.

use agent_gateway_machine::{
    Attach, AttachRefusal, Config, Millis, Outcome, RefusalKind, Renewal, Reply,
};
use agent_gateway_protocol::OperationId;

use super::{has, settles};
use crate::rules::stage::*;

#[test]
fn r7_attach_does_nothing_without_a_gateway_or_a_way_to_a_token() {
    let attach = || Attach::new("op_1".into(), Some("tpc_1".into()));
    let mut stage = Stage::configured(Config::new(None));
    assert_eq!(stage.attach(attach()), ["run_ended attach_refused"]);
    let refusal = Outcome::AttachRefused(AttachRefusal::NoGateway);
    assert_eq!(stage.state().outcome(), Some(&refusal));
    let mut stage = Stage::idle();
    stage.attach(Attach::new("op_1".into(), None));
    assert_eq!(stage.outcome(), Some("attach_refused"));
    let mut stage = Stage::idle();
    stage.attach(Attach {
        renewal: Renewal::Never,
        ..attach()
    });
    assert_eq!(stage.outcome(), Some("attach_refused"));
}

#[test]
fn r7_attach_fetches_a_token_then_reads_the_marker_then_dials() {
    let mut stage = Stage::idle();
    let attach = Attach::new("op_1".into(), Some("tpc_1".into()));
    assert_eq!(stage.attach(attach), ["request#1 ▶ refresh_token of tpc_1"]);
    assert_eq!(
        stage.issue(),
        ["token_refreshed", "request#2 ▶ read_marker of tpc_1"]
    );
    let lines = stage.reply("read_marker", Reply::Marker(Some("op_1".into())));
    assert_eq!(lines[0], "topic_status_changed running");
    assert!(lines[1].starts_with("open_connection dial#1"));
    stage.open();
    assert_eq!(
        stage.wire(AUTH_SUCCESS)[1],
        "dial#1 ▶ resume from the beginning"
    );
}

#[test]
fn r7_attach_bows_out_only_if_the_marker_names_another_operation() {
    let at_marker = || {
        let mut stage = Stage::attaching();
        stage.issue();
        stage
    };
    let mut stage = at_marker();
    let lines = stage.reply("read_marker", Reply::Marker(Some("op_2".into())));
    assert_eq!(lines, ["run_ended superseded"]);
    let by = Some(OperationId::from("op_2"));
    assert_eq!(stage.state().outcome(), Some(&Outcome::Superseded { by }));
    assert!(stage.state().is_settled());
    for reply in [Reply::Marker(None), lost(), Reply::MarkerCleared] {
        let lines = at_marker().reply("read_marker", reply);
        assert!(has(&lines, "open_connection dial#1"), "{lines:?}");
    }
    let lines = at_marker().wait(10_000);
    assert!(has(&lines, "open_connection dial#1"), "{lines:?}");
}

#[test]
fn r7_the_verdicts_on_the_token_are_those_of_s8() {
    let mut stage = Stage::attaching();
    let lines = stage.reply("refresh_token", refused(RefusalKind::NotFound, 404));
    assert_eq!(lines, ["request#2 ▶ ask_status op_1"]);
    assert!(settles(&stage.status("done")));
    let mut stage = Stage::attaching();
    let lines = stage.reply("refresh_token", refused(RefusalKind::Forbidden, 403));
    assert!(has(&lines, "run_ended auth_lost"));
    let mut stage = Stage::attaching();
    for _ in 0..2 {
        stage.reply("refresh_token", unreachable());
        stage.wait(2_000);
    }
    assert!(has(
        &stage.reply("refresh_token", lost()),
        "run_ended refresh_failed"
    ));
}

/// The limits may have it that the server is asked before the marker is there.
#[test]
fn r7_a_run_that_is_over_before_its_marker_is_read_leaves_no_request_behind() {
    let mut stage = Stage::with(|limits| limits.inquiry_interval = Millis::seconds(1));
    let mut attach = Attach::new("op_1".into(), Some("tpc_1".into()));
    attach.token = Some(stage.token());
    assert_eq!(stage.attach(attach), ["request#1 ▶ read_marker of tpc_1"]);
    // The replay may still bring the end.
    assert_eq!(stage.wait(1_000), ["request#2 ▶ ask_status op_1"]);
    assert_eq!(stage.status("done"), [""; 0]);
    assert_eq!(stage.wait(1_000), ["request#3 ▶ ask_status op_1"]);
    let lines = stage.status("done");
    assert!(has(&lines, "cancel_request request#1"), "{lines:?}");
    assert!(has(&lines, "run_ended completed"), "{lines:?}");
}

//! S11–S13: the end is told once; detach and interrupt.

use agent_gateway_machine::{EventKind, Outcome, Receipt, Reply};
use agent_gateway_protocol::OperationId;
use serde_json::json;

use super::{dials, ends_with};
use crate::rules::stage::*;

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
    let mut receipt = Receipt::default();
    receipt.delivered = 5;
    receipt.replayed = 2;
    receipt.duplicates = 1;
    receipt.late = 1;
    receipt.gaps = 1;
    receipt.reconnects = 2;
    receipt.refreshes = 1;
    receipt.ignored = 1;
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
fn r8_a_superseded_run_is_left_alone_and_says_by_whom() {
    for mut stage in [Stage::starting(), Stage::attaching(), Stage::streamed(2)] {
        let by = Some(OperationId::from("op_2"));
        let lines = stage.feed(EventKind::Supersede { by: by.clone() });
        assert!(ends_with(&lines, "superseded"), "{lines:?}");
        assert!(
            !lines.iter().any(|line| line.contains("interrupt_run")),
            "{lines:?}"
        );
        assert_eq!(stage.state().outcome(), Some(&Outcome::Superseded { by }));
    }
}

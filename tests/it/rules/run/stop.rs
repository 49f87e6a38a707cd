//! R2, R3, R5: how a run is stopped, whenever that is asked for.

use agent_gateway_machine::{Call, Config, EventKind, Execute, Millis, RefusalKind, Reply, Timer};
use agent_gateway_protocol::OperationId;

use super::{has, new_topic};
use crate::rules::stage::*;

#[test]
fn d9_a_stop_while_exec_agent_is_in_flight_interrupts_the_run_the_server_had_started() {
    let mut stage = Stage::starting();
    stage.stop();
    let reply = stage.start_reply();
    let lines = stage.reply("start_run", reply);
    assert_eq!(
        lines,
        ["request#2 ▶ interrupt_run op_1", "run_ended stopped"]
    );
    assert!(!has(&stage.wait(600_000), "open_connection"));
}

#[test]
fn r2_a_stop_before_the_reply_waits_for_its_id_and_interrupts_it() {
    let mut stage = Stage::starting();
    assert_eq!(stage.stop(), [""; 0]);
    assert_eq!(stage.stop(), ["ignored: a stop is being carried out"]);
    stage.wait(4_999);
    let reply = stage.start_reply();
    assert_eq!(
        stage.reply("start_run", reply),
        ["request#2 ▶ interrupt_run op_1", "run_ended stopped"]
    );
    stage.reply("interrupt_run", Reply::Interrupted { success: true });
    assert!(stage.state().is_settled());
}

#[test]
fn r2_without_an_id_the_server_side_is_unknown() {
    let mut stage = Stage::starting();
    stage.stop();
    let ended = [
        "cancel_request request#1",
        "run_ended stopped_server_unknown",
    ];
    assert_eq!(stage.wait(5_000), ended);
    for (reply, outcome) in [
        (lost(), "stopped_server_unknown"),
        (unreachable(), "stopped"),
        (Reply::StartRefused { text: "no".into() }, "stopped"),
        (Reply::MarkerCleared, "stopped_server_unknown"),
    ] {
        let mut stage = Stage::starting();
        stage.stop();
        stage.reply("start_run", reply);
        assert_eq!(stage.outcome(), Some(outcome));
    }
}

#[test]
fn r2_a_grace_of_nothing_cuts_the_request_at_once() {
    let mut config =
        Config::seed(agent_gateway_protocol::GatewayUrl::parse("wss://g.example").ok());
    config.limits.start_deadline = agent_gateway_machine::Millis::seconds(120);
    let mut stage = Stage::configured(config).executed();
    let ended = [
        "cancel_request request#1",
        "run_ended stopped_server_unknown",
    ];
    assert_eq!(stage.stop(), ended);
    assert!(stage.state().is_settled());
}

#[test]
fn r2_detach_during_the_grace_ends_it_now_and_a_late_id_is_interrupted_all_the_same() {
    let mut stage = Stage::starting();
    stage.stop();
    assert_eq!(stage.detach(), ["run_ended stopped_server_unknown"]);
    let reply = stage.start_reply();
    assert_eq!(
        stage.reply("start_run", reply),
        ["request#2 ▶ interrupt_run op_1"]
    );
    stage.reply("interrupt_run", Reply::Interrupted { success: true });
    assert!(stage.state().is_settled());
    let mut stage = Stage::starting();
    stage.stop();
    stage.detach();
    assert_eq!(stage.wait(5_000), ["cancel_request request#1"]);
    assert!(stage.state().is_settled());
}

#[test]
fn r2_a_late_id_has_the_whole_grace_and_then_the_time_of_settling() {
    let mut stage = Stage::with(|limits| limits.stop_grace = Millis::seconds(20)).executed();
    stage.stop();
    stage.detach();
    stage.wait(15_000);
    let reply = stage.start_reply();
    assert_eq!(
        stage.reply("start_run", reply),
        ["request#2 ▶ interrupt_run op_1"]
    );
    assert_eq!(stage.alarm(), Some((25_000, Timer::Settle)));
}

#[test]
fn r2_detach_without_a_stop_lets_the_request_finish_unheard() {
    let mut stage = Stage::starting();
    assert_eq!(stage.detach(), ["run_ended detached"]);
    let reply = stage.start_reply();
    assert_eq!(stage.reply("start_run", reply), [""; 0]);
    assert!(stage.state().is_settled());
}

#[test]
fn r3_a_stop_is_looked_at_after_every_wait_and_nothing_is_dialled() {
    let stopped = |lines: &[String]| {
        assert!(has(lines, "interrupt_run op_1"), "{lines:?}");
        assert!(has(lines, "run_ended stopped"), "{lines:?}");
        assert!(!has(lines, "open_connection"), "{lines:?}");
        assert!(!has(lines, "ask_status"), "it is left alone: {lines:?}");
    };
    let mut messages = new_topic();
    let reply = messages.start_reply();
    messages.reply("start_run", reply);
    let lines = messages.stop();
    assert_eq!(lines[0], "cancel_request request#2");
    stopped(&lines);
    let mut token = Stage::starting();
    let mut reply = token.start_reply();
    if let Reply::Started(started) = &mut reply {
        started.token = None;
    }
    token.reply("start_run", reply);
    let lines = token.stop();
    stopped(&lines);
    assert!(has(&lines, "cancel_request request#2"));
    let mut attach = Stage::attaching();
    stopped(&attach.stop());
    let mut marker = Stage::attaching();
    marker.issue();
    let lines = marker.stop();
    stopped(&lines);
    assert!(has(&lines, "cancel_request request#2"));
    assert_eq!(marker.reply("read_marker", Reply::Marker(None)).len(), 1);
}

#[test]
fn r3_after_a_stop_before_streaming_no_operation_is_announced() {
    let mut stage = Stage::starting();
    stage.stop();
    let reply = stage.start_reply();
    assert!(!has(&stage.reply("start_run", reply), "run_started"));
    assert_eq!(stage.feed(EventKind::Stop), ["ignored: the run is over"]);
}

#[test]
fn r5_everything_is_announced_before_the_first_dial() {
    let mut stage = Stage::idle();
    stage.execute(Execute {
        parent: Some(OperationId::from("op_0")),
        ..execute()
    });
    let reply = stage.start_reply();
    assert_eq!(
        stage.reply("start_run", reply),
        [
            "run_started op_1",
            "parent_retired op_0",
            "topic_status_changed running",
            "open_connection dial#1 wss://gateway.example/ws?operationId=op_1",
            "status_changed connecting"
        ]
    );
}

#[test]
fn r5_a_stop_interrupts_over_http_and_the_stream_goes_on_until_its_end() {
    let mut stage = Stage::streamed(1);
    assert_eq!(stage.stop(), ["request#2 ▶ interrupt_run op_1"]);
    let call = Call::InterruptRun {
        operation: "op_1".into(),
        topic: Some("tpc_1".into()),
    };
    assert_eq!(stage.calls(), [call]);
    assert_eq!(stage.stop(), ["ignored: a stop is being carried out"]);
    let accepted = Reply::Interrupted { success: true };
    assert_eq!(stage.reply("interrupt_run", accepted), ["stop_accepted"]);
    assert_eq!(stage.wire(&chunk(2)), [handed(2)]);
    assert!(
        has(&stage.wire(&end(3, "done")), "run_ended completed"),
        "its own reason wins"
    );
}

#[test]
fn r5_a_stop_that_fails_is_told_and_may_be_asked_for_again() {
    for (reply, told) in [
        (lost(), "stop_failed cut off"),
        (
            refused(RefusalKind::Other, 500),
            "stop_failed no (HTTP 500)",
        ),
    ] {
        let mut stage = Stage::connected();
        stage.stop();
        assert_eq!(stage.reply("interrupt_run", reply), [told]);
        assert_eq!(stage.stop(), ["request#3 ▶ interrupt_run op_1"]);
    }
    let mut stage = Stage::connected();
    stage.stop();
    let lines = stage.wait(10_000);
    assert_eq!(lines, ["cancel_request request#2", "stop_failed no answer"]);
    // Then it has its time anew.
    stage.wait(15_000);
    stage.stop();
    stage.reply("interrupt_run", Reply::Interrupted { success: true });
    stage.wait(29_999);
    assert_eq!(stage.outcome(), None);
    stage.wait(1);
    assert_eq!(stage.outcome(), Some("interrupted_unconfirmed"));
}

#[test]
fn r5_not_running_there_is_told_and_the_server_asked() {
    for reply in [
        Reply::Interrupted { success: false },
        refused(RefusalKind::NotFound, 404),
        refused(RefusalKind::BadRequest, 400),
    ] {
        let mut stage = Stage::connected();
        stage.stop();
        assert_eq!(
            stage.reply("interrupt_run", reply),
            ["stop_failed nothing to stop", "request#3 ▶ ask_status op_1"]
        );
    }
}

#[test]
fn r5_without_an_end_a_stop_is_unconfirmed_after_thirty_seconds() {
    let mut stage = Stage::streamed(1);
    stage.stop();
    stage.reply("interrupt_run", Reply::Interrupted { success: true });
    stage.wait(29_999);
    assert_eq!(stage.outcome(), None);
    let lines = stage.wait(1);
    assert!(has(&lines, "run_ended interrupted_unconfirmed"));
    assert!(
        has(&lines, "ask_status op_1"),
        "before the marker is touched"
    );
}

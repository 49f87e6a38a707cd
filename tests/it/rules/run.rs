//! R1–R10: exec, stop, stream, end.

use agent_gateway_machine::{
    Attach, AttachRefusal, Call, Config, EventKind, Execute, Outcome, RefusalKind, Renewal, Reply,
    RequestFailure, StartFailure, Started,
};
use agent_gateway_protocol::api::{AppContext, ExecAgent};
use agent_gateway_protocol::{GroupId, OperationId, RawJson};

use super::stage::*;

fn messages() -> Reply {
    Reply::Messages(RawJson::parse("[]").expect("JSON"))
}

/// A run without a topic of its own: the server makes one.
fn new_topic() -> Stage {
    let mut stage = Stage::idle();
    stage.execute(Execute::new(ExecAgent {
        prompt: "hi".into(),
        ..ExecAgent::default()
    }));
    stage
}

fn unreadable(status: u16) -> Reply {
    Reply::Failed(RequestFailure::Unreadable {
        status,
        retry_after: None,
        text: "<html>".into(),
    })
}

fn has(lines: &[String], what: &str) -> bool {
    lines.iter().any(|line| line.contains(what))
}

fn settles(lines: &[String]) -> bool {
    has(lines, "settle_marker of tpc_1 for op_1")
}

#[test]
fn r1_execute_sends_exec_agent_as_it_was_given() {
    let mut stage = Stage::idle();
    let execute = execute();
    let call = Call::StartRun(execute.input.clone());
    assert_eq!(
        stage.execute(execute.clone()),
        ["request#1 ▶ start_run \"hi\""]
    );
    assert_eq!(stage.calls(), [call]);
    assert_eq!(
        stage.execute(execute),
        ["ignored: this state already has a run"]
    );
}

#[test]
fn r1_no_answer_within_two_minutes_is_start_unknown() {
    let mut stage = Stage::starting();
    assert_eq!(stage.wait(119_999), [""; 0]);
    assert_eq!(
        stage.wait(1),
        ["cancel_request request#1", "run_ended start_unknown"]
    );
    let reply = stage.start_reply();
    assert_eq!(
        stage.reply("start_run", reply),
        ["ignored: request#1 is not outstanding"]
    );
}

#[test]
fn r1_a_soft_failure_is_a_start_failure_with_its_text() {
    let mut stage = Stage::starting();
    let text: Box<str> = "no credits".into();
    let reply = Reply::StartRefused { text: text.clone() };
    assert_eq!(stage.reply("start_run", reply), ["run_ended start_failed"]);
    let outcome = Outcome::StartFailed(StartFailure::Soft(text));
    assert_eq!(stage.state().outcome(), Some(&outcome));
    assert!(stage.state().is_settled());
}

#[test]
fn r1_a_failed_request_says_whether_the_run_may_have_started() {
    let failures = [
        (unreachable(), "start_failed"),
        (refused(RefusalKind::BadRequest, 400), "start_failed"),
        (refused(RefusalKind::Other, 500), "start_failed"),
        (unreadable(404), "start_failed"),
        (refused(RefusalKind::Unauthorized, 401), "auth_lost"),
        (unreadable(401), "auth_lost"),
        (lost(), "start_unknown"),
        (unreadable(502), "start_unknown"),
        (Reply::MarkerCleared, "start_unknown"),
    ];
    for (failure, outcome) in failures {
        let mut stage = Stage::starting();
        stage.reply("start_run", failure);
        assert_eq!(stage.outcome(), Some(outcome));
    }
}

#[test]
fn r1_a_missing_token_is_fetched_before_dialling() {
    let mut stage = Stage::starting();
    let reply = Reply::Started(Box::new(Started {
        operation: "op_1".into(),
        topic: None,
        agent: None,
        thread: None,
        assistant_message: None,
        user_message: None,
        token: None,
    }));
    assert_eq!(
        stage.reply("start_run", reply),
        [
            "run_started op_1",
            "topic_status_changed running",
            "request#2 ▶ refresh_token of tpc_1",
            "status_changed connecting"
        ]
    );
    assert!(has(&stage.issue(), "open_connection dial#1"));
}

#[test]
fn r1_a_caller_who_makes_tokens_is_asked_for_one_and_the_runs_own_is_not_used() {
    let mut stage = Stage::idle();
    stage.execute(Execute {
        renewal: Renewal::Caller,
        ..execute()
    });
    let reply = stage.start_reply();
    let lines = stage.reply("start_run", reply);
    assert!(has(&lines, "request#2 ▶ mint_token"), "{lines:?}");
    assert!(!has(&lines, "open_connection"), "{lines:?}");
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
fn r4_a_new_topic_has_its_messages_fetched_and_is_announced() {
    let mut stage = new_topic();
    let reply = stage.start_reply();
    assert_eq!(
        stage.reply("start_run", reply),
        ["request#2 ▶ fetch_messages of tpc_1"]
    );
    assert_eq!(
        stage.reply("fetch_messages", messages()),
        [
            "topic_created tpc_1 with its messages",
            "run_started op_1",
            "topic_status_changed running",
            "open_connection dial#1 wss://gateway.example/ws?operationId=op_1",
            "status_changed connecting"
        ]
    );
}

#[test]
fn r4_messages_that_do_not_come_are_not_critical() {
    for late in [false, true] {
        let mut stage = new_topic();
        let reply = stage.start_reply();
        stage.reply("start_run", reply);
        let lines = if late {
            stage.wait(10_000)
        } else {
            stage.reply("fetch_messages", lost())
        };
        assert!(has(&lines, "topic_created tpc_1 without messages"));
        assert!(has(&lines, "open_connection dial#1"));
    }
}

#[test]
fn r4_a_groups_messages_are_fetched_by_its_group() {
    let mut stage = Stage::idle();
    let group = GroupId::from("grp_1");
    stage.execute(Execute::new(ExecAgent {
        app_context: Some(AppContext {
            group_id: Some(group.clone()),
            ..AppContext::default()
        }),
        ..ExecAgent::default()
    }));
    let reply = stage.start_reply();
    stage.reply("start_run", reply);
    let calls = stage.calls();
    assert!(matches!(&calls[..], [Call::FetchMessages(input)] if input.group_id == Some(group)));
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
    assert!(settles(
        &given_up().reply("ask_status", Reply::Status(None))
    ));
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
    let mut stage = given_up();
    assert_eq!(stage.reply("ask_status", lost()), [""; 0]);
    assert!(stage.state().is_settled());
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

#[test]
fn r9_approval_is_a_new_run_and_the_parked_one_is_retired_once_it_has_started() {
    let approval = || Execute {
        parent: Some(OperationId::from("op_0")),
        ..Execute::new(ExecAgent::default())
    };
    let mut stage = Stage::idle();
    assert_eq!(stage.execute(approval()), ["request#1 ▶ start_run \"\""]);
    let lines = stage.reply("start_run", Reply::StartRefused { text: "no".into() });
    assert!(!has(&lines, "parent_retired"));
    let mut stage = Stage::idle();
    stage.execute(approval());
    let reply = stage.start_reply();
    assert!(!has(&stage.reply("start_run", reply), "parent_retired"));
    assert!(has(
        &stage.reply("fetch_messages", messages()),
        "parent_retired op_0"
    ));
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
fn r3_after_a_stop_before_streaming_no_operation_is_announced() {
    let mut stage = Stage::starting();
    stage.stop();
    let reply = stage.start_reply();
    assert!(!has(&stage.reply("start_run", reply), "run_started"));
    assert_eq!(stage.feed(EventKind::Stop), ["ignored: the run is over"]);
}

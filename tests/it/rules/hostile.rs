//! What no fair peer, host or caller does: hostile histories one by one, and every pair of blows in every situation.
//! The stage checks the invariants after each step.

use agent_gateway_machine::{
    DialFailureKind, EventKind, FrameProblem, Network, RefusalKind, Reply, State,
};
use serde_json::json;

use super::stage::*;

type Blow = (&'static str, fn(&mut Stage));

fn has(lines: &[String], what: &str) -> bool {
    lines.iter().any(|line| line.contains(what))
}

fn reply_if_asked(stage: &mut Stage, call: &str, reply: Reply) {
    if stage.has_asked(call) {
        stage.reply(call, reply);
    }
}

/// What can happen at any time.
const BLOWS: [Blow; 38] = [
    ("stop", |stage| drop(stage.stop())),
    ("detach", |stage| drop(stage.detach())),
    ("interrupt", |stage| drop(stage.feed(EventKind::Interrupt))),
    ("execute again", |stage| drop(stage.execute(execute()))),
    ("answer", |stage| drop(stage.answer("call_1", "x"))),
    ("opened", |stage| drop(stage.open())),
    ("auth_success", |stage| drop(stage.wire(AUTH_SUCCESS))),
    ("auth_expired", |stage| drop(stage.wire(AUTH_EXPIRED))),
    ("auth_failed", |stage| drop(stage.wire(&auth_failed("no")))),
    ("auth timeout", |stage| {
        drop(stage.wire(&auth_failed("Authentication timeout")))
    }),
    ("nbf", |stage| drop(stage.wire(&auth_failed("\"nbf\"")))),
    ("ack", |stage| drop(stage.wire(HEARTBEAT_ACK))),
    ("chunk", |stage| drop(stage.wire(&chunk(1)))),
    ("chunk ahead", |stage| drop(stage.wire(&chunk(9)))),
    ("far chunk", |stage| drop(stage.wire(&chunk(u64::MAX)))),
    ("end", |stage| drop(stage.wire(&end(2, "done")))),
    ("parked", |stage| {
        drop(stage.wire(&end(2, "waiting_for_human")))
    }),
    ("async tool", |stage| {
        drop(stage.wire(&end(2, "waiting_for_async_tool")))
    }),
    ("session_complete", |stage| {
        drop(stage.wire(&session_complete(3)))
    }),
    ("status error", |stage| {
        drop(stage.wire(&status_change(4, "error")))
    }),
    ("tool", |stage| {
        drop(stage.wire(&tool_execute(5, "call_1", 1)))
    }),
    ("tool_end", |stage| drop(stage.wire(&tool_end(6, "call_1")))),
    ("resumed running", |stage| {
        drop(stage.wire(&resume_complete("running")))
    }),
    ("resumed completed", |stage| {
        drop(stage.wire(&resume_complete("completed")))
    }),
    ("closed", |stage| drop(stage.cut())),
    ("violated", |stage| drop(stage.close(1009))),
    ("dial failed", |stage| {
        drop(stage.fail_dial(DialFailureKind::Unreachable))
    }),
    ("binary", |stage| drop(stage.reject(FrameProblem::Binary))),
    ("token", |stage| {
        let token = stage.token();
        reply_if_asked(stage, "refresh_token", Reply::TokenIssued(token));
    }),
    ("no run", |stage| {
        reply_if_asked(stage, "refresh_token", refused(RefusalKind::NotFound, 404));
    }),
    ("no token", |stage| {
        reply_if_asked(stage, "refresh_token", lost())
    }),
    ("status done", |stage| {
        reply_if_asked(stage, "ask_status", status_reply("done"))
    }),
    ("status running", |stage| {
        reply_if_asked(stage, "ask_status", status_reply("running"))
    }),
    ("status unknown", |stage| {
        reply_if_asked(stage, "ask_status", Reply::Status(None))
    }),
    ("paused or resumed", |stage| {
        if stage.pause() == ["ignored: no change"] {
            stage.resume_reading();
        }
    }),
    ("network", |stage| {
        if stage.network(Network::Offline) == ["ignored: no change"] {
            stage.network(Network::Online);
        }
    }),
    ("restored", |stage| drop(stage.restore(0, None))),
    ("later", |stage| drop(stage.wait(61_000))),
];

fn situations() -> Vec<(&'static str, Stage)> {
    let after = |stage: Stage, act: fn(&mut Stage)| {
        let mut stage = stage;
        act(&mut stage);
        stage
    };
    vec![
        ("starting", Stage::starting()),
        (
            "stopping a start",
            after(Stage::starting(), |stage| drop(stage.stop())),
        ),
        ("dialing", Stage::dialing()),
        ("authenticating", Stage::dialing().opened()),
        ("in a seam", Stage::in_seam()),
        (
            "in a seam with a hole",
            after(Stage::in_seam(), |stage| drop(stage.wire(&chunk(2)))),
        ),
        (
            "in a seam with an end",
            after(Stage::in_seam(), |stage| drop(stage.wire(&end(1, "done")))),
        ),
        ("in a later seam", Stage::streamed(1).redialled()),
        ("connected", Stage::connected()),
        (
            "a tool open",
            after(Stage::connected(), |stage| {
                stage.wire(&tool_execute(1, "call_1", 0));
            }),
        ),
        (
            "refreshing",
            after(Stage::connected(), |stage| drop(stage.wire(AUTH_EXPIRED))),
        ),
        (
            "between two tries",
            after(Stage::connected(), |stage| {
                stage.wire(AUTH_EXPIRED);
                stage.reply("refresh_token", lost());
            }),
        ),
        (
            "concluding",
            after(Stage::connected(), |stage| {
                drop(stage.wire(&session_complete(1)))
            }),
        ),
        (
            "concluding for ever",
            after(Stage::connected(), |stage| {
                stage.wire(AUTH_EXPIRED);
                stage.reply("refresh_token", refused(RefusalKind::NotFound, 404));
            }),
        ),
        (
            "backing off",
            after(Stage::connected(), |stage| drop(stage.cut())),
        ),
        (
            "stopping",
            after(Stage::connected(), |stage| drop(stage.stop())),
        ),
        (
            "probing",
            after(Stage::connected(), |stage| drop(stage.sleep(200_000))),
        ),
        ("attaching", Stage::attaching()),
        (
            "reading the marker",
            after(Stage::attaching(), |stage| drop(stage.issue())),
        ),
        (
            "settling",
            after(Stage::connected(), |stage| {
                drop(stage.wire(&end(1, "done")))
            }),
        ),
        (
            "asking after the end",
            after(Stage::connected(), |stage| {
                stage.wire(&auth_failed("no"));
            }),
        ),
    ]
}

/// Every pair of blows in every situation: no panic, no broken invariant, no alarm that rings for ever; and whatever
/// happened, a detach leaves nothing behind.
#[test]
fn hostile_pairs_of_blows_break_nothing() {
    for (situation, stage) in situations() {
        for (first, strike) in BLOWS {
            let mut struck = stage.clone();
            strike(&mut struck);
            for (second, strike) in BLOWS {
                let mut struck = struck.clone();
                strike(&mut struck);
                struck.detach();
                struck.wait(30_000);
                assert!(
                    struck.state().is_settled(),
                    "{situation}, {first}, {second}"
                );
            }
        }
    }
}

/// The same with every number at its least, but for room for a call.
#[test]
fn hostile_blows_at_the_least_limits_break_nothing() {
    let least = || {
        Stage::with(|limits| {
            *limits = serde_json::from_value(json!({
                "dial_deadline": 1, "authentication_deadline": 1, "heartbeat_interval": 1,
                "silent_beats": 1, "silence_margin": 0, "sleep_threshold": 0, "probe_deadline": 1,
                "backoff_first": 1, "backoff_cap": 1, "progress_after": 0, "first_attempts": 1,
                "later_attempts": 1, "skip_interval": 0, "seam_quiet": 1, "seam_frames": 1,
                "seam_bytes": 1, "resume_answer": 1, "inquiry_interval": 1, "unknown_interval": 1, "status_tries": 1,
                "echo_window": 0, "token_lifetime": 0, "not_before_retry": 1, "refresh_tries": 1,
                "refused_tokens": 1, "start_deadline": 1, "request_deadline": 1, "stop_grace": 0,
                "stop_timeout": 1, "settle_deadline": 1, "tool_deadline": 1, "tool_margin": 0,
                "tool_minimum": 1, "result_lifetime": 1, "results": 1, "result_bytes": 1,
                "ledger": 1, "ledger_bytes": 64, "ring": 1
            }))
            .expect("limits");
        })
    };
    let connected = || least().executed().started().authenticated();
    for stage in [connected(), connected().resumed(), least().executed()] {
        for (_, first) in BLOWS {
            for (_, second) in BLOWS {
                let mut struck = stage.clone();
                first(&mut struck);
                second(&mut struck);
                struck.wait(20);
                struck.detach();
                struck.wait(20);
                assert!(struck.state().is_settled());
            }
        }
    }
}

#[test]
fn hostile_no_number_may_be_zero_where_a_rule_needs_one() {
    for field in [
        "first_attempts",
        "seam_frames",
        "ring",
        "ledger",
        "ledger_bytes",
        "results",
        "request_deadline",
    ] {
        let mut config = Stage::idle().state().config().clone();
        config.limits = serde_json::from_value(json!({ field: 0 })).expect("limits");
        let refused = State::new(config, 1)
            .map(|_| ())
            .map_err(|error| error.to_string());
        assert_eq!(
            refused,
            Err(format!("limits.{field} is 0; it must be at least 1"))
        );
    }
}

#[test]
fn hostile_a_terminal_in_the_seam_then_a_lost_socket_then_a_wake_up() {
    let mut stage = Stage::streamed(1).redialled();
    stage.wire(&end(2, "error"));
    stage.cut();
    stage.restore(0, None);
    stage.issue();
    stage.open();
    assert_eq!(stage.wire(AUTH_SUCCESS)[1], "dial#3 ▶ resume after 1");
    // It comes once more (C10), and with it what follows.
    assert_eq!(stage.wire(&end(2, "error")), [""; 0]);
    assert_eq!(stage.wire(&session_complete(3)), [""; 0]);
    assert!(has(
        &stage.wire(&resume_complete("completed")),
        "run_ended failed"
    ));
}

#[test]
fn hostile_a_stop_while_a_refresh_is_pending_and_the_network_is_lost() {
    let mut stage = Stage::connected();
    stage.wire(AUTH_EXPIRED);
    stage.network(Network::Offline);
    stage.cut();
    stage.reply("refresh_token", unreachable());
    assert!(has(&stage.stop(), "interrupt_run op_1"));
    stage.reply("interrupt_run", unreachable());
    stage.network(Network::Online);
    assert!(has(&stage.issue(), "open_connection dial#2"));
    stage.wait(14_000);
    let mut stage = stage.authenticated();
    assert!(has(
        &stage.wire(&resume_complete("interrupted")),
        "run_ended interrupted"
    ));
}

#[test]
fn hostile_answers_after_the_end_are_all_ignored() {
    let mut stage = Stage::connected();
    stage.wire(&tool_execute(1, "call_1", 0));
    stage.wire(AUTH_EXPIRED);
    stage.stop();
    stage.wire(&end(2, "done"));
    let interrupt = stage.reply("interrupt_run", Reply::Interrupted { success: false });
    assert_eq!(interrupt, [""; 0]);
    stage.reply("settle_marker", Reply::MarkerCleared);
    assert!(stage.state().is_settled());
    for call in [
        "start_run",
        "refresh_token",
        "interrupt_run",
        "settle_marker",
    ] {
        let lines = stage.reply(call, Reply::MarkerCleared);
        assert!(lines[0].ends_with("is not outstanding"), "{lines:?}");
    }
    assert_eq!(stage.answer("call_1", "x"), ["ignored: the run is over"]);
}

#[test]
fn hostile_ids_that_are_empty_are_ids() {
    let mut stage = Stage::connected();
    stage.wire(&tool_execute(1, "", 0));
    assert!(has(&stage.answer("", ""), "tool_result"));
    stage.wire(&event_of(
        "",
        2,
        "agent_runtime_end",
        json!({ "reason": "" }),
    ));
    assert_eq!(
        stage.outcome(),
        None,
        "an operation without a name is another's"
    );
    let nameless = json!({ "type": "", "operationId": "op_1", "data": null });
    let frame = json!({ "type": "agent_event", "id": "3", "event": nameless });
    assert_eq!(stage.wire(&frame.to_string()).len(), 1);
}

#[test]
fn hostile_the_largest_id_is_followed_by_a_restart_only() {
    let mut stage = Stage::connected();
    let jump = stage.wire(&chunk(u64::MAX));
    assert_eq!(
        jump[0],
        format!("gap_found after start before {}", u64::MAX)
    );
    assert_eq!(jump.len(), 2);
    assert_eq!(stage.wire(&chunk(u64::MAX)), [""; 0]);
    let lines = stage.wire(&chunk(1));
    assert_eq!(lines[0], format!("gap_found after {}", u64::MAX));
    let mut stage = stage.redialled();
    assert_eq!(stage.wire(&chunk(u64::MAX)), [""; 0], "ahead of a hole");
    stage.wire(&resume_complete("running"));
    assert_eq!(stage.state().receipt().gaps, 3);
}

#[test]
fn hostile_the_end_of_an_operation_that_restarts_for_ever_is_found_all_the_same() {
    let mut stage = Stage::in_seam();
    for round in 0..100 {
        stage.wire(&end(2 * round + 1, "done"));
        stage.wire(&chunk(2 * round + 2));
        if stage.has_asked("ask_status") {
            stage.reply("ask_status", status_reply("running"));
        }
    }
    stage.wire(&end(201, "interrupted"));
    assert!(has(
        &stage.wire(&resume_complete("completed")),
        "run_ended interrupted"
    ));
}

#[test]
fn hostile_a_pause_in_a_seam_loses_nothing() {
    let mut stage = Stage::in_seam();
    stage.wire(&chunk(2));
    stage.pause();
    let lines = stage.wait(3_600_000);
    assert!(
        lines.iter().all(|line| line.ends_with("heartbeat")),
        "{lines:?}"
    );
    assert_eq!(stage.wire(&chunk(1)), [handed(1), handed(2)]);
    stage.resume_reading();
    assert_eq!(stage.connection(), "connected");
}

#[test]
fn hostile_a_stored_run_that_is_woken_again_and_again_keeps_its_place() {
    let mut stage = Stage::streamed(5);
    for at in [0, u64::MAX, 1, 1 << 40, 0] {
        let token = stage.token();
        stage.restore(at, Some(token));
        let token = stage.token();
        stage.restore(at, Some(token));
    }
    stage.open();
    assert!(has(&stage.wire(AUTH_SUCCESS), "resume after 5"));
    assert_eq!(stage.state().receipt().gaps, 0);
}

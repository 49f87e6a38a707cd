//! R1, R4, R9: how a run starts.

use agent_gateway_machine::{
    Call, Effect, Execute, Notification, Outcome, RefusalKind, Renewal, Reply, RequestFailure,
    StartFailure, Started,
};
use agent_gateway_protocol::api::{AppContext, ExecAgent};
use agent_gateway_protocol::{GroupId, OperationId, RawJson};

use super::{has, new_topic};
use crate::rules::stage::*;

fn messages() -> Reply {
    Reply::Messages(RawJson::parse("[]").expect("JSON"))
}

fn unreadable(status: u16) -> Reply {
    Reply::Failed(RequestFailure::Unreadable {
        status,
        retry_after: None,
        text: "<html>".into(),
    })
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
        (refused(RefusalKind::Other, 429), "start_failed"),
        (unreadable(404), "start_failed"),
        (unreadable(302), "start_failed"),
        (refused(RefusalKind::Unauthorized, 401), "auth_lost"),
        (unreadable(401), "auth_lost"),
        (lost(), "start_unknown"),
        (unreadable(502), "start_unknown"),
        // A success that cannot be read, a failure on the way, and time that ran out may all have started it.
        (unreadable(200), "start_unknown"),
        (unreadable(408), "start_unknown"),
        (refused(RefusalKind::Other, 500), "start_unknown"),
        (refused(RefusalKind::Other, 504), "start_unknown"),
        (refused(RefusalKind::Other, 408), "start_unknown"),
        (refused(RefusalKind::Other, 499), "start_unknown"),
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
fn r5_what_the_server_does_not_name_of_a_run_is_what_it_was_given() {
    let mut stage = Stage::idle();
    stage.execute(Execute::new(ExecAgent {
        app_context: Some(AppContext {
            topic_id: Some("tpc_1".into()),
            thread_id: Some("thd_1".into()),
            ..AppContext::default()
        }),
        ..ExecAgent::default()
    }));
    let reply = Started {
        operation: "op_1".into(),
        topic: None,
        agent: None,
        thread: None,
        assistant_message: None,
        user_message: None,
        token: None,
    };
    stage.reply("start_run", Reply::Started(Box::new(reply)));
    let started = stage.effects.iter().find_map(|effect| match effect {
        Effect::Notify(Notification::RunStarted(started)) => Some(started.clone()),
        _ => None,
    });
    let started = started.expect("the start is told");
    assert_eq!(started.topic, Some("tpc_1".into()));
    assert_eq!(started.thread, Some("thd_1".into()));
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
fn r4_a_new_topic_is_announced_whatever_becomes_of_its_run() {
    let mut stopped = new_topic();
    stopped.stop();
    let reply = stopped.start_reply();
    let lines = stopped.reply("start_run", reply);
    assert!(has(&lines, "topic_created tpc_1"), "{lines:?}");
    let leave: [fn(&mut Stage) -> Vec<String>; 2] = [Stage::detach, Stage::stop];
    for leave in leave {
        let mut left = new_topic();
        let reply = left.start_reply();
        left.reply("start_run", reply);
        let lines = leave(&mut left);
        assert!(has(&lines, "topic_created tpc_1"), "{lines:?}");
    }
}

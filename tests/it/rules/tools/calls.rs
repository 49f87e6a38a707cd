//! T1, T4, T6: which calls are asked of the caller, and when.

use agent_gateway_machine::{Attach, Reply};
use agent_gateway_protocol::{Payload, ServerFrame};
use serde_json::json;

use super::*;

#[test]
fn t1_a_call_is_one_request_with_a_deadline_before_the_servers_own() {
    for (timeout, within) in [
        (60_000, 59_500),
        (600, 100),
        (1, 100),
        (0, 119_500),
        (-5, 119_500),
    ] {
        let mut stage = Stage::connected();
        let lines = stage.wire(&tool_execute(1, "call_1", timeout));
        let received = "event_received tool_execute call_1 at 1";
        assert_eq!(lines, [received, &requested("call_1", within)]);
    }
    let mut stage = Stage::connected();
    let bare =
        json!({ "toolCallId": "c", "identifier": "fs", "apiName": "read", "arguments": "{}" });
    assert_eq!(
        stage.wire(&event(1, "tool_execute", bare))[1],
        requested("c", 119_500)
    );
    stage.wire(&tool_execute(2, "d", i64::MAX));
    stage.wait(1_000_000);
}

#[test]
fn t1_in_a_seam_calls_wait_for_its_end_and_those_settled_there_are_dropped() {
    let mut stage = Stage::in_seam();
    stage.wire(&tool_execute(1, "call_1", 0));
    stage.wire(&tool_execute(2, "call_2", 0));
    stage.wire(&tool_execute(3, "call_3", 0));
    stage.wire(&tool_end(4, "call_1"));
    let result = event(
        5,
        "tool_result",
        json!({ "toolCallId": "call_2", "content": "x" }),
    );
    stage.wire(&result);
    assert_eq!(
        stage.wire(&resume_complete("running")),
        [requested("call_3", 119_500)]
    );
}

#[test]
fn t1_calls_of_others_and_of_sub_threads_are_not_ours() {
    let mut stage = Stage::connected();
    let data = json!({ "toolCallId": "c", "identifier": "fs", "apiName": "read", "arguments": "" });
    assert_eq!(
        stage
            .wire(&event_of("op_2", 1, "tool_execute", data.clone()))
            .len(),
        1
    );
    let mut sub = data;
    sub["subagent"] = json!({ "id": "s" });
    assert_eq!(stage.wire(&event(2, "tool_execute", sub)).len(), 1);
}

#[test]
fn t4_a_call_seen_again_is_never_handed_on_again() {
    let mut stage = asked(0);
    assert_eq!(stage.wire(&tool_execute(2, "call_1", 0)).len(), 1);
    stage.answer("call_1", "done");
    assert_eq!(stage.wire(&tool_execute(3, "call_1", 0)).len(), 1);
    stage.wire(&tool_end(4, "call_1"));
    assert_eq!(stage.wire(&tool_execute(5, "call_1", 0)).len(), 1);
}

#[test]
fn t6_a_passive_attach_executes_nothing() {
    let mut stage = Stage::attached_at(0);
    stage.wire(&resume_complete("running"));
    assert_eq!(stage.wire(&tool_execute(1, "call_1", 0)).len(), 1);
    assert_eq!(
        stage.answer("call_1", "x"),
        ["answer_refused tool call call_1: NeverAsked"]
    );
}

#[test]
fn t6_a_passive_attach_takes_over_no_calls() {
    let mut stage = Stage::idle();
    let mut attach = Attach::new("op_1".into(), None);
    attach.token = Some(stage.token());
    let frame = ServerFrame::decode(&tool_execute(1, "call_1", 0)).expect("a frame");
    let ServerFrame::AgentEvent(frame) = frame else {
        panic!("no event");
    };
    let Payload::ToolExecute(call) = frame.event.payload() else {
        panic!("no call");
    };
    attach.open_calls = vec![call];
    let ask = |executes_tools: bool| {
        let mut stage = stage.clone();
        stage.attach(Attach {
            executes_tools,
            ..attach.clone()
        });
        stage.authenticated().wire(&resume_complete("running"))
    };
    assert_eq!(ask(true), [requested("call_1", 119_500)]);
    assert_eq!(ask(false), [""; 0]);
}

#[test]
fn t1_the_calls_of_a_seam_whose_end_is_void_are_asked_for() {
    let mut stage = Stage::in_seam();
    stage.wire(&tool_execute(1, "call_1", 0));
    stage.wire(&session_complete(2));
    assert_eq!(
        stage.wire(&resume_complete("completed")),
        ["request#2 ▶ ask_status op_1"]
    );
    let lines = stage.wire(&chunk(3));
    assert_eq!(lines, [handed(3), requested("call_1", 119_500)]);
    stage.reply("ask_status", Reply::Status(None));
    assert_eq!(stage.outcome(), None);
    // Void by what the server says.
    let mut stage = Stage::in_seam();
    stage.wire(&tool_execute(1, "call_1", 0));
    stage.wire(&session_complete(2));
    stage.wire(&resume_complete("completed"));
    assert_eq!(stage.status("running"), [requested("call_1", 119_500)]);
}

//! T2, T3, T5, T6: answers on their way to the server, until it has them or nobody wants them.

use agent_gateway_machine::{EventKind, ToolAnswer};
use agent_gateway_protocol::RawJson;
use serde_json::json;

use super::*;

#[test]
fn t2_the_callers_answer_is_the_result_and_a_second_one_is_refused() {
    let mut stage = asked(0);
    assert_eq!(
        stage.answer("call_1", "done"),
        ["dial#1 ▶ tool_result call_1 \"done\""]
    );
    assert_eq!(
        stage.answer("call_1", "other"),
        ["answer_refused tool call call_1: AlreadyAnswered"]
    );
    assert_eq!(
        stage.answer("call_9", "x"),
        ["answer_refused tool call call_9: NeverAsked"]
    );
}

#[test]
fn t2_at_the_deadline_the_result_is_ours_and_the_callers_is_too_late() {
    let mut stage = asked(5_000);
    assert_eq!(stage.wait(4_499), [""; 0]);
    assert_eq!(
        stage.wait(1),
        [
            "tool_timed_out call_1",
            "dial#1 ▶ tool_result call_1 client_executor_timeout"
        ]
    );
    let error = &stage.sent()[0]["error"];
    assert_eq!(error["type"], "client_executor_timeout");
    let refused = ["answer_refused tool call call_1: AlreadyAnswered"];
    assert_eq!(stage.answer("call_1", "late"), refused);
}

#[test]
fn t2_resends_are_equal_byte_for_byte() {
    let mut stage = asked(0);
    stage.answer("call_1", "a \"quoted\" ü");
    let first = stage.sent();
    let mut stage = stage.redialled();
    assert_eq!(stage.sent()[1..], first);
    stage.cut();
    stage.wait_for_dial();
    stage = stage.authenticated();
    assert_eq!(stage.sent()[1..], first);
}

#[test]
fn t3_a_result_is_sent_again_after_every_auth_success_until_its_tool_end() {
    let mut stage = asked(0);
    stage.cut();
    assert_eq!(stage.answer("call_1", "done"), [""; 0]);
    stage.wait_for_dial();
    stage = stage.authenticated();
    assert_eq!(stage.sent().len(), 2);
    let mut stage = stage.redialled();
    assert_eq!(stage.sent().len(), 2);
    let lines = stage.wire(&tool_end(2, "call_1"));
    assert_eq!(lines[1], "tool_settled call_1");
    let stage = stage.redialled();
    assert_eq!(stage.sent().len(), 1);
}

#[test]
fn t3_a_result_that_nobody_shows_to_have_is_undeliverable_after_its_time() {
    let mut stage = asked(0);
    stage.answer("call_1", "done");
    stage.wait(60_000);
    stage.wire(HEARTBEAT_ACK);
    stage.status("running");
    stage.wait(59_999);
    let lines = stage.wait(1);
    assert!(
        lines.contains(&"answer_undeliverable tool call call_1".to_owned()),
        "{lines:?}"
    );
    let mut long = asked(800_000);
    long.answer("call_1", "done");
    for _ in 0..79 {
        long.wait(10_000);
        long.wire(HEARTBEAT_ACK);
    }
    let lines = long.wait(9_500);
    assert!(
        lines.contains(&"answer_undeliverable tool call call_1".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn t3_nothing_goes_out_while_a_token_is_fetched() {
    let mut stage = asked(0);
    stage.wire(AUTH_EXPIRED);
    assert_eq!(stage.answer("call_1", "done"), [""; 0]);
    stage.issue();
    let stage = stage.authenticated();
    assert_eq!(stage.sent().len(), 2);
}

#[test]
fn t5_error_and_state_are_left_out_when_absent_and_content_is_always_there() {
    let mut stage = asked(0);
    stage.answer("call_1", "done");
    let result = json!({
        "type": "tool_result", "toolCallId": "call_1", "content": "done", "success": true
    });
    assert_eq!(stage.sent(), [result]);
    let mut stage = asked(0);
    let mut answer = ToolAnswer::failure("boom", "it broke");
    answer.state = RawJson::parse(r#"{"a":1}"#).ok();
    stage.feed(EventKind::AnswerTool {
        call: "call_1".into(),
        answer: answer.into(),
    });
    let result = json!({
        "type": "tool_result", "toolCallId": "call_1", "content": null, "success": false,
        "error": { "type": "boom", "message": "it broke" }, "state": { "a": 1 }
    });
    assert_eq!(stage.sent(), [result]);
}

#[test]
fn t6_at_an_end_open_calls_are_withdrawn_and_a_late_answer_is_no_longer_heard() {
    let withdrawn = "answer_withdrawn tool call call_1".to_owned();
    let mut stage = asked(0);
    assert!(stage.wire(&end(2, "done")).contains(&withdrawn));
    assert_eq!(stage.answer("call_1", "late"), ["ignored: the run is over"]);
    let mut stage = asked(0);
    assert_eq!(stage.detach()[0], withdrawn);
    assert_eq!(stage.answer("call_1", "late"), ["ignored: the run is over"]);
    let mut stage = asked(0);
    assert_eq!(stage.wire(&tool_end(2, "call_1"))[1], withdrawn);
}

#[test]
fn t6_a_stop_keeps_answers_going_until_the_end() {
    let mut stage = asked(0);
    stage.stop();
    assert_eq!(stage.answer("call_1", "done").len(), 1);
    let mut stage = asked(0);
    stage.stop();
    stage.wire(HEARTBEAT_ACK);
    let lines = stage.wait(30_000);
    assert!(
        lines.contains(&"answer_withdrawn tool call call_1".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn d8_a_result_while_reconnecting_goes_out_after_the_redial() {
    let mut stage = asked(0);
    stage.cut();
    stage.answer("call_1", "done");
    stage.wait_for_dial();
    let stage = stage.authenticated();
    assert_eq!(stage.sent()[1]["content"], "done");
}

#[test]
fn d14_a_result_into_a_half_open_socket_is_sent_again_and_the_call_not_executed_twice() {
    let mut stage = asked(0);
    stage.answer("call_1", "done");
    stage.wait(60_000);
    stage.status("running");
    stage.wait(40_000);
    assert_eq!(stage.connection(), "reconnecting");
    stage.wait_for_dial();
    let mut stage = stage.authenticated();
    assert_eq!(stage.sent()[1]["content"], "done");
    let lines = stage.wire(&tool_execute(1, "call_1", 0));
    assert_eq!(lines, [""; 0], "the replay brings the call again");
    stage.wire(&resume_complete("running"));
    assert_eq!(stage.wire(&tool_end(2, "call_1"))[1], "tool_settled call_1");
}

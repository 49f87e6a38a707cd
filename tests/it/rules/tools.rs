//! T1–T7: what the server asks of the caller, and the answers on their way back.

use agent_gateway_machine::{EventKind, Reply, ToolAnswer};
use agent_gateway_protocol::RawJson;
use serde_json::json;

use super::stage::*;

fn requested(call: &str, within: u64) -> String {
    format!("tool_requested {call} fs/read {{}} within {within} ms")
}

/// Connected, with one call open that has its time from the server.
fn asked(timeout: i64) -> Stage {
    let mut stage = Stage::connected();
    stage.wire(&tool_execute(1, "call_1", timeout));
    stage
}

fn confirmation(id: u64) -> String {
    json!({ "type": "tool_confirmation_request", "id": id.to_string(), "toolCallId": "call_1" })
        .to_string()
}

fn input(id: u64) -> String {
    json!({ "type": "input_request", "id": id.to_string(), "requestId": "req_1", "prompt": "?" })
        .to_string()
}

fn approve() -> EventKind {
    EventKind::AnswerConfirmation {
        call: "call_1".into(),
        approved: true,
    }
}

fn type_in() -> EventKind {
    EventKind::AnswerInput {
        request: "req_1".into(),
        content: "typed".into(),
    }
}

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
fn t3_past_the_bounds_the_oldest_waiting_result_is_undeliverable() {
    let mut stage = Stage::connected_with(|limits| limits.results = 2);
    for id in 1..=3 {
        stage.wire(&tool_execute(id, &format!("call_{id}"), 0));
    }
    stage.answer("call_2", "b");
    stage.answer("call_1", "a");
    let lines = stage.answer("call_3", "c");
    assert_eq!(lines[1], "answer_undeliverable tool call call_1");
    let mut stage = Stage::connected_with(|limits| limits.result_bytes = 300);
    stage.wire(&tool_execute(1, "call_1", 0));
    stage.wire(&tool_execute(2, "call_2", 0));
    stage.answer("call_1", "a");
    let lines = stage.answer("call_2", &"b".repeat(200));
    assert_eq!(lines[1], "answer_undeliverable tool call call_1");
}

#[test]
fn t3_an_answer_that_is_too_large_by_itself_is_refused_and_a_smaller_one_is_taken() {
    let mut stage = Stage::connected_with(|limits| limits.result_bytes = 1_000);
    stage.wire(&tool_execute(1, "call_1", 0));
    assert_eq!(
        stage.answer("call_1", &"b".repeat(1_000)),
        ["answer_refused tool call call_1: TooLarge"]
    );
    stage.answer("call_1", "smaller");
    assert_eq!(stage.sent().len(), 1);
}

#[test]
fn t3_an_answer_counts_as_many_bytes_as_it_takes_on_the_wire() {
    let mut stage = Stage::connected_with(|limits| limits.result_bytes = 1_000);
    stage.wire(&tool_execute(1, "call_1", 0));
    // Each is six bytes there.
    assert_eq!(
        stage.answer("call_1", &"\u{0}".repeat(200)),
        ["answer_refused tool call call_1: TooLarge"]
    );
    stage.answer("call_1", &"\u{0}".repeat(100));
    assert_eq!(stage.sent().len(), 1);
}

#[test]
fn t2_at_the_deadline_a_call_is_answered_whatever_the_bounds() {
    let mut stage = Stage::connected_with(|limits| limits.result_bytes = 1);
    stage.wire(&tool_execute(1, "call_1", 5_000));
    assert_eq!(
        stage.wait(4_500),
        [
            "tool_timed_out call_1",
            "dial#1 ▶ tool_result call_1 client_executor_timeout",
            "answer_undeliverable tool call call_1"
        ]
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
fn t4_a_call_seen_again_is_never_handed_on_again() {
    let mut stage = asked(0);
    assert_eq!(stage.wire(&tool_execute(2, "call_1", 0)).len(), 1);
    stage.answer("call_1", "done");
    assert_eq!(stage.wire(&tool_execute(3, "call_1", 0)).len(), 1);
    stage.wire(&tool_end(4, "call_1"));
    assert_eq!(stage.wire(&tool_execute(5, "call_1", 0)).len(), 1);
}

#[test]
fn t4_a_full_ledger_forgets_the_oldest_settled_and_never_an_open_one() {
    let mut stage = Stage::connected_with(|limits| limits.ledger = 2);
    stage.wire(&tool_execute(1, "call_1", 0));
    stage.wire(&tool_execute(2, "call_2", 0));
    let full = stage.wire(&tool_execute(3, "call_3", 0));
    assert_eq!(full[1], "warning_raised no room for tool call call_3");
    stage.wire(&tool_end(4, "call_1"));
    assert_eq!(
        stage.wire(&tool_execute(5, "call_4", 0))[1],
        requested("call_4", 119_500)
    );
}

#[test]
fn t4_open_calls_are_bounded_in_bytes() {
    let mut stage = Stage::with(|limits| limits.ledger_bytes = 1_000)
        .executed()
        .started()
        .authenticated();
    let call = |id: u64, bytes: usize| {
        let data = json!({
            "toolCallId": format!("call_{id}"), "identifier": "fs", "apiName": "read",
            "arguments": "x".repeat(bytes)
        });
        event(id, "tool_execute", data)
    };
    assert_eq!(stage.wire(&call(1, 900)).len(), 1);
    let full = stage.wire(&call(2, 100));
    assert_eq!(full[1], "warning_raised no room for tool call call_2");
    let asked = stage.wire(&resume_complete("running"));
    assert!(asked[0].starts_with("tool_requested call_1"), "{asked:?}");
    assert_eq!(
        stage.wire(&call(3, 900)).len(),
        1,
        "it may have to be asked again"
    );
    // Once it is answered, only its id is remembered.
    stage.answer("call_1", "done");
    assert!(stage.wire(&call(4, 900))[1].starts_with("tool_requested call_4"));
}

#[test]
fn t4_ids_are_bounded_in_bytes_and_the_oldest_settled_are_forgotten() {
    let mut stage = Stage::connected_with(|limits| limits.ledger_bytes = 1_900);
    let long = |letter: &str| letter.repeat(400);
    let mut id = 0;
    let mut called = |stage: &mut Stage, call: &str| {
        id += 1;
        stage.wire(&tool_execute(id, call, 0))[1].clone()
    };
    assert!(called(&mut stage, &long("a")).starts_with("tool_requested"));
    assert!(called(&mut stage, &long("b")).starts_with("tool_requested"));
    let full = called(&mut stage, &long("c"));
    assert!(
        full.starts_with("warning_raised no room for tool call c"),
        "{full}"
    );
    stage.wire(&tool_end(4, &long("b")));
    // One that can never fit makes nothing be forgotten.
    let mut lines = stage.wire(&tool_execute(5, &"e".repeat(1_901), 0));
    assert_eq!(
        lines.len(),
        1,
        "the first warning of its sort is told, the rest is counted"
    );
    lines = stage.wire(&tool_execute(6, &long("b"), 0));
    assert_eq!(lines.len(), 1, "it is known still");
    lines = stage.wire(&tool_execute(7, &long("d"), 0));
    assert!(lines[1].starts_with("tool_requested"), "{lines:?}");
}

#[test]
fn t4_a_prompt_that_finds_no_room_is_warned_of() {
    let mut stage = Stage::connected_with(|limits| limits.ledger = 1);
    stage.wire(&tool_execute(1, "call_1", 0));
    let lines = stage.wire(&input(2));
    assert_eq!(lines, ["warning_raised no room for input request req_1"]);
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
fn t7_confirmations_and_input_are_asked_once_and_their_answers_wait_and_go_like_results() {
    let mut stage = Stage::connected();
    assert_eq!(
        stage.wire(&confirmation(1)),
        ["confirmation_requested call_1"]
    );
    assert_eq!(stage.wire(&confirmation(2)), [""; 0]);
    assert_eq!(stage.wire(&input(3)), ["input_requested req_1 \"?\""]);
    assert_eq!(stage.wire(&input(4)), [""; 0]);
    assert_eq!(
        stage.feed(approve()),
        ["dial#1 ▶ tool_confirmation call_1 true"]
    );
    stage.cut();
    assert_eq!(stage.feed(type_in()), [""; 0]);
    stage.wait_for_dial();
    let mut stage = stage.authenticated();
    let answers = [
        json!({ "type": "tool_confirmation", "toolCallId": "call_1", "approved": true }),
        json!({ "type": "user_input", "requestId": "req_1", "content": "typed" }),
    ];
    assert_eq!(stage.sent()[1..], answers);
    let twice = ["answer_refused confirmation of call_1: AlreadyAnswered"];
    assert_eq!(stage.feed(approve()), twice);
}

#[test]
fn t7_answers_are_refused_after_the_end() {
    let mut stage = Stage::connected();
    stage.wire(&confirmation(1));
    let lines = stage.wire(&end(2, "done"));
    assert!(lines.contains(&"answer_withdrawn confirmation of call_1".to_owned()));
    assert_eq!(stage.feed(approve()), ["ignored: the run is over"]);
    assert_eq!(stage.feed(type_in()), ["ignored: the run is over"]);
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
}

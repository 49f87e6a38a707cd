//! T2, T3, T4: how many calls and answers are kept, and what goes when there are more.

use serde_json::json;

use super::*;

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
    // Not the one just taken, though it was asked for first.
    let mut stage = Stage::connected_with(|limits| limits.results = 1);
    stage.wire(&tool_execute(1, "call_1", 0));
    stage.wire(&tool_execute(2, "call_2", 0));
    stage.answer("call_2", "b");
    let lines = stage.answer("call_1", "a");
    assert_eq!(lines[1], "answer_undeliverable tool call call_2");
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
    // Of two that are settled the older one goes.
    stage.wire(&tool_end(6, "call_2"));
    stage.wire(&tool_end(7, "call_4"));
    stage.wire(&tool_execute(8, "call_5", 0));
    let again = stage.wire(&tool_execute(9, "call_4", 0));
    assert_eq!(again.len(), 1, "it is known: {again:?}");
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
    stage.answer("call_1", "done");
    assert_eq!(
        stage.wire(&call(4, 100)).len(),
        1,
        "another program may have to be asked for it"
    );
    // Once the server shows that it has the result, only its id is remembered.
    stage.wire(&tool_end(5, "call_1"));
    assert!(stage.wire(&call(6, 900))[1].starts_with("tool_requested call_6"));
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

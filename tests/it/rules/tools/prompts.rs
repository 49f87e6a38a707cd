//! T7: confirmations and input.

use agent_gateway_machine::{EventKind, Millis};
use serde_json::json;

use super::*;

fn type_in() -> EventKind {
    EventKind::AnswerInput {
        request: "req_1".into(),
        content: "typed".into(),
    }
}

fn approve() -> EventKind {
    EventKind::AnswerConfirmation {
        call: "call_1".into(),
        approved: true,
    }
}

fn confirmation(id: u64) -> String {
    json!({ "type": "tool_confirmation_request", "id": id.to_string(), "toolCallId": "call_1" })
        .to_string()
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
fn t7_an_answer_that_went_out_is_taken_for_delivered() {
    let mut stage = Stage::connected();
    stage.wire(&confirmation(1));
    stage.feed(approve());
    for _ in 0..10 {
        let lines = stage.wait(30_000);
        let gives_up = |line: &String| line.starts_with("answer_undeliverable");
        assert!(!lines.iter().any(gives_up), "{lines:?}");
        stage.wire(HEARTBEAT_ACK);
    }
}

#[test]
fn t7_an_answer_that_never_went_out_is_undeliverable_after_its_time() {
    let mut stage = Stage::connected_with(|limits| limits.result_lifetime = Millis::seconds(1));
    stage.wire(&input(1));
    stage.cut();
    assert_eq!(stage.feed(type_in()), [""; 0]);
    let lines = stage.wait(1_000);
    let undeliverable = "answer_undeliverable input request req_1".to_owned();
    assert!(lines.contains(&undeliverable), "{lines:?}");
}

#[test]
fn t7_a_prompt_is_not_asked_again_at_the_next_seams_end() {
    let mut stage = Stage::connected();
    stage.wire(&input(1));
    let mut stage = stage.redialled();
    assert_eq!(stage.wire(&resume_complete("running")), [""; 0]);
}

//! C7: what breaks the protocol, and answers that are over the gateway's limit.

use agent_gateway_machine::{Close, EventKind};
use agent_gateway_protocol::CloseCode;
use serde_json::json;

use crate::rules::stage::*;

const TOO_LARGE: u16 = 1009;

/// Closed, and the next socket authenticated.
fn closed(mut stage: Stage, code: u16) -> Stage {
    stage.close(code);
    assert_eq!(stage.connection(), "reconnecting");
    stage.wait_for_dial();
    stage.authenticated()
}

/// Connected, with an open call of each name.
fn asked(calls: &[&str]) -> Stage {
    let mut stage = Stage::connected();
    for (id, call) in (1..).zip(calls) {
        stage.wire(&tool_execute(id, call, 0));
    }
    stage
}

/// Closed, and over.
fn over(stage: &mut Stage, code: u16) {
    stage.close(code);
    assert_eq!(stage.outcome(), Some("protocol_violation"), "{code}");
}

/// The tool calls whose results went out with the last step.
fn results(stage: &Stage) -> Vec<String> {
    let sent = stage.sent().into_iter();
    let results = sent.filter(|frame| frame["type"] == "tool_result");
    results
        .filter_map(|result| Some(result["toolCallId"].as_str()?.to_owned()))
        .collect()
}

fn undeliverable(call: &str) -> String {
    format!("answer_undeliverable tool call {call}")
}

#[test]
fn c7_a_violation_reconnects_once_and_is_then_over() {
    let violations = [1002, 1003, 1007, 1008, 1009].map(|code| Close::Closed {
        code: Some(CloseCode(code)),
        reason: "".into(),
    });
    let too_big = Close::Violation {
        text: "too big".into(),
    };
    for close in violations.into_iter().chain([too_big]) {
        let mut stage = Stage::connected();
        stage.end_socket(close.clone());
        assert_eq!(stage.connection(), "reconnecting");
        stage.wait_for_dial();
        let mut stage = stage.authenticated();
        let lines = stage.end_socket(close);
        assert_eq!(
            lines[..2],
            [
                "status_changed disconnected",
                "run_ended protocol_violation"
            ]
        );
    }
}

#[test]
fn c7_a_violation_is_forgotten_after_progress() {
    let event = |stage: &mut Stage| stage.wire(&chunk(1));
    let proven = |stage: &mut Stage| stage.wait(10_000);
    let progress: [fn(&mut Stage) -> Vec<String>; 2] = [event, proven];
    for code in [1002, 1008, TOO_LARGE] {
        for progress in progress {
            let mut stage = closed(Stage::connected(), code);
            progress(&mut stage);
            let mut stage = closed(stage, code);
            over(&mut stage, code);
        }
        let mut stage = closed(Stage::connected(), code).resumed();
        stage.wait(9_999);
        over(&mut stage, code);
    }
}

/// As any other close does; the stage holds it against I8 and I19.
#[test]
fn c7_a_gateway_that_breaks_the_protocol_after_every_event_is_dialled_at_the_backoffs_pace() {
    let mut stage = Stage::connected();
    for id in 1..=100 {
        stage.wire(&chunk(id));
        stage.close(1002);
        let waited = stage.wait_for_dial();
        assert!((500..=1_000).contains(&waited), "{waited}");
        stage = stage.authenticated();
    }
    assert_eq!(stage.outcome(), None);
}

#[test]
fn c7_an_answer_over_the_gateways_limit_is_given_up_and_the_run_goes_on() {
    let mut stage = asked(&["call_1"]);
    stage.answer("call_1", "large");
    let mut stage = closed(stage, TOO_LARGE);
    assert_eq!(results(&stage), ["call_1"], "once more");
    let lines = stage.close(TOO_LARGE);
    assert_eq!(lines[0], undeliverable("call_1"));
    assert_eq!(stage.connection(), "reconnecting");
    stage.wait_for_dial();
    let mut stage = stage.authenticated().resumed();
    assert!(results(&stage).is_empty());
    let late = "answer_refused tool call call_1: AlreadyAnswered";
    assert_eq!(stage.answer("call_1", "smaller"), [late]);
    stage.wire(&end(2, "done"));
    assert_eq!(stage.outcome(), Some("completed"));
}

#[test]
fn c7_the_largest_answer_goes_first_until_none_is_left_and_then_it_is_over() {
    let mut stage = asked(&["call_1", "call_2", "call_3"]);
    stage.answer("call_1", "larger");
    stage.answer("call_2", "the largest");
    stage.answer("call_3", "larger");
    let mut stage = closed(stage, TOO_LARGE);
    for (given_up, left) in [
        ("call_2", ["call_1", "call_3"].as_slice()),
        ("call_1", &["call_3"]),
        ("call_3", &[]),
    ] {
        assert_eq!(stage.close(TOO_LARGE)[0], undeliverable(given_up));
        stage.wait_for_dial();
        stage = stage.authenticated();
        assert_eq!(results(&stage), left);
    }
    over(&mut stage, TOO_LARGE);
}

/// The stream goes on beside it, so every socket is progress.
#[test]
fn c7_progress_does_not_save_an_answer_over_the_limit() {
    let mut stage = asked(&["call_1"]);
    stage.answer("call_1", "large");
    let mut stage = closed(stage, TOO_LARGE);
    stage.wire(&chunk(2));
    assert_eq!(stage.close(TOO_LARGE)[0], undeliverable("call_1"));
}

#[test]
fn c7_a_larger_answer_sent_later_has_a_socket_more() {
    let mut stage = asked(&["call_1", "call_2"]);
    stage.answer("call_1", "small");
    let mut stage = closed(stage, TOO_LARGE);
    stage.answer("call_2", "much larger");
    let mut stage = closed(stage, TOO_LARGE);
    assert_eq!(results(&stage), ["call_1", "call_2"]);
    assert_eq!(stage.close(TOO_LARGE)[0], undeliverable("call_2"));
}

#[test]
fn c7_only_1009_on_a_socket_that_an_answer_was_sent_on_blames_it() {
    // Another code.
    let mut stage = asked(&["call_1"]);
    stage.answer("call_1", "done");
    let mut stage = closed(stage, 1008);
    assert_eq!(results(&stage), ["call_1"]);
    over(&mut stage, 1008);
    // Answered, and it never went out.
    let mut stage = asked(&["call_1"]);
    stage.close(TOO_LARGE);
    stage.answer("call_1", "done");
    stage.wait_for_dial();
    let mut stage = stage.opened();
    over(&mut stage, TOO_LARGE);
    // It went out on an earlier socket, and not on this one, which was never authenticated.
    let mut stage = asked(&["call_1"]);
    stage.answer("call_1", "done");
    stage.cut();
    stage.wait_for_dial();
    let mut stage = stage.opened();
    stage.close(TOO_LARGE);
    stage.wait_for_dial();
    let mut stage = stage.opened();
    over(&mut stage, TOO_LARGE);
    // The server has it.
    let mut stage = asked(&["call_1"]);
    stage.answer("call_1", "done");
    stage.wire(&tool_end(2, "call_1"));
    let mut stage = closed(stage, TOO_LARGE);
    over(&mut stage, TOO_LARGE);
}

#[test]
fn c7_an_answer_over_the_limit_is_found_while_a_token_is_fetched_too() {
    let mut stage = asked(&["call_1"]);
    stage.answer("call_1", "large");
    stage.wire(AUTH_EXPIRED);
    stage.close(TOO_LARGE);
    stage.issue();
    let mut stage = stage.authenticated();
    assert_eq!(results(&stage), ["call_1"]);
    assert_eq!(stage.close(TOO_LARGE)[0], undeliverable("call_1"));
}

/// What the user types has no echo, and counts as delivered once sent: but not if the gateway says that it is too large.
#[test]
fn t7_what_the_user_typed_is_undeliverable_if_it_is_over_the_gateways_limit() {
    let mut stage = Stage::connected();
    let prompt = json!({ "type": "input_request", "id": "1", "requestId": "req_1", "prompt": "?" });
    stage.wire(&prompt.to_string());
    stage.feed(EventKind::AnswerInput {
        request: "req_1".into(),
        content: "a whole book".into(),
    });
    let mut stage = closed(stage, TOO_LARGE);
    let lines = stage.close(TOO_LARGE);
    assert_eq!(lines[0], "answer_undeliverable input request req_1");
    assert_eq!(stage.connection(), "reconnecting");
}

#[test]
fn restored_an_answer_that_was_suspected_once_still_is() {
    let mut stage = asked(&["call_1"]);
    stage.answer("call_1", "large");
    stage.close(TOO_LARGE);
    let token = stage.token();
    stage.restore(5, Some(token));
    let mut stage = stage.authenticated();
    assert_eq!(results(&stage), ["call_1"]);
    assert_eq!(stage.close(TOO_LARGE)[0], undeliverable("call_1"));
}

//! T1–T7: what the server asks of the caller, and the answers on their way back.

mod answers;
mod calls;
mod prompts;
mod room;

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

fn input(id: u64) -> String {
    json!({ "type": "input_request", "id": id.to_string(), "requestId": "req_1", "prompt": "?" })
        .to_string()
}

//! The frames of the run `op_1`, as the wire has them.

use serde_json::{Value, json};

pub(crate) const AUTH_SUCCESS: &str = r#"{"type":"auth_success"}"#;
pub(crate) const AUTH_EXPIRED: &str = r#"{"type":"auth_expired"}"#;
pub(crate) const HEARTBEAT_ACK: &str = r#"{"type":"heartbeat_ack"}"#;

/// A chunk of the run's own text; its timestamp is its id.
pub(crate) fn chunk(id: u64) -> String {
    let text = format!("t{id}");
    event(
        id,
        "stream_chunk",
        json!({ "chunkType": "text", "content": text }),
    )
}

/// The line of a chunk that is handed on.
pub(crate) fn handed(id: u64) -> String {
    format!("event_received stream_chunk \"t{id}\" at {id}")
}

/// An event of the run's own.
pub(crate) fn event(id: u64, kind: &str, data: Value) -> String {
    event_of("op_1", id, kind, data)
}

pub(crate) fn event_of(operation: &str, id: u64, kind: &str, data: Value) -> String {
    let event = json!({
        "type": kind, "stepIndex": 0, "operationId": operation, "timestamp": id, "data": data
    });
    json!({ "type": "agent_event", "id": id.to_string(), "event": event }).to_string()
}

/// The run's own end.
pub(crate) fn end(id: u64, reason: &str) -> String {
    event(id, "agent_runtime_end", json!({ "reason": reason }))
}

pub(crate) fn session_complete(id: u64) -> String {
    json!({ "type": "session_complete", "id": id.to_string(), "summary": "" }).to_string()
}

pub(crate) fn status_change(id: u64, status: &str) -> String {
    json!({ "type": "status_change", "id": id.to_string(), "status": status }).to_string()
}

pub(crate) fn resume_complete(status: &str) -> String {
    json!({ "type": "resume_complete", "status": status }).to_string()
}

pub(crate) fn auth_failed(reason: &str) -> String {
    json!({ "type": "auth_failed", "reason": reason }).to_string()
}

pub(crate) fn tool_execute(id: u64, call: &str, timeout: i64) -> String {
    let data = json!({
        "toolCallId": call, "identifier": "fs", "apiName": "read", "arguments": "{}",
        "executionTimeoutMs": timeout
    });
    event(id, "tool_execute", data)
}

pub(crate) fn tool_end(id: u64, call: &str) -> String {
    event(
        id,
        "tool_end",
        json!({ "toolCallId": call, "isSuccess": true }),
    )
}

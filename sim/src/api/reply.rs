//! What a healthy server answers, in the shapes of the real one.

use agent_gateway_protocol::{AgentId, OperationId, OperationStatus, RawJson, Token, TopicId};
use serde_json::{Value, json};

use super::run::Topic;

pub(super) const NO_AGENT: &str = "[\n  {\n    \"code\": \"custom\",\n    \"message\": \"Either agentId or slug must be provided\",\n    \"path\": []\n  }\n]";
pub(super) const NO_OPERATION: &str = "[\n  {\n    \"code\": \"custom\",\n    \"message\": \"Either threadId or operationId must be provided\",\n    \"path\": []\n  }\n]";

const CREATED_AT: &str = "2026-07-11T08:00:00.000Z";

pub(super) fn of_value(value: &Value) -> RawJson {
    // A `Value` has string keys only: writing it cannot fail.
    RawJson::from_serialize(value).unwrap_or_else(|_| RawJson::null())
}

pub(super) fn started(
    agent: &AgentId,
    operation: &OperationId,
    topic: &TopicId,
    token: Option<&Token>,
) -> RawJson {
    let mut value = json!({
        "agentId": agent.as_str(),
        "assistantMessageId": "msg_a1",
        "autoStarted": true,
        "createdAt": CREATED_AT,
        "message": "Agent operation created successfully",
        "operationId": operation.as_str(),
        "status": "created",
        "success": true,
        "timestamp": CREATED_AT,
        "topicId": topic.as_str(),
        "userMessageId": "msg_u1",
    });
    if let Some(token) = token {
        value["token"] = token.expose().into();
    }
    of_value(&value)
}

pub(super) fn soft_failure(text: &str) -> RawJson {
    of_value(&json!({
        "autoStarted": false,
        "createdAt": CREATED_AT,
        "error": text,
        "message": "Agent operation failed to start",
        "operationId": "op_failed",
        "status": "error",
        "success": false,
        "timestamp": CREATED_AT,
    }))
}

pub(super) fn token(token: Option<&Token>) -> RawJson {
    of_value(&match token {
        Some(token) => json!({ "token": token.expose() }),
        None => json!({}),
    })
}

pub(super) fn interrupted(operation: &OperationId, success: bool) -> RawJson {
    of_value(&json!({ "operationId": operation.as_str(), "success": success }))
}

pub(super) fn status(
    operation: &OperationId,
    status: &OperationStatus,
    error: Option<&str>,
) -> RawJson {
    let mut state = json!({ "status": status.as_str(), "stepCount": 1 });
    if let Some(error) = error {
        state["error"] = json!({ "message": error });
    }
    of_value(&json!({
        "currentState": state,
        "hasError": *status == OperationStatus::Error,
        "isActive": !status.is_terminal(),
        "isCompleted": matches!(status, OperationStatus::Done | OperationStatus::Completed),
        "metadata": {},
        "needsHumanInput": *status == OperationStatus::WaitingForHuman,
        "operationId": operation.as_str(),
        "stats": {},
    }))
}

pub(super) fn messages(topic: Option<&TopicId>) -> RawJson {
    of_value(&json!([{
        "content": "",
        "createdAt": CREATED_AT,
        "id": "msg_a1",
        "parentId": "msg_u1",
        "role": "assistant",
        "topicId": topic.map(TopicId::as_str),
        "updatedAt": CREATED_AT,
    }]))
}

pub(super) fn topic(id: &TopicId, topic: Option<&Topic>) -> RawJson {
    of_value(&topic.map_or(Value::Null, |topic| row(id, topic)))
}

pub(super) fn topics(id: &TopicId, topic: Option<&Topic>) -> RawJson {
    let rows: Vec<Value> = topic.map(|topic| row(id, topic)).into_iter().collect();
    of_value(&rows.into())
}

fn row(id: &TopicId, topic: &Topic) -> Value {
    let running = topic.running.as_ref().map(|operation| {
        json!({ "assistantMessageId": "msg_a1", "operationId": operation.as_str(), "scope": "main" })
    });
    json!({
        "createdAt": CREATED_AT,
        "id": id.as_str(),
        "metadata": { "runningOperation": running },
        "status": "active",
        "title": "A topic",
        "updatedAt": CREATED_AT,
        "userId": topic.user.as_str(),
    })
}

pub(super) fn settled(success: bool) -> RawJson {
    of_value(&json!({ "success": success }))
}

pub(super) fn global_config(gateway_url: &str) -> RawJson {
    of_value(&json!({
        "serverConfig": {
            "agentGatewayUrl": gateway_url,
            "aiProvider": {},
            "enableGatewayMode": true,
            "telemetry": {},
        },
        "serverFeatureFlags": {},
    }))
}

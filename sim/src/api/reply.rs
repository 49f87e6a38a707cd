//! What a healthy server answers, typed, and in the shapes of the real one.

use agent_gateway_protocol::{AgentId, OperationId, OperationStatus, RawJson, Token, TopicId};
use serde_json::{Value, json};

use super::run::Topic;

pub(super) const NO_AGENT: &str = "[\n  {\n    \"code\": \"custom\",\n    \"message\": \"Either agentId or slug must be provided\",\n    \"path\": []\n  }\n]";
pub(super) const NO_OPERATION: &str = "[\n  {\n    \"code\": \"custom\",\n    \"message\": \"Either threadId or operationId must be provided\",\n    \"path\": []\n  }\n]";

const CREATED_AT: &str = "2026-07-11T08:00:00.000Z";

/// What a procedure gives. What most sessions ask for is typed, so that a world in virtual time writes and reads no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiReply {
    /// `execAgent` started a run.
    Started {
        /// The agent.
        agent: AgentId,
        /// The run.
        operation: OperationId,
        /// Its topic.
        topic: TopicId,
        /// What opens the gateway.
        token: Option<Token>,
    },
    /// `refreshGatewayToken` gave one.
    Token(Token),
    /// `interruptTask` did what it could.
    Interrupted {
        /// The run.
        operation: OperationId,
        /// Whether there was one to stop.
        success: bool,
    },
    /// `getOperationStatus` knows the run.
    Status {
        /// The run.
        operation: OperationId,
        /// How it stands.
        status: OperationStatus,
        /// What failed, in a sentence.
        error: Option<Box<str>>,
    },
    /// `settleRunningOperation`: whether the marker was the run's own.
    Settled(bool),
    /// Any other value.
    Json(RawJson),
}

impl ApiReply {
    /// The row of the answer, in every run.
    pub(crate) const ASSISTANT_MESSAGE: &str = "msg_a1";
    /// The row of the prompt, in every run.
    pub(crate) const USER_MESSAGE: &str = "msg_u1";

    pub(super) fn of_value(value: &Value) -> Self {
        Self::Json(of_value(value))
    }

    /// What goes into the envelope.
    #[must_use]
    pub fn to_json(&self) -> RawJson {
        match self {
            Self::Started {
                agent,
                operation,
                topic,
                token,
            } => started(agent, operation, topic, token.as_ref()),
            Self::Token(token) => of_value(&json!({ "token": token.expose() })),
            Self::Interrupted { operation, success } => {
                of_value(&json!({ "operationId": operation.as_str(), "success": success }))
            }
            Self::Status {
                operation,
                status,
                error,
            } => self::status(operation, status, error.as_deref()),
            Self::Settled(success) => of_value(&json!({ "success": success })),
            Self::Json(json) => json.clone(),
        }
    }
}

fn of_value(value: &Value) -> RawJson {
    // A `Value` has string keys only: writing it cannot fail.
    RawJson::from_serialize(value).unwrap_or_else(|_| RawJson::null())
}

fn started(
    agent: &AgentId,
    operation: &OperationId,
    topic: &TopicId,
    token: Option<&Token>,
) -> RawJson {
    let mut value = json!({
        "agentId": agent.as_str(),
        "assistantMessageId": ApiReply::ASSISTANT_MESSAGE,
        "autoStarted": true,
        "createdAt": CREATED_AT,
        "message": "Agent operation created successfully",
        "operationId": operation.as_str(),
        "status": "created",
        "success": true,
        "timestamp": CREATED_AT,
        "topicId": topic.as_str(),
        "userMessageId": ApiReply::USER_MESSAGE,
    });
    if let Some(token) = token {
        value["token"] = token.expose().into();
    }
    of_value(&value)
}

pub(super) fn soft_failure(text: &str) -> ApiReply {
    ApiReply::of_value(&json!({
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

fn status(operation: &OperationId, status: &OperationStatus, error: Option<&str>) -> RawJson {
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

pub(super) fn messages(topic: Option<&TopicId>) -> ApiReply {
    ApiReply::of_value(&json!([{
        "content": "",
        "createdAt": CREATED_AT,
        "id": ApiReply::ASSISTANT_MESSAGE,
        "parentId": ApiReply::USER_MESSAGE,
        "role": "assistant",
        "topicId": topic.map(TopicId::as_str),
        "updatedAt": CREATED_AT,
    }]))
}

pub(super) fn topic(id: &TopicId, topic: Option<&Topic>) -> ApiReply {
    ApiReply::of_value(&topic.map_or(Value::Null, |topic| row(id, topic)))
}

pub(super) fn topics(id: &TopicId, topic: Option<&Topic>) -> ApiReply {
    let rows: Vec<Value> = topic.map(|topic| row(id, topic)).into_iter().collect();
    ApiReply::of_value(&rows.into())
}

fn row(id: &TopicId, topic: &Topic) -> Value {
    let running = topic.running.as_ref().map(|operation| {
        json!({ "assistantMessageId": ApiReply::ASSISTANT_MESSAGE, "operationId": operation.as_str(), "scope": "main" })
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

pub(super) fn global_config(gateway_url: &str) -> ApiReply {
    ApiReply::of_value(&json!({
        "serverConfig": {
            "agentGatewayUrl": gateway_url,
            "aiProvider": {},
            "enableGatewayMode": true,
            "telemetry": {},
        },
        "serverFeatureFlags": {},
    }))
}

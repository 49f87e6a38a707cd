//! The gateway's calls as they are over HTTP: JSON bodies in, JSON or plain text out.

use agent_gateway_machine::Millis;
use agent_gateway_protocol::json::{FromJson, ToJson};
use agent_gateway_protocol::{AgentEvent, Object, OperationId, OperationStatus, RawJson, UserId};

use super::{GatewayAnswer, GatewayCall};
use crate::http::{HttpRequest, HttpResponse};

const CALLS: &str = "/api/operations/";

/// Reads a call.
///
/// # Errors
/// The answer to what is none: 400, 401 or 404, in plain text.
pub(crate) fn parse_call(
    request: &HttpRequest,
    service_token: Option<&str>,
) -> Result<GatewayCall, HttpResponse> {
    let path = &*request.path;
    if &*request.method == "GET" && path == "/health" {
        return Ok(GatewayCall::CheckHealth);
    }
    let Some(name) = path.strip_prefix(CALLS) else {
        return Err(HttpResponse::text(404, "Not Found"));
    };
    if !is_served(request, service_token) {
        return Err(HttpResponse::text(401, "Unauthorized"));
    }
    match (&*request.method, name) {
        ("GET", "status") => {
            let operation = request
                .parameter("operationId")
                .filter(|operation| !operation.is_empty())
                .ok_or_else(|| missing("operationId"))?;
            Ok(GatewayCall::ReadStatus {
                operation: OperationId::new(operation),
            })
        }
        ("POST", _) => {
            let body = request
                .text()
                .and_then(|text| RawJson::parse(text).ok())
                .and_then(|json| Object::parse(&json))
                .ok_or_else(|| HttpResponse::text(400, "Invalid JSON"))?;
            parse_body(name, body)
        }
        _ => Err(HttpResponse::text(404, "Not Found")),
    }
}

/// Whether the request shows the service's token, if it takes one.
pub(crate) fn is_served(request: &HttpRequest, service_token: Option<&str>) -> bool {
    let bearer = request
        .header("authorization")
        .and_then(|header| header.strip_prefix("Bearer "));
    service_token.is_none_or(|token| bearer == Some(token))
}

fn parse_body(name: &str, mut body: Object) -> Result<GatewayCall, HttpResponse> {
    if !matches!(
        name,
        "init"
            | "push-event"
            | "push-events"
            | "tool-execute"
            | "update-status"
            | "request-confirmation"
            | "request-input"
    ) {
        return Err(HttpResponse::text(404, "Not Found"));
    }
    let operation: OperationId = required(&mut body, "operationId")?;
    Ok(match name {
        "init" => GatewayCall::Initialize {
            operation,
            user: required::<UserId>(&mut body, "userId")?,
        },
        "push-event" => GatewayCall::PushEvent {
            operation,
            event: event(&required(&mut body, "event")?)?.into(),
        },
        "push-events" => {
            let events: Vec<RawJson> = body.take("events").unwrap_or_default();
            if events.is_empty() {
                return Err(missing("events"));
            }
            GatewayCall::PushEvents {
                operation,
                events: events.iter().map(event).collect::<Result<_, _>>()?,
            }
        }
        "tool-execute" => GatewayCall::ExecuteTool {
            operation,
            data: required(&mut body, "data")?,
        },
        "update-status" => GatewayCall::UpdateStatus {
            operation,
            status: required::<OperationStatus>(&mut body, "status")?,
            summary: body.take("summary"),
        },
        "request-confirmation" => GatewayCall::RequestConfirmation {
            operation,
            tool_call: required(&mut body, "toolCallId")?,
            tool: body.take("tool"),
            timeout: body.take("timeout").map(Millis),
        },
        _ => GatewayCall::RequestInput {
            operation,
            request: None,
            prompt: required(&mut body, "prompt")?,
            timeout: body.take("timeout").map(Millis),
        },
    })
}

fn required<T: FromJson>(body: &mut Object, name: &str) -> Result<T, HttpResponse> {
    body.take(name).ok_or_else(|| missing(name))
}

fn event(json: &RawJson) -> Result<AgentEvent, HttpResponse> {
    AgentEvent::decode(json.as_str()).map_err(|_| missing("event"))
}

fn missing(name: &str) -> HttpResponse {
    HttpResponse::text(400, &format!("Missing {name}"))
}

/// The answer as it goes over HTTP.
pub(crate) fn write_answer(answer: &GatewayAnswer) -> HttpResponse {
    match answer {
        GatewayAnswer::Healthy => HttpResponse::text(200, "OK"),
        GatewayAnswer::Done => HttpResponse::json(200, r#"{"success":true}"#),
        GatewayAnswer::Confirmed(Some(approved)) => {
            HttpResponse::json(200, &format!(r#"{{"approved":{approved}}}"#))
        }
        GatewayAnswer::Confirmed(None) => {
            HttpResponse::json(504, r#"{"approved":false,"error":"TIMEOUT"}"#)
        }
        GatewayAnswer::Entered(Some(content)) => {
            let content = content.to_raw_json();
            HttpResponse::json(200, &format!(r#"{{"content":{content}}}"#))
        }
        GatewayAnswer::Entered(None) => {
            HttpResponse::json(504, r#"{"content":"","error":"TIMEOUT"}"#)
        }
        GatewayAnswer::Status {
            client_connected,
            status,
        } => {
            let status = status.as_ref().map_or("unknown", OperationStatus::as_str);
            let status = RawJson::from_text(status);
            HttpResponse::json(
                200,
                &format!(r#"{{"clientConnected":{client_connected},"status":{status}}}"#),
            )
        }
    }
}

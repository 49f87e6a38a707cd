//! Events and effects in one line each, for people.

use agent_gateway_machine::{
    Attach, Call, Effect, EventKind, EventReceived, Execute, Notification, Receipt, Reply,
    StopFailure, TokenGrant, TokenId, Warning,
};
use agent_gateway_protocol::event::Chunk;
use agent_gateway_protocol::frame::ToolError;
use agent_gateway_protocol::{AgentEvent, ClientFrame, Payload, ServerFrame};

pub(crate) fn event(kind: &EventKind) -> String {
    let name = kind.name();
    match kind {
        EventKind::Execute(execute) => format!("{name} {}", execute_text(execute)),
        EventKind::Attach(attach) => format!("{name} {}", attach_text(attach)),
        EventKind::Supersede { by: Some(by) } => format!("{name} by {by}"),
        EventKind::Supersede { by: None }
        | EventKind::Stop
        | EventKind::Detach
        | EventKind::Interrupt
        | EventKind::AlarmRang
        | EventKind::ReadingPaused
        | EventKind::ReadingResumed => name.into(),
        EventKind::AnswerTool { call, answer } => {
            let text = answer_text(answer.error.as_ref(), answer.content.as_deref());
            format!("{name} {call} {text}")
        }
        EventKind::AnswerConfirmation { call, approved } => format!("{name} {call} {approved}"),
        EventKind::AnswerInput { request, content } => {
            format!("{name} {request} {}", quoted(content))
        }
        EventKind::ConnectionOpened { dial } | EventKind::FrameArriving { dial } => {
            format!("{name} {dial}")
        }
        EventKind::DialFailed { dial, failure } => {
            format!("{name} {dial} {:?}: {}", failure.kind, failure.text)
        }
        EventKind::FrameReceived { dial, frame } => format!("{dial} ◀ {}", server_frame(frame)),
        EventKind::FrameRejected { dial, problem } => format!("{name} {dial} {problem:?}"),
        EventKind::ConnectionClosed { dial, close } => format!("{name} {dial} {close}"),
        EventKind::ReplyReceived { request, reply } => format!("{request} ◀ {}", reply_text(reply)),
        EventKind::NetworkChanged(network) => format!("{name} {network:?}"),
        EventKind::Restored { token } => match token {
            Some(token) => format!("{name} with {}", grant(token)),
            None => name.into(),
        },
    }
}

fn execute_text(execute: &Execute) -> String {
    let topic = execute
        .input
        .app_context
        .as_ref()
        .and_then(|context| context.topic_id.as_ref())
        .map_or_else(|| "a new topic".to_owned(), ToString::to_string);
    format!("{} in {topic}", quoted(&execute.input.prompt))
}

fn attach_text(attach: &Attach) -> String {
    let tools = if attach.executes_tools {
        ", running tools"
    } else {
        ""
    };
    let open = match attach.open_calls.len() {
        0 => String::new(),
        count => format!(", {count} open"),
    };
    format!("{} from {}{tools}{open}", attach.operation, attach.cursor)
}

/// The answer to a tool call: its error by its kind, else its content.
fn answer_text(error: Option<&ToolError>, content: Option<&str>) -> String {
    match (error.and_then(|error| error.kind.as_deref()), content) {
        (Some(kind), _) => kind.to_owned(),
        (None, Some(content)) => quoted(content),
        (None, None) => "null".to_owned(),
    }
}

pub(crate) fn effect(effect: &Effect) -> String {
    let name = effect.name();
    match effect {
        Effect::OpenConnection { dial, url } => format!("{name} {dial} {url}"),
        Effect::SendFrame { dial, frame } => format!("{dial} ▶ {}", client_frame(frame)),
        Effect::CloseConnection { dial, code } => format!("{name} {dial} {code}"),
        Effect::SendRequest { request, call } => format!("{request} ▶ {}", call_text(call)),
        Effect::CancelRequest { request } => format!("{name} {request}"),
        Effect::SetAlarm(None) => format!("{name} none"),
        Effect::SetAlarm(Some(alarm)) => {
            format!("{name} {} {:?}", alarm.at.as_millis(), alarm.timer)
        }
        Effect::Notify(notification) => notification_text(notification),
        Effect::Ignored(why) => format!("{name}: {why}"),
    }
}

fn server_frame(frame: &ServerFrame) -> String {
    let kind = frame.kind();
    let id = frame.id().map_or_else(String::new, |id| format!(" {id}"));
    let detail = match frame {
        ServerFrame::AuthFailed(frame) => quoted(&frame.reason),
        ServerFrame::AgentEvent(frame) => agent_event(&frame.event),
        ServerFrame::SessionComplete(frame) => quoted(frame.summary.as_deref().unwrap_or_default()),
        ServerFrame::StatusChange(frame) => frame.status.to_string(),
        ServerFrame::ToolConfirmationRequest(frame) => frame.tool_call_id.to_string(),
        ServerFrame::InputRequest(frame) => {
            format!("{} {}", frame.request_id, quoted(&frame.prompt))
        }
        ServerFrame::ResumeComplete(frame) => {
            let status = frame.status.as_ref();
            let gap = if frame.gap { ", with a gap" } else { "" };
            format!("{}{gap}", status.map_or("none", |status| status.as_str()))
        }
        ServerFrame::Unknown(frame) => shortened(frame.raw.as_str()),
        ServerFrame::AuthSuccess | ServerFrame::AuthExpired | ServerFrame::HeartbeatAck => {
            return format!("{kind}{id}");
        }
    };
    format!("{kind}{id} {detail}")
}

fn client_frame(frame: &ClientFrame<TokenId>) -> String {
    let kind = frame.kind();
    match frame {
        ClientFrame::Auth(auth) => format!("{kind} {}", auth.token),
        ClientFrame::Resume(resume) => match &resume.last_event_id {
            Some(id) => format!("{kind} after {id}"),
            None => format!("{kind} from the beginning"),
        },
        ClientFrame::ToolResult(result) => {
            let text = answer_text(result.error.as_ref(), result.content.as_deref());
            format!("{kind} {} {text}", result.tool_call_id)
        }
        ClientFrame::ToolConfirmation(answer) => {
            format!("{kind} {} {}", answer.tool_call_id, answer.approved)
        }
        ClientFrame::UserInput(answer) => {
            format!("{kind} {} {}", answer.request_id, quoted(&answer.content))
        }
        ClientFrame::Heartbeat | ClientFrame::Interrupt | ClientFrame::Unknown(_) => kind.into(),
    }
}

fn call_text(call: &Call) -> String {
    let name = call.name();
    match call {
        Call::StartRun(input) => format!("{name} {}", quoted(&input.prompt)),
        Call::RefreshToken { topic } | Call::ReadMarker { topic } | Call::ClearMarker { topic } => {
            format!("{name} of {topic}")
        }
        Call::MintToken => name.into(),
        Call::InterruptRun { operation, .. } | Call::AskStatus { operation } => {
            format!("{name} {operation}")
        }
        Call::FetchMessages(input) => match &input.topic_id {
            Some(topic) => format!("{name} of {topic}"),
            None => name.into(),
        },
        Call::SettleMarker { topic, operation } => format!("{name} of {topic} for {operation}"),
    }
}

fn reply_text(reply: &Reply) -> String {
    let name = reply.name();
    match reply {
        Reply::Started(started) => {
            let token = started.token.as_ref().map_or("no token".into(), grant);
            format!("{name} {} with {token}", started.operation)
        }
        Reply::StartRefused { text } => format!("{name} {}", quoted(text)),
        Reply::TokenIssued(token) => format!("{name} {}", grant(token)),
        Reply::Interrupted { success } => format!("{name} {success}"),
        Reply::Status(None) | Reply::Marker(None) => format!("{name} none"),
        Reply::Status(Some(report)) => format!("{name} {}", report.status),
        Reply::Messages(messages) => format!("{name} {}", shortened(messages.as_str())),
        Reply::Marker(Some(operation)) => format!("{name} {operation}"),
        Reply::MarkerCleared => name.into(),
        Reply::Failed(failure) => format!("{name}: {failure}"),
    }
}

fn notification_text(notification: &Notification) -> String {
    let name = notification.name();
    let detail = match notification {
        Notification::StatusChanged(status) => status.as_str().into(),
        Notification::RunStarted(started) => started.operation.to_string(),
        Notification::ParentRetired { operation } => operation.to_string(),
        Notification::TopicCreated { topic, messages } => match messages {
            Some(_) => format!("{topic} with its messages"),
            None => format!("{topic} without messages"),
        },
        Notification::TopicStatusChanged { status, .. } => format!("{status:?}").to_lowercase(),
        Notification::EventReceived(received) => event_received(received),
        Notification::GapFound { after, before } => match before {
            Some(before) => format!("after {after} before {before}"),
            None => format!("after {after}"),
        },
        Notification::TokenRefreshed | Notification::StopAccepted => String::new(),
        Notification::RefreshDelayed { cause, retry_in } => {
            format!("for {} ms: {cause}", retry_in.as_millis())
        }
        Notification::ReconnectScheduled { cause, retry_in } => {
            format!("in {} ms: {cause}", retry_in.as_millis())
        }
        Notification::ToolRequested { call, deadline_in } => format!(
            "{} {}/{} {} within {} ms",
            call.tool_call_id,
            call.identifier,
            call.api_name,
            shortened(&call.arguments),
            deadline_in.as_millis()
        ),
        Notification::ToolTimedOut { call } | Notification::ToolSettled { call } => {
            call.to_string()
        }
        Notification::AnswerWithdrawn { answer } | Notification::AnswerUndeliverable { answer } => {
            answer.to_string()
        }
        Notification::AnswerRefused { answer, why } => format!("{answer}: {why:?}"),
        Notification::ConfirmationRequested(request) => request.tool_call_id.to_string(),
        Notification::InputRequested(request) => {
            format!("{} {}", request.request_id, quoted(&request.prompt))
        }
        Notification::StopFailed { cause } => stop_failure_text(cause),
        Notification::WarningRaised(warning) => warning_text(warning),
        Notification::RunEnded { outcome, receipt } => {
            format!("{}: {outcome} [{}]", outcome.name(), receipt_text(receipt))
        }
    };
    if detail.is_empty() {
        name.into()
    } else {
        format!("{name} {detail}")
    }
}

fn stop_failure_text(cause: &StopFailure) -> String {
    match cause {
        StopFailure::NotRunning => "nothing to stop".into(),
        StopFailure::Request(failure) => failure.to_string(),
        StopFailure::TimedOut => "no answer".into(),
    }
}

fn warning_text(warning: &Warning) -> String {
    match warning {
        Warning::FrameRejected(problem) => format!("{problem:?}"),
        Warning::UnknownFrame { kind } => format!("unknown frame {kind}"),
        Warning::LedgerFull { answer } => format!("no room for {answer}"),
    }
}

fn receipt_text(receipt: &Receipt) -> String {
    format!(
        "delivered {} replayed {} duplicates {} late {} gaps {} reconnects {} refreshes {} warnings {} ignored {}",
        receipt.delivered,
        receipt.replayed,
        receipt.duplicates,
        receipt.late,
        receipt.gaps,
        receipt.reconnects,
        receipt.refreshes,
        receipt.warnings,
        receipt.ignored
    )
}

fn event_received(received: &EventReceived) -> String {
    let replayed = if received.replayed { ", replayed" } else { "" };
    let foreign = if received.own { "" } else { ", not ours" };
    format!(
        "{} at {}{replayed}{foreign}",
        agent_event(&received.event),
        received.cursor
    )
}

fn agent_event(event: &AgentEvent) -> String {
    let kind = event.kind.as_str();
    let data = match event.payload() {
        Payload::StreamChunk(Chunk::Text(chunk)) => {
            quoted(chunk.content.as_deref().unwrap_or_default())
        }
        Payload::StreamChunk(Chunk::Reasoning(chunk)) => {
            let text = quoted(chunk.reasoning.as_deref().unwrap_or_default());
            format!("reasoning {text}")
        }
        Payload::ToolExecute(call) => call.tool_call_id.to_string(),
        Payload::ToolEnd(end) => end
            .tool_call_id()
            .map_or_else(String::new, |call| call.to_string()),
        Payload::AgentRuntimeEnd(end) => end
            .reason
            .map_or_else(String::new, |reason| reason.to_string()),
        _ => match &event.data {
            Some(data) if data.as_str() != "{}" => shortened(data.as_str()),
            _ => String::new(),
        },
    };
    if data.is_empty() {
        kind.into()
    } else {
        format!("{kind} {data}")
    }
}

fn grant(token: &TokenGrant) -> String {
    match token.lifetime {
        Some(lifetime) => format!("{} for {} ms", token.id, lifetime.as_millis()),
        None => token.id.to_string(),
    }
}

/// Text in quotes, on one line, at most 40 letters of it.
fn quoted(text: &str) -> String {
    format!("{:?}", cut(text, 40))
}

/// JSON, at most 60 letters of it.
fn shortened(json: &str) -> String {
    cut(json, 60)
}

pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

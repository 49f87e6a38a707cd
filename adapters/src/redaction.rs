//! A server may repeat in its words what it was told. No secret gets past here: not into the machine, and so not into a
//! log, a trace, a recording or an error (I17).
//!
//! Looked at are the words of failures, refusals, closes and ends. What a run streams is its content, and handed on as it
//! came.

use std::sync::Arc;

use agent_gateway_machine::{Close, EventKind, Reply, RequestFailure};
use agent_gateway_protocol::{EventType, RawJson, ServerFrame};

/// A shorter one is no secret: it would turn up in any text by chance.
const SHORTEST: usize = 8;

/// Puts `***` wherever the text has the secret.
pub(crate) fn redact(text: &mut Box<str>, secret: &str) {
    if secret.len() >= SHORTEST && text.contains(secret) {
        *text = text.replace(secret, "***").into();
    }
}

/// Whether the event has words of a server that may repeat a secret. Most have none, and this is all they cost.
#[inline]
pub(crate) fn has_words(kind: &EventKind) -> bool {
    match kind {
        EventKind::FrameReceived { frame, .. } => match frame {
            ServerFrame::AgentEvent(frame) => matches!(
                frame.event.kind,
                EventType::Error | EventType::AgentRuntimeEnd
            ),
            ServerFrame::AuthFailed(_) => true,
            _ => false,
        },
        EventKind::DialFailed { .. }
        | EventKind::ConnectionClosed { .. }
        | EventKind::ReplyReceived { .. } => true,
        _ => false,
    }
}

/// Shows each of these words to `redact`.
pub(crate) fn redact_event(kind: &mut EventKind, redact: impl Fn(&mut Box<str>)) {
    match kind {
        EventKind::FrameReceived { frame, .. } => match frame {
            ServerFrame::AuthFailed(frame) => redact(&mut frame.reason),
            ServerFrame::AgentEvent(frame) => {
                if let Some(clean) = frame.event.data.as_ref().and_then(|data| {
                    let mut text = data.as_str().into();
                    redact(&mut text);
                    (*text != *data.as_str()).then_some(text)
                }) {
                    Arc::make_mut(&mut frame.event).data = RawJson::parse(clean).ok();
                }
            }
            _ => {}
        },
        EventKind::DialFailed { failure, .. } => redact(&mut failure.text),
        EventKind::ConnectionClosed { close, .. } => match close {
            Close::Closed { reason: text, .. }
            | Close::Lost { text }
            | Close::Violation { text } => redact(text),
        },
        EventKind::ReplyReceived { reply, .. } => redact_reply(reply, redact),
        _ => {}
    }
}

pub(crate) fn redact_reply(reply: &mut Reply, redact: impl Fn(&mut Box<str>)) {
    match reply {
        Reply::StartRefused { text } => redact(text),
        Reply::Failed(failure) => redact_failure(failure, redact),
        Reply::Status(Some(report)) => {
            if let Some(error) = &mut report.error {
                redact(error);
            }
        }
        _ => {}
    }
}

pub(crate) fn redact_failure(failure: &mut RequestFailure, redact: impl Fn(&mut Box<str>)) {
    match failure {
        RequestFailure::Unreachable { text }
        | RequestFailure::Lost { text }
        | RequestFailure::Unreadable { text, .. } => redact(text),
        RequestFailure::Refused(refusal) => {
            redact(&mut refusal.message);
            if let Some(path) = &mut refusal.path {
                redact(path);
            }
        }
    }
}

//! A server may repeat in its words what it was told. No secret gets past here: not into the machine, and so not into a
//! log, a trace, a recording or an error (I17).
//!
//! Looked at are the words of failures, refusals, closes and ends, the names of what is not known here, and the ids of a run
//! that is started. What a run streams is its content, and handed on as it came.

use std::sync::Arc;

use agent_gateway_machine::{Close, EventKind, Reply, RequestFailure, Started};
use agent_gateway_protocol::{EventType, OperationStatus, RawJson, ServerFrame};

/// This much of a secret's beginning gives it away, characters. A shorter secret is none: it would turn up in any text by
/// chance.
const BEGINNING: usize = 8;

/// Puts `***` wherever the text has the secret, or its beginning, as far as it goes: whoever repeats it may cut it short.
pub(crate) fn redact(text: &mut Box<str>, secret: &str) {
    let Some((last, letter)) = secret.char_indices().nth(BEGINNING - 1) else {
        return;
    };
    let beginning = &secret[..last + letter.len_utf8()];
    let mut clean = String::new();
    let mut rest = &**text;
    while let Some((before, _)) = rest.split_once(beginning) {
        let found = &rest[before.len()..];
        let same = found.chars().zip(secret.chars());
        let length = same.take_while(|(one, other)| one == other);
        let length: usize = length.map(|(letter, _)| letter.len_utf8()).sum();
        clean.extend([before, "***"]);
        rest = &found[length..];
    }
    if !clean.is_empty() {
        *text = (clean + rest).into();
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
            ServerFrame::AuthFailed(_)
            | ServerFrame::SessionComplete(_)
            | ServerFrame::StatusChange(_)
            | ServerFrame::ResumeComplete(_)
            | ServerFrame::Unknown(_) => true,
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
    let redact = &redact;
    match kind {
        EventKind::FrameReceived { frame, .. } => match frame {
            ServerFrame::AuthFailed(frame) => redact(&mut frame.reason),
            ServerFrame::AgentEvent(frame) => {
                if let Some(data) = &frame.event.data
                    && let Some(clean) = redacted(data, redact)
                {
                    Arc::make_mut(&mut frame.event).data = RawJson::parse(clean).ok();
                }
            }
            ServerFrame::SessionComplete(frame) => frame.summary.iter_mut().for_each(redact),
            ServerFrame::StatusChange(frame) => redact_status(&mut frame.status, redact),
            ServerFrame::ResumeComplete(frame) => {
                if let Some(status) = &mut frame.status {
                    redact_status(status, redact);
                }
            }
            ServerFrame::Unknown(frame) => {
                redact(&mut frame.kind);
                if let Some(clean) = redacted(&frame.raw, redact) {
                    frame.raw = RawJson::parse(clean).unwrap_or_else(|_| RawJson::null());
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
        Reply::Started(started) => redact_ids(started, redact),
        Reply::StartRefused { text } => redact(text),
        Reply::Failed(failure) => redact_failure(failure, redact),
        Reply::Marker(Some(operation)) => redact_id(operation, redact),
        Reply::Status(Some(report)) => {
            redact_status(&mut report.status, &redact);
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

fn redact_ids(started: &mut Started, redact: impl Fn(&mut Box<str>)) {
    redact_id(&mut started.operation, &redact);
    started
        .topic
        .iter_mut()
        .for_each(|id| redact_id(id, &redact));
    started
        .agent
        .iter_mut()
        .for_each(|id| redact_id(id, &redact));
    started
        .thread
        .iter_mut()
        .for_each(|id| redact_id(id, &redact));
    let messages = [&mut started.assistant_message, &mut started.user_message];
    messages
        .into_iter()
        .flatten()
        .for_each(|id| redact_id(id, &redact));
}

fn redact_id<I: ToString + for<'a> From<&'a str>>(id: &mut I, redact: impl Fn(&mut Box<str>)) {
    if let Some(clean) = redacted(id, redact) {
        *id = I::from(&clean);
    }
}

/// Of the statuses only one that is not known here has a text of its own.
fn redact_status(status: &mut OperationStatus, redact: impl Fn(&mut Box<str>)) {
    if let OperationStatus::Unknown(text) = status {
        redact(text);
    }
}

/// The text without its secrets, if it has any.
fn redacted(text: &impl ToString, redact: impl Fn(&mut Box<str>)) -> Option<Box<str>> {
    let text = text.to_string();
    let mut clean = text.clone().into_boxed_str();
    redact(&mut clean);
    (*clean != *text).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i17_a_secret_is_redacted_wherever_it_stands_and_however_it_is_cut() {
        let secret = "eyJhbGciOi.päyload.sig";
        for (said, shown) in [
            ("no token here", "no token here"),
            ("eyJhbGciOi.päyload.sig", "***"),
            (
                "a eyJhbGciOi.päyload.sig b eyJhbGciOi.päyload.sig",
                "a *** b ***",
            ),
            ("cut eyJhbGciOi.pä", "cut ***"),
            ("cut eyJhbGci", "cut ***"),
            ("cut eyJhbGciOi.p...", "cut ***..."),
            ("eyJhbGciOi.other", "***other"),
            ("twice eyJhbGcieyJhbGciOi.päyload.sig", "twice ******"),
            ("eyJhbGc", "eyJhbGc"),
        ] {
            let mut text = said.into();
            redact(&mut text, secret);
            assert_eq!(&*text, shown, "{said}");
        }
        let mut text = "short".into();
        redact(&mut text, "short");
        assert_eq!(&*text, "short");
    }
}

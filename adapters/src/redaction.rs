//! A server may repeat in its words what it was told. No secret gets past here: not into the machine, and so not into a
//! log, a trace, a recording or an error (I17).
//!
//! Looked at are the words of failures, refusals, closes and ends. What a run streams is its content, and handed on as it
//! came.

use std::sync::Arc;

use agent_gateway_machine::{Close, EventKind, Reply, RequestFailure};
use agent_gateway_protocol::{EventType, RawJson, ServerFrame};

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

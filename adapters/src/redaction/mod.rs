//! A server may repeat in its words what it was told. No secret gets past here: not into the machine, and so not into a
//! log, a trace, a recording or an error (I17).
//!
//! Looked at are the words of failures, refusals, closes and ends, the names of what is not known here, and the ids of a run
//! that is started. What a run streams, with the ids of its frames, is its content, and handed on as it came.

mod json;

use std::sync::Arc;

use agent_gateway_machine::{Close, EventKind, Reply, RequestFailure, Started};
use agent_gateway_protocol::{EventType, OperationStatus, ServerFrame};

use json::{redacted_json, redacted_members};

/// This much of a secret's beginning gives it away, characters. A shorter secret is none: it would turn up in any text by
/// chance.
const BEGINNING: usize = 8;

/// Puts `***` wherever the text has one of the secrets or its beginning, and for all that follows it and may be a token:
/// whoever repeats it may cut it short or write it otherwise, and tokens of one run begin alike.
///
/// One pass for each secret, whatever the text: a server could stop the thread with one that takes longer.
pub(crate) fn redact<'a>(text: &mut Box<str>, secrets: impl Iterator<Item = &'a str>) {
    if let Some(clean) = without(text, secrets, |text, part| text.find(part)) {
        *text = clean.into();
    }
}

/// The text without the secrets, if it has any. `find` says where the first text has the second.
fn without<'a>(
    text: &str,
    secrets: impl Iterator<Item = &'a str>,
    find: impl Fn(&str, &str) -> Option<usize>,
) -> Option<String> {
    let mut sought: Vec<_> = secrets
        .filter_map(|secret| Sought::new(secret, text, &find))
        .collect();
    let mut clean = String::new();
    let mut done = 0;
    while let Some(at) = sought.iter().map(|sought| sought.at).min() {
        let found = &text[at..];
        // What is compared of a secret here is passed over below.
        let secret = sought.iter().filter(|sought| sought.at == at);
        let secret = secret.map(|sought| common(found, sought.secret));
        let secret = secret.max().unwrap_or_default();
        let more = found[secret..].find(|letter| !may_be_token(letter));
        clean.extend([&text[done..at], "***"]);
        done = more.map_or(text.len(), |more| at + secret + more);
        sought.retain_mut(|sought| sought.pass(done, text, &find));
    }
    (done > 0).then(|| clean + &text[done..])
}

/// A secret that is in the text, as far as is known.
struct Sought<'a> {
    secret: &'a str,
    beginning: &'a str,
    /// Where its beginning is next.
    at: usize,
}

impl<'a> Sought<'a> {
    fn new(
        secret: &'a str,
        text: &str,
        find: impl Fn(&str, &str) -> Option<usize>,
    ) -> Option<Self> {
        let beginning = beginning(secret)?;
        Some(Self {
            secret,
            beginning,
            at: find(text, beginning)?,
        })
    }

    /// Nothing before `done` is looked for any more. Says whether there is one behind: what was looked through already is
    /// not looked through again.
    fn pass(
        &mut self,
        done: usize,
        text: &str,
        find: impl Fn(&str, &str) -> Option<usize>,
    ) -> bool {
        if self.at >= done {
            return true;
        }
        let next = find(&text[done..], self.beginning);
        self.at = done + next.unwrap_or_default();
        next.is_some()
    }
}

fn beginning(secret: &str) -> Option<&str> {
    let (last, letter) = secret.char_indices().nth(BEGINNING - 1)?;
    Some(&secret[..last + letter.len_utf8()])
}

/// Bytes at the beginning of both.
fn common(one: &str, other: &str) -> usize {
    let same = one.chars().zip(other.chars());
    same.take_while(|(one, other)| one == other)
        .map(|(letter, _)| letter.len_utf8())
        .sum()
}

/// JWTs and keys as they are, in base64, and in a URL.
pub(crate) fn may_be_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-._~+/=%".contains(letter)
}

/// Whether the event has words of a server that may repeat a secret. Most have none, and this is all they cost.
#[inline]
pub(crate) fn has_words(kind: &EventKind) -> bool {
    match kind {
        EventKind::FrameReceived { frame, .. } => match frame {
            ServerFrame::AgentEvent(frame) => matches!(
                frame.event.kind,
                EventType::Error | EventType::AgentRuntimeEnd | EventType::Unknown(_)
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
                if let EventType::Unknown(name) = &frame.event.kind
                    && let Some(clean) = redacted(name, redact)
                {
                    Arc::make_mut(&mut frame.event).kind = EventType::Unknown(clean);
                }
                if let Some(data) = &frame.event.data
                    && let Some(clean) = redacted_json(data, redact)
                {
                    Arc::make_mut(&mut frame.event).data = Some(clean);
                }
                if let Some(extra) = &frame.event.extra
                    && let Some(clean) = redacted_members(extra, redact)
                {
                    Arc::make_mut(&mut frame.event).extra = Some(Box::new(clean));
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
                if let Some(clean) = redacted_json(&frame.raw, redact) {
                    frame.raw = clean;
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
        Reply::Started(started) => redact_started(started, redact),
        Reply::StartRefused { text } => redact(text),
        Reply::Failed(failure) => redact_failure(failure, redact),
        Reply::Marker(operation) => redact_ids(operation, redact),
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

fn redact_started(started: &mut Started, redact: impl Fn(&mut Box<str>)) {
    redact_ids([&mut started.operation], &redact);
    redact_ids(&mut started.topic, &redact);
    redact_ids(&mut started.agent, &redact);
    redact_ids(&mut started.thread, &redact);
    redact_ids(&mut started.assistant_message, &redact);
    redact_ids(&mut started.user_message, &redact);
}

fn redact_ids<'a, I: ToString + for<'b> From<&'b str> + 'a>(
    ids: impl IntoIterator<Item = &'a mut I>,
    redact: impl Fn(&mut Box<str>),
) {
    for id in ids {
        if let Some(clean) = redacted(id, &redact) {
            *id = I::from(&clean);
        }
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
    use std::cell::Cell;

    use super::*;

    fn redacted(text: &str, secrets: &[&str]) -> String {
        let mut text = text.into();
        redact(&mut text, secrets.iter().copied());
        text.into()
    }

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
            ("cut eyJhbGciOi.p…", "cut ***…"),
            ("\"eyJhbGciOi.other\"", "\"***\""),
            ("eyJhbGciOi%2Eother, that", "***, that"),
            ("eyJhbGc", "eyJhbGc"),
        ] {
            assert_eq!(redacted(said, &[secret]), shown, "{said}");
        }
        assert_eq!(redacted("short", &["short"]), "short");
        let twice = "twice eyJhbGcieyJhbGciOi.a.b";
        assert_eq!(redacted(twice, &["eyJhbGciOi.a.b"]), "twice ***");
    }

    /// Bytes that are looked at for `secrets` in `text`.
    fn looked_at(text: &str, secrets: &[&str]) -> usize {
        let bytes = Cell::new(0);
        without(text, secrets.iter().copied(), |text, part| {
            let at = text.find(part);
            let end = at.map_or(text.len(), |at| at + part.len());
            bytes.set(bytes.get() + end);
            at
        });
        bytes.get()
    }

    #[test]
    fn i17_a_text_full_of_beginnings_is_looked_through_once_for_each_secret() {
        let key = "agw-client-token";
        let token = "eyJhbGciOi.x.y";
        let long = format!("agw-client-token-{}!", "of päyload".repeat(1_000));
        let cut = &long[..long.len() - 1];
        for (said, what) in [
            ("agw-clie ".repeat(10_000), "one of two secrets"),
            ("agw-clie eyJhbGci ".repeat(5_000), "both in turn"),
            (format!("{cut} ").repeat(10), "a long one, but for its end"),
            ("agw-clia ".repeat(10_000), "none"),
        ] {
            let secrets = [token, key, &long];
            let bytes = looked_at(&said, &secrets);
            let most = secrets.len() * (said.len() + BEGINNING);
            assert!(bytes <= most, "{what}: {bytes} of {most}");
        }
    }

    #[test]
    fn i17_of_tokens_that_begin_alike_each_is_redacted_to_its_end() {
        let old = "eyJhbGciOi.eyJpYXQiOjE.old signature";
        let new = "eyJhbGciOi.eyJpYXQiOjI.new signature";
        for secrets in [[old, new], [new, old]] {
            assert_eq!(redacted(&format!("a {old}, b"), &secrets), "a ***, b");
            assert_eq!(redacted(&format!("a {new}, b"), &secrets), "a ***, b");
        }
    }
}

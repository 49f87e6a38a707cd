use std::collections::BTreeMap;

use agent_gateway_machine::{Close, DialId, Effect, Effects, Event, EventKind, RequestId};
use agent_gateway_protocol::ServerFrame;
use serde::Serialize;

use super::Lane;
use crate::names;

/// Something that lasts, from one step to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Where it is drawn.
    pub lane: Lane,
    /// What it is.
    pub kind: SpanKind,
    /// Its name.
    pub label: String,
    /// The step it begins with, from 0.
    pub from: usize,
    /// The step it ends with; none: it was never seen to end.
    pub to: Option<usize>,
    /// How it ended.
    pub end: Option<SpanEnd>,
    /// Its row in the lane, from 0: those that last at the same time have different ones.
    pub row: usize,
}

/// What lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// A dial that has not come to anything yet.
    Dialling,
    /// An open socket that is not authenticated.
    Authenticating,
    /// An authenticated socket.
    Connected,
    /// A request without an answer.
    Request,
    /// An alarm that has not rung.
    Alarm,
}

/// How something that lasted ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanEnd {
    /// It came to what it was for.
    Done,
    /// It failed, or was lost.
    Failed,
    /// We gave it up, closed it, or set it anew.
    Dropped,
}

/// Follows sockets, requests and alarms through a session.
#[derive(Debug, Default)]
pub(super) struct Spans {
    spans: Vec<Span>,
    /// Those that have not ended.
    open: Vec<usize>,
    sockets: BTreeMap<DialId, usize>,
    requests: BTreeMap<RequestId, usize>,
    alarm: Option<usize>,
}

impl Spans {
    pub(super) fn observe(&mut self, step: usize, event: &Event, effects: &Effects) {
        self.on_event(step, &event.kind);
        for effect in effects {
            self.on_effect(step, effect);
        }
    }

    /// All of them.
    pub(super) fn finish(self) -> Vec<Span> {
        self.spans
    }

    fn on_event(&mut self, step: usize, kind: &EventKind) {
        match kind {
            EventKind::ConnectionOpened { dial } => {
                self.pass_on(step, *dial, SpanKind::Dialling, SpanKind::Authenticating);
            }
            EventKind::FrameReceived {
                dial,
                frame: ServerFrame::AuthSuccess,
            } => self.pass_on(step, *dial, SpanKind::Authenticating, SpanKind::Connected),
            EventKind::DialFailed { dial, .. } => self.lose(step, *dial, SpanEnd::Failed),
            EventKind::ConnectionClosed { dial, close } => {
                let end = match close {
                    Close::Closed { .. } => SpanEnd::Done,
                    Close::Lost { .. } | Close::Violation { .. } => SpanEnd::Failed,
                };
                self.lose(step, *dial, end);
            }
            EventKind::ReplyReceived { request, reply } => {
                let end = match reply {
                    agent_gateway_machine::Reply::Failed(_) => SpanEnd::Failed,
                    _ => SpanEnd::Done,
                };
                if let Some(span) = self.requests.remove(request) {
                    self.end(span, step, end);
                }
            }
            EventKind::AlarmRang => {
                if let Some(span) = self.alarm.take() {
                    self.end(span, step, SpanEnd::Done);
                }
            }
            EventKind::Restored { .. } => self.lose_all(step),
            _ => {}
        }
    }

    fn on_effect(&mut self, step: usize, effect: &Effect) {
        match effect {
            Effect::OpenConnection { dial, .. } => {
                let span = self.begin(step, Lane::Gateway, SpanKind::Dialling, dial.to_string());
                self.sockets.insert(*dial, span);
            }
            Effect::CloseConnection { dial, .. } => self.lose(step, *dial, SpanEnd::Dropped),
            Effect::SendRequest { request, .. } => {
                let label = names::effect_detail(effect).to_owned();
                let span = self.begin(step, Lane::Api, SpanKind::Request, label);
                self.requests.insert(*request, span);
            }
            Effect::CancelRequest { request } => {
                if let Some(span) = self.requests.remove(request) {
                    self.end(span, step, SpanEnd::Dropped);
                }
            }
            Effect::SetAlarm(alarm) => {
                if let Some(span) = self.alarm.take() {
                    self.end(span, step, SpanEnd::Dropped);
                }
                self.alarm = alarm.map(|alarm| {
                    let label = name_of(&alarm.timer);
                    self.begin(step, Lane::Timers, SpanKind::Alarm, label)
                });
            }
            Effect::SendFrame { .. } | Effect::Notify(_) | Effect::Ignored(_) => {}
        }
    }

    fn begin(&mut self, from: usize, lane: Lane, kind: SpanKind, label: String) -> usize {
        let taken = |row: usize| {
            let mut open = self.open.iter().map(|span| &self.spans[*span]);
            open.any(|span| span.lane == lane && span.row == row)
        };
        let row = (0..).find(|row| !taken(*row)).unwrap_or_default();
        self.open.push(self.spans.len());
        self.spans.push(Span {
            lane,
            kind,
            label,
            from,
            to: None,
            end: None,
            row,
        });
        self.spans.len() - 1
    }

    fn end(&mut self, span: usize, step: usize, end: SpanEnd) {
        self.open.retain(|open| *open != span);
        self.spans[span].to = Some(step);
        self.spans[span].end = Some(end);
    }

    /// One stretch of a socket's life ends and the next begins, if it was in the first.
    fn pass_on(&mut self, step: usize, dial: DialId, before: SpanKind, after: SpanKind) {
        let Some(span) = self.sockets.get(&dial).copied() else {
            return;
        };
        if self.spans[span].kind == before {
            self.end(span, step, SpanEnd::Done);
            let next = self.begin(step, Lane::Gateway, after, dial.to_string());
            self.sockets.insert(dial, next);
        }
    }

    fn lose(&mut self, step: usize, dial: DialId, end: SpanEnd) {
        if let Some(span) = self.sockets.remove(&dial) {
            self.end(span, step, end);
        }
    }

    /// The hands are new ones: sockets and requests are gone, and no alarm is kept.
    fn lose_all(&mut self, step: usize) {
        let sockets = core::mem::take(&mut self.sockets).into_values();
        let requests = core::mem::take(&mut self.requests).into_values();
        let lost: Vec<usize> = sockets.chain(requests).chain(self.alarm.take()).collect();
        for span in lost {
            self.end(span, step, SpanEnd::Failed);
        }
    }
}

/// A timer's name, as it is written in JSON.
pub(super) fn name_of(timer: &agent_gateway_machine::Timer) -> String {
    match serde_json::to_value(timer) {
        Ok(serde_json::Value::String(name)) => name,
        _ => format!("{timer:?}"),
    }
}

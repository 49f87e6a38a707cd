use agent_gateway_machine::{
    AnswerId, Close, DialId, Effect, EventKind, Millis, Notification, Timestamp,
};
use agent_gateway_protocol::{ClientFrame, CloseCode};
use litemap::LiteMap;

use crate::invariant::Observation;

/// The answers that are on their way, and whether one that is told to be undeliverable was given up for a reason (C7, T3).
///
/// There are two. Its time is over. Or the gateway has twice closed a socket on which it went out for a frame over its
/// limit, and the second time none that was larger went out there. (That too many wait at once is a third, which no
/// campaign comes near.)
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    /// How long an answer waits to be seen at the server.
    lifetime: Millis,
    answers: LiteMap<AnswerId, Answer>,
    /// The machine's clock.
    now: Timestamp,
}

#[derive(Clone, Debug)]
struct Answer {
    /// By when it is to be given; once it is, until when it waits.
    until: Timestamp,
    bytes: usize,
    /// The last socket it went out on.
    sent_on: Option<DialId>,
    /// Whether one that it went out on was closed for a frame over the gateway's limit.
    is_suspected: bool,
}

impl Outgoing {
    pub(super) fn new(lifetime: Millis) -> Self {
        Self {
            lifetime,
            answers: LiteMap::new(),
            now: Timestamp::ZERO,
        }
    }

    /// What the machine was told, and what it answered. An answer that it gave up for nothing.
    #[inline]
    pub(super) fn observe(&mut self, step: &Observation<'_>) -> Option<AnswerId> {
        let at = step.event.at;
        if matches!(step.event.kind, EventKind::Restored { .. }) {
            self.shift_to(at);
        }
        self.now = self.now.max(at);
        let moves = !self.answers.is_empty()
            || answer_in(&step.event.kind).is_some()
            || step.effects.iter().any(is_request);
        if moves { self.follow(step) } else { None }
    }

    fn follow(&mut self, step: &Observation<'_>) -> Option<AnswerId> {
        if let Some(answer) = answer_in(&step.event.kind)
            && !step.effects.iter().any(refuses)
        {
            self.give(answer);
        }
        let closed = too_large(&step.event.kind);
        let mut given_up = None;
        for effect in step.effects {
            match effect {
                Effect::SendFrame { dial, frame } => self.send(*dial, frame),
                Effect::Notify(notification) => match notification {
                    Notification::ToolRequested { call, deadline_in } => {
                        let until = self.now.plus(*deadline_in);
                        let call = AnswerId::Tool(call.tool_call_id.clone());
                        self.answers.insert(call, Answer::by(until));
                    }
                    Notification::ToolTimedOut { call } => self.give(AnswerId::Tool(call.clone())),
                    Notification::ToolSettled { call } => {
                        self.answers.remove(&AnswerId::Tool(call.clone()));
                    }
                    Notification::AnswerWithdrawn { answer } => {
                        self.answers.remove(answer);
                    }
                    Notification::AnswerUndeliverable { answer } => {
                        if !self.has_reason(answer, closed) {
                            given_up = Some(answer.clone());
                        }
                        self.answers.remove(answer);
                    }
                    Notification::RunEnded { .. } => self.answers = LiteMap::new(),
                    _ => {}
                },
                _ => {}
            }
        }
        for (_, answer) in self.answers.iter_mut() {
            answer.is_suspected |= closed.is_some() && answer.sent_on == closed;
        }
        given_up
    }

    /// It is taken from the caller, or given in their place.
    fn give(&mut self, id: AnswerId) {
        let until = self.now.plus(self.lifetime);
        let answer = self.answers.entry(id).or_insert_with(|| Answer::by(until));
        answer.until = answer.until.max(until);
    }

    fn send(&mut self, dial: DialId, frame: &ClientFrame<agent_gateway_machine::TokenId>) {
        let id = match frame {
            ClientFrame::ToolResult(result) => AnswerId::Tool(result.tool_call_id.clone()),
            ClientFrame::ToolConfirmation(answer) => {
                AnswerId::Confirmation(answer.tool_call_id.clone())
            }
            ClientFrame::UserInput(answer) => AnswerId::Input(answer.request_id.clone()),
            _ => return,
        };
        if let Some(answer) = self.answers.get_mut(&id) {
            answer.bytes = frame.size();
            answer.sent_on = Some(dial);
        }
    }

    fn has_reason(&self, id: &AnswerId, closed: Option<DialId>) -> bool {
        let Some(answer) = self.answers.get(id) else {
            return false;
        };
        if answer.until <= self.now {
            return true;
        }
        // What was typed or confirmed has no echo: when its time is over nobody is told.
        let mut waiting = self.answers.values().filter(|other| other.until > self.now);
        answer.is_suspected
            && closed.is_some()
            && answer.sent_on == closed
            && waiting.all(|other| other.sent_on != closed || other.bytes <= answer.bytes)
    }

    /// The clock is another one: what is left of every wait is left (S10).
    fn shift_to(&mut self, at: Timestamp) {
        for (_, answer) in self.answers.iter_mut() {
            answer.until = at.plus(answer.until.since(self.now));
        }
        self.now = at;
    }
}

impl Answer {
    fn by(until: Timestamp) -> Self {
        Self {
            until,
            bytes: 0,
            sent_on: None,
            is_suspected: false,
        }
    }
}

/// The answer that the caller gives.
fn answer_in(event: &EventKind) -> Option<AnswerId> {
    match event {
        EventKind::AnswerTool { call, .. } => Some(AnswerId::Tool(call.clone())),
        EventKind::AnswerConfirmation { call, .. } => Some(AnswerId::Confirmation(call.clone())),
        EventKind::AnswerInput { request, .. } => Some(AnswerId::Input(request.clone())),
        _ => None,
    }
}

/// The socket that the gateway has closed for a frame over its limit.
fn too_large(event: &EventKind) -> Option<DialId> {
    match event {
        EventKind::ConnectionClosed {
            dial,
            close:
                Close::Closed {
                    code: Some(CloseCode::MESSAGE_TOO_BIG),
                    ..
                },
        } => Some(*dial),
        _ => None,
    }
}

fn refuses(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Notify(Notification::AnswerRefused { .. }) | Effect::Ignored(_)
    )
}

fn is_request(effect: &Effect) -> bool {
    matches!(effect, Effect::Notify(Notification::ToolRequested { .. }))
}

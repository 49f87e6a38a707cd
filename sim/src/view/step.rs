use agent_gateway_machine::{Effect, Effects, Event, EventKind, Rules, Timestamp};
use agent_gateway_protocol::ServerFrame;
use serde::Serialize;

use super::{Answer, Change};
use crate::names;
use crate::trace::{self, Who};

/// Who an event comes from, or an effect goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Whoever asked for the run.
    Caller,
    /// The machine itself.
    Machine,
    /// The gateway, over its socket.
    Gateway,
    /// The server's API, over HTTP.
    Api,
    /// The one alarm.
    Timers,
}

/// The page has no lane for the host: its caller stands for the whole of it.
impl From<Who> for Lane {
    fn from(who: Who) -> Self {
        match who {
            Who::User | Who::Host => Self::Caller,
            Who::Gateway => Self::Gateway,
            Who::Api => Self::Api,
            Who::Clock => Self::Timers,
        }
    }
}

/// One event and all that came of it.
#[derive(Debug, Serialize)]
pub struct Step {
    /// When, on the hands' clock.
    pub at: Timestamp,
    /// Where the event came from.
    pub lane: Lane,
    /// The event's name: the frame's or agent event's type, the reply's, or the event's own.
    pub kind: String,
    /// The event in one line.
    pub text: String,
    /// The effects, each in one line.
    pub shown: Vec<Shown>,
    /// What today's machine answers instead, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub today: Option<Vec<Shown>>,
    /// The phase after it; empty without a replay.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub phase: &'static str,
    /// The connection's status after it; empty without a replay.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub status: &'static str,
    /// By which rules it was decided; without a replay nobody knows.
    #[serde(skip_serializing_if = "is_empty")]
    pub rules: Rules,
    /// What it changed in the state.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The event as it was recorded.
    pub event: EventKind,
    /// The effects as they were recorded.
    #[serde(skip_serializing_if = "Effects::is_empty")]
    pub effects: Effects,
}

/// An effect in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Where it goes to.
    pub lane: Lane,
    /// Its name: the frame's, request's or notification's, or the effect's own.
    pub kind: &'static str,
    /// The line.
    pub text: String,
}

impl Step {
    pub(super) fn of(event: Event, effects: Effects, answer: Option<Answer>) -> Self {
        let today = answer
            .as_ref()
            .filter(|answer| answer.effects != effects)
            .map(|answer| Shown::all(&answer.effects));
        let rules = answer.as_ref().map(|answer| answer.effects.rules());
        let (changes, phase, status) = match answer {
            Some(answer) => (answer.changes, answer.phase, answer.status),
            None => (Vec::new(), "", ""),
        };
        Self {
            at: event.at,
            lane: Who::brings(&event.kind).into(),
            kind: kind_of(&event.kind).to_owned(),
            text: trace::event_text(&event.kind),
            shown: Shown::all(&effects),
            today,
            phase,
            status,
            rules: rules.unwrap_or_default(),
            changes,
            event: event.kind,
            effects,
        }
    }
}

impl Shown {
    fn all(effects: &Effects) -> Vec<Self> {
        effects.iter().map(Self::of).collect()
    }

    fn of(effect: &Effect) -> Self {
        let lane = match effect {
            Effect::OpenConnection { .. }
            | Effect::SendFrame { .. }
            | Effect::CloseConnection { .. } => Lane::Gateway,
            Effect::SendRequest { .. } | Effect::CancelRequest { .. } => Lane::Api,
            Effect::SetAlarm(_) => Lane::Timers,
            Effect::Notify(_) => Lane::Caller,
            Effect::Ignored(_) => Lane::Machine,
        };
        let kind = match effect {
            Effect::Ignored(_) => effect.name(),
            _ => match names::effect_detail(effect) {
                "" => effect.name(),
                detail => detail,
            },
        };
        Self {
            lane,
            kind,
            text: trace::effect_text(effect),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
fn is_empty(rules: &Rules) -> bool {
    rules.is_empty()
}

fn kind_of(kind: &EventKind) -> &str {
    match kind {
        EventKind::FrameReceived { frame, .. } => match frame {
            ServerFrame::AgentEvent(frame) => frame.event.kind.as_str(),
            frame => frame.kind(),
        },
        EventKind::ReplyReceived { reply, .. } => reply.name(),
        kind => kind.name(),
    }
}

//! One run on a stage: events at virtual times go in, what the machine wants done comes out as lines.
//!
//! Frames are given as the wire has them. After every step the stage checks, whatever the test is about, that
//!
//! - the state can be written, read back equal, and goes on with the same effects;
//! - the invariants hold;
//! - a ring for no reason, a reply and a frame nobody waits for change nothing;
//! - the state can be woken elsewhere, twice, on a clock that reads nothing or very much.

mod cues;
mod frames;
mod replies;
mod scenes;

use std::collections::BTreeMap;

use agent_gateway_machine::{
    Call, DialId, Effect, Effects, Event, EventKind, Ignored, Outcome, Reply, RequestId, State,
    Timer, Timestamp, transition,
};
use agent_gateway_protocol::ServerFrame;
use agent_gateway_sim::invariant::{Invariants, Observation};
use agent_gateway_sim::trace::effects_text;
use serde_json::Value;

pub(crate) use frames::*;
pub(crate) use replies::*;

/// One run and its surroundings.
#[derive(Clone)]
pub(crate) struct Stage {
    state: State,
    invariants: Invariants,
    now: u64,
    alarm: Option<(u64, Timer)>,
    /// The dial made last.
    dial: u64,
    /// The request made last, by the name of its call.
    requests: BTreeMap<&'static str, RequestId>,
    tokens: u64,
    /// What the last step wanted done, word for word.
    pub(crate) effects: Effects,
}

/// Time, and what is looked at in each step.
impl Stage {
    /// Time passes, and the alarm rings exactly when it was asked to.
    pub(crate) fn wait(&mut self, millis: u64) -> Vec<String> {
        let until = self.now + millis;
        let mut lines = Vec::new();
        while let Some((at, _)) = self.alarm.filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            lines.extend(self.ring());
            assert!(
                self.alarm.is_none_or(|(at, _)| at > self.now),
                "the alarm rings for ever at {}: {:?}",
                self.now,
                self.alarm
            );
        }
        self.now = until;
        lines
    }

    /// Time passes until the next socket is dialled; says how much.
    pub(crate) fn wait_for_dial(&mut self) -> u64 {
        let (dial, since) = (self.dial, self.now);
        while self.dial == dial {
            assert!(self.now - since < 1_000_000, "no dial comes");
            let (at, _) = self.alarm.expect("a dial is to come");
            self.wait(at.saturating_sub(self.now));
        }
        self.now - since
    }

    /// Time passes while the host sleeps: the alarm rings once, at the end of it.
    pub(crate) fn sleep(&mut self, millis: u64) -> Vec<String> {
        self.pass(millis);
        self.ring()
    }

    /// Time passes, and whatever is due does not ring yet.
    pub(crate) fn pass(&mut self, millis: u64) {
        self.now += millis;
    }

    pub(crate) fn ring(&mut self) -> Vec<String> {
        self.feed(EventKind::AlarmRang)
    }

    pub(crate) fn feed(&mut self, kind: EventKind) -> Vec<String> {
        let event = Event::new(Timestamp::from_millis(self.now), kind);
        self.feed_event(event)
    }

    pub(crate) fn feed_event(&mut self, event: Event) -> Vec<String> {
        let stored = serde_json::to_string(&self.state).expect("a state can be written");
        let woken: State = serde_json::from_str(&stored).expect("and read back");
        assert_eq!(woken, self.state, "a stored state comes back equal");
        let same = transition(woken, event.clone());
        let (state, effects) = transition(self.state.clone(), event.clone());
        assert_eq!(same, (state.clone(), effects.clone()), "and goes on alike");
        self.state = state;
        let step = Observation {
            event: &event,
            effects: &effects,
            state: &self.state,
        };
        if let Err(violation) = self.invariants.observe(&step) {
            panic!("{violation}");
        }
        for effect in &effects {
            self.heed(effect);
        }
        let lines = lines(&effects);
        self.effects = effects;
        self.check_harmless();
        lines
    }

    fn heed(&mut self, effect: &Effect) {
        match effect {
            Effect::OpenConnection { dial, .. } => self.dial = dial.0,
            Effect::SendRequest { request, call } => {
                self.requests.insert(call.name(), *request);
            }
            Effect::SetAlarm(alarm) => {
                self.alarm = alarm.map(|alarm| (alarm.at.as_millis(), alarm.timer));
            }
            _ => {}
        }
    }

    fn check_harmless(&self) {
        let now = Timestamp::from_millis(self.now);
        if self.alarm.is_none_or(|(at, _)| at > self.now) {
            let (_, effects) =
                transition(self.state.clone(), Event::new(now, EventKind::AlarmRang));
            let told: Vec<_> = effects.iter().cloned().collect();
            let again = [Effect::SetAlarm(self.state.alarm())];
            assert_eq!(told, again, "a ring for no reason is only answered");
        }
        let request = RequestId(u64::MAX);
        let reply = Reply::MarkerCleared;
        self.check_ignored(
            EventKind::ReplyReceived { request, reply },
            Ignored::StaleRequest(request),
        );
        let dial = DialId(u64::MAX);
        let frame = ServerFrame::AuthExpired;
        self.check_ignored(
            EventKind::FrameReceived { dial, frame },
            Ignored::StaleDial(dial),
        );
        self.check_ignored(EventKind::FrameArriving { dial }, Ignored::StaleDial(dial));
        for at in [0, 1 << 60] {
            let restored = || {
                let at = Timestamp::from_millis(at);
                Event::new(at, EventKind::Restored { token: None })
            };
            let (once, _) = transition(self.state.clone(), restored());
            let (twice, _) = transition(once, restored());
            assert_eq!(twice.check(), Ok(()));
        }
    }

    fn check_ignored(&self, kind: EventKind, why: Ignored) {
        let event = Event::new(Timestamp::from_millis(self.now), kind);
        let (_, effects) = transition(self.state.clone(), event);
        let expected: Effects = [Effect::Ignored(why)].into_iter().collect();
        assert_eq!(effects, expected);
    }
}

/// What can be seen of it.
impl Stage {
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// When the hands are to ring, and what for.
    pub(crate) fn alarm(&self) -> Option<(u64, Timer)> {
        self.alarm
    }

    pub(crate) fn outcome(&self) -> Option<&'static str> {
        self.state.outcome().map(Outcome::name)
    }

    pub(crate) fn connection(&self) -> &'static str {
        self.state.status().as_str()
    }

    /// Whether a request of this name was ever made.
    pub(crate) fn has_asked(&self, call: &str) -> bool {
        self.requests.contains_key(call)
    }

    /// The frames the last step sends, as the wire has them; a token is its name.
    pub(crate) fn sent(&self) -> Vec<Value> {
        let encoded = self.effects.iter().filter_map(|effect| match effect {
            Effect::SendFrame { frame, .. } => {
                let frame = frame.clone().with_token(|token| token.to_string().into());
                Some(frame.encode())
            }
            _ => None,
        });
        encoded
            .map(|text| serde_json::from_str(&text).expect("a frame is JSON"))
            .collect()
    }

    /// The requests the last step sends.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let calls = self.effects.iter().filter_map(|effect| match effect {
            Effect::SendRequest { call, .. } => Some(call.clone()),
            _ => None,
        });
        calls.collect()
    }
}

/// Effects as lines, alarms and receipts left out.
fn lines(effects: &Effects) -> Vec<String> {
    let text = effects_text(effects);
    let effects = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("→ "));
    effects
        .filter(|line| !line.starts_with("set_alarm"))
        .map(|line| match line.strip_prefix("run_ended ") {
            Some(ended) => {
                let outcome = ended.split(':').next().unwrap_or(ended);
                format!("run_ended {outcome}")
            }
            None => line.to_owned(),
        })
        .collect()
}

use std::collections::BTreeMap;

use agent_gateway_machine::Outcome;

use crate::invariant::Observation;
use crate::world::{Observer, Played};

/// What a number of histories have shown, so that a blind spot is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Sessions played.
    pub sessions: u64,
    /// Events the machine was told.
    pub events: u64,
    /// How often each outcome came; `none` for runs that did not end.
    pub outcomes: BTreeMap<String, u64>,
    /// How often each effect occurred, by its name in full: frames, requests, notifications, reasons to ignore.
    pub effects: BTreeMap<String, u64>,
    /// How often each sort of event came while the machine was in each phase, as `streaming/frame_received`.
    pub situations: BTreeMap<String, u64>,
}

impl Coverage {
    /// Adds what another campaign has shown.
    pub fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.events += other.events;
        for (own, others) in [
            (&mut self.outcomes, &other.outcomes),
            (&mut self.effects, &other.effects),
            (&mut self.situations, &other.situations),
        ] {
            for (name, count) in others {
                add(own, name, *count);
            }
        }
    }

    /// Adds one session.
    pub(super) fn note(&mut self, played: &Played, situations: &Situations) {
        self.sessions += 1;
        self.events += played.events;
        let outcome = played.outcome.as_ref().map_or("none", Outcome::name);
        add(&mut self.outcomes, outcome, 1);
        for name in &played.effects {
            add(&mut self.effects, name, 1);
        }
        for ((phase, event), count) in &situations.0 {
            let name = format!("{phase}/{event}");
            add(&mut self.situations, &name, *count);
        }
    }
}

/// Counts the situations of one session.
#[derive(Clone, Debug, Default)]
pub(super) struct Situations(BTreeMap<(&'static str, &'static str), u64>);

impl Observer for Situations {
    fn observe(&mut self, step: &Observation<'_>) {
        let situation = (step.state.phase(), step.event.kind.name());
        *self.0.entry(situation).or_default() += 1;
    }
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    match counts.get_mut(name) {
        Some(known) => *known += count,
        None => {
            counts.insert(name.to_owned(), count);
        }
    }
}

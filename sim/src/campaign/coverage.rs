use std::collections::BTreeMap;

use agent_gateway_machine::{Outcome, Rule, Rules};
use serde::Serialize;

use crate::invariant::Observation;
use crate::names;
use crate::world::{Played, Spectator};

/// What a number of histories have shown, so that a blind spot is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Sessions played.
    pub sessions: u64,
    /// Events the machine was told.
    pub events: u64,
    /// How often each outcome came; `none` for runs that did not end.
    pub outcomes: BTreeMap<String, u64>,
    /// In how many sessions each rule was carried out.
    pub rules: BTreeMap<&'static str, u64>,
    /// How often each effect occurred, by its name in full: frames, requests, notifications, reasons to ignore.
    pub effects: BTreeMap<String, u64>,
    /// How often each sort of event came while the machine was in each phase, as `streaming/frame_received`.
    pub situations: BTreeMap<String, u64>,
}

/// Everything of one kind that could be seen, and how often it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The kind, such as `outcomes`.
    pub name: &'static str,
    /// What is counted, such as `sessions`.
    pub unit: &'static str,
    /// Each by its name, in the order of its list; 0: never.
    pub counts: Vec<(&'static str, u64)>,
}

impl Kind {
    /// What was never seen: the blind spots.
    #[must_use]
    pub fn never(&self) -> Vec<&'static str> {
        let never = self.counts.iter().filter(|(_, count)| *count == 0);
        never.map(|(name, _)| *name).collect()
    }
}

impl Coverage {
    /// Adds what another campaign has shown.
    pub fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.events += other.events;
        for (name, count) in &other.rules {
            *self.rules.entry(name).or_default() += count;
        }
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

    /// What was seen and what was not, of each kind that has a full list.
    #[must_use]
    pub fn kinds(&self) -> [Kind; 6] {
        let outcome = |name| self.outcomes.get(name).copied().unwrap_or(0);
        let rule = |name| self.rules.get(name).copied().unwrap_or(0);
        let effect = |verb: &'static str| {
            move |name: &'static str| {
                let effects = &self.effects;
                effects.get(&format!("{verb}.{name}")).copied().unwrap_or(0)
            }
        };
        let rules = Rule::ALL.map(Rule::id);
        [
            kind("outcomes", "sessions", &names::OUTCOMES, outcome),
            kind("rules", "sessions", &rules, rule),
            kind(
                "notifications",
                "times",
                &names::NOTIFICATIONS,
                effect("notify"),
            ),
            kind(
                "requests",
                "times",
                &names::REQUESTS,
                effect("send_request"),
            ),
            kind("frames sent", "times", &names::FRAMES, effect("send_frame")),
            kind(
                "ignored, by reason",
                "times",
                &names::IGNORED,
                effect("ignored"),
            ),
        ]
    }

    /// How often this sort of event came while the machine was in this phase.
    #[must_use]
    pub fn situation(&self, phase: &str, event: &str) -> u64 {
        let name = format!("{phase}/{event}");
        self.situations.get(&name).copied().unwrap_or(0)
    }

    /// Adds one session.
    pub(super) fn note(&mut self, played: &Played, seen: &Seen) {
        self.sessions += 1;
        self.events += played.events;
        let outcome = played.outcome.as_ref().map_or("none", Outcome::name);
        add(&mut self.outcomes, outcome, 1);
        for rule in seen.rules.iter() {
            *self.rules.entry(rule.id()).or_default() += 1;
        }
        for (name, _) in &played.effects {
            add(&mut self.effects, name, 1);
        }
        for ((phase, event), count) in &seen.situations {
            let name = format!("{phase}/{event}");
            add(&mut self.situations, &name, *count);
        }
    }
}

/// What one session shows beside what comes of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    rules: Rules,
    /// By the phase in which an event came, and the event.
    situations: BTreeMap<(&'static str, &'static str), u64>,
    phase: Option<&'static str>,
}

impl Spectator for Seen {
    fn observe(&mut self, step: &Observation<'_>) {
        self.rules = self.rules.union(step.effects.rules());
        let phase = self.phase.unwrap_or(names::PHASES[0]);
        let situation = (phase, step.event.kind.name());
        *self.situations.entry(situation).or_default() += 1;
        self.phase = Some(step.state.phase());
    }
}

fn kind(
    name: &'static str,
    unit: &'static str,
    names: &[&'static str],
    count: impl Fn(&'static str) -> u64,
) -> Kind {
    let counts = names.iter().map(|name| (*name, count(name)));
    Kind {
        name,
        unit,
        counts: counts.collect(),
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

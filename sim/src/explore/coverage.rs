use std::collections::BTreeSet;

use agent_gateway_machine::{Effect, Notification, Outcome, Rule, Rules, State};

use super::Surveyor;
use crate::invariant::Observation;

/// What has been seen at work.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// The rules that have decided a step.
    pub rules: Rules,
    /// The outcomes that runs have ended with.
    pub outcomes: BTreeSet<&'static str>,
}

/// The rules that no budget reaches, each with the reason; random histories and the rule tests do.
pub const UNREACHED: &[(Rule, &str)] = &[
    (Rule::C12, "no noise is sent"),
    (Rule::C15, "the network is never said to come or go"),
    (Rule::S13, "no caller interrupts over the socket"),
    (Rule::R9, "no run is approved"),
    (
        Rule::T4,
        "a call that comes again is a duplicate in the order of the stream already",
    ),
    (Rule::T7, "nobody is asked to confirm or to enter anything"),
];

impl Coverage {
    /// What any of them has seen.
    #[must_use]
    pub fn of_all(all: &[Self]) -> Self {
        let mut sum = Self::default();
        for one in all {
            sum.rules = sum.rules.union(one.rules);
            sum.outcomes.extend(&one.outcomes);
        }
        sum
    }

    /// The rules that have decided nothing.
    pub fn missing(&self) -> impl Iterator<Item = Rule> {
        let seen = self.rules;
        Rule::ALL
            .into_iter()
            .filter(move |rule| !seen.contains(*rule))
    }
}

impl Surveyor for Coverage {
    fn observe(&mut self, _: &State, step: &Observation<'_>) {
        self.rules = self.rules.union(step.effects.rules());
        for effect in step.effects {
            if let Effect::Notify(Notification::RunEnded { outcome, .. }) = effect {
                self.outcomes.insert(Outcome::name(outcome));
            }
        }
    }
}

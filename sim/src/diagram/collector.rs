use std::collections::BTreeMap;

use agent_gateway_machine::{Effect, Effects, Event, State};

use super::trigger::trigger;
use super::{Aspect, Reasons};

/// Keeps what transitions show of each aspect. The order in which they come makes no difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collector {
    moves: BTreeMap<Move, Reasons>,
}

/// From one word to another, or back to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Move {
    pub(super) aspect: Aspect,
    pub(super) from: Option<&'static str>,
    pub(super) to: Option<&'static str>,
    pub(super) trigger: &'static str,
}

impl Collector {
    /// Looks at one transition.
    pub fn observe(&mut self, before: &State, event: &Event, effects: &Effects, after: &State) {
        let is_ignored = effects
            .iter()
            .any(|effect| matches!(effect, Effect::Ignored(_)));
        for aspect in Aspect::ALL {
            let (from, to) = (aspect.of(before), aspect.of(after));
            // What is ignored, or is no business of this aspect, is no loop either.
            if from == to && (from.is_none() || is_ignored) {
                continue;
            }
            let step = Move {
                aspect,
                from,
                to,
                trigger: trigger(before, event, effects.rules()),
            };
            self.moves.entry(step).or_default().add(effects.rules());
        }
    }

    /// Adds what another one was shown.
    pub fn add(&mut self, other: &Self) {
        for (step, reasons) in &other.moves {
            self.moves.entry(*step).or_default().add_all(reasons);
        }
    }

    /// What was seen of an aspect, in a fixed order.
    pub(super) fn moves(&self, aspect: Aspect) -> impl Iterator<Item = (&Move, &Reasons)> {
        self.moves
            .iter()
            .filter(move |(step, _)| step.aspect == aspect)
    }
}

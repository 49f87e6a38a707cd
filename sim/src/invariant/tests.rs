use core::fmt::Debug;

use super::{Invariant, Invariants, Observation, Step};
use crate::campaign::random_script;
use crate::world::{Spectator, World};

/// Shows every step to the invariants whose business it is said not to be.
#[derive(Default)]
struct Prober {
    invariants: Invariants,
    /// After the first violation nothing more is looked at.
    violated: bool,
}

impl Spectator for Prober {
    fn observe(&mut self, observation: &Observation<'_>) {
        if self.violated {
            return;
        }
        self.invariants.probe(observation);
        self.violated = self.invariants.observe(observation).is_err();
    }
}

pub(super) fn probe<I: Invariant + Clone + Debug>(invariant: &I, step: &Step<'_>) {
    if invariant.is_moved_by(step) {
        return;
    }
    let mut moved = invariant.clone();
    assert_eq!(moved.observe(step), Ok(()), "{}: {step:?}", I::ID);
    let (before, after) = (format!("{invariant:?}"), format!("{moved:?}"));
    assert_eq!(after, before, "{}: {step:?}", I::ID);
}

fn probe_sessions(sessions: u64, prepare: impl Fn(World<'_>) -> World<'_>) {
    for seed in 0..sessions {
        let script = random_script(seed);
        let world = World::new(&script, seed).expect("random scripts have sound limits");
        prepare(world).play(&mut Prober::default());
    }
}

#[test]
fn no_invariant_is_moved_by_a_step_that_is_none_of_its_business() {
    probe_sessions(1_000, |world| world);
}

#[cfg(feature = "mutations")]
#[test]
fn nor_in_a_machine_that_is_broken() {
    for mutation in agent_gateway_machine::Mutation::ALL {
        probe_sessions(200, |world| world.broken_by(mutation));
    }
}

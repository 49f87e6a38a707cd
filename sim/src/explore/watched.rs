//! The machine and the invariants that watch it: what is told to it comes to the same in every surrounding.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use agent_gateway_machine::{Effects, Event, EventKind, Renaming, State, Timestamp, transition};
use foldhash::quality::FixedState;

use crate::invariant::{Invariants, Observation, Violation};

/// A canonical state of the machine, with what the invariants remember of the way there.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) state: State,
    invariants: Invariants,
    /// The hands' clock at the last event.
    now: Timestamp,
    fingerprint: u64,
    _living: Living,
}

/// Counts the machines that are in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Living(Arc<()>);

impl Living {
    /// How many there are, roughly.
    pub(super) fn count(&self) -> u64 {
        Arc::strong_count(&self.0) as u64
    }
}

/// What came of telling it something.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) event: Event,
    pub(super) effects: Effects,
    pub(super) after: Arc<Watched>,
    /// What things are called in it.
    pub(super) names: Renaming,
    /// What must never be.
    pub(super) violation: Option<Violation>,
}

impl Watched {
    /// Before its beginning.
    pub(super) fn new(state: State, living: &Living) -> Self {
        Self::canonical(state, Invariants::default(), Timestamp::ZERO, living).0
    }

    /// The same machine with the same memory has the same fingerprint.
    pub(super) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The hands' clock so many ms after the last event.
    pub(super) fn time(&self, idle: u64) -> Timestamp {
        Timestamp::from_millis(self.now.as_millis() + idle)
    }

    /// The machine is told something, so many ms after the last event. Whoever knows an equal one has it instead.
    pub(super) fn tell(
        &self,
        kind: EventKind,
        idle: u64,
        living: &Living,
        known: impl FnOnce(Self) -> Arc<Self>,
    ) -> Told {
        let event = Event::new(self.time(idle), kind);
        let (state, effects) = transition(self.state.clone(), event.clone());
        let mut invariants = self.invariants.clone();
        let observed = invariants.observe(&Observation {
            event: &event,
            effects: &effects,
            state: &state,
        });
        let (after, names) = Self::canonical(state, invariants, event.at, living);
        Told {
            event,
            effects,
            after: known(after),
            names,
            violation: observed.err(),
        }
    }

    fn canonical(
        mut state: State,
        mut invariants: Invariants,
        now: Timestamp,
        living: &Living,
    ) -> (Self, Renaming) {
        let mut names = state.canonicalize();
        invariants.rename(&mut names, &state.config().limits);
        let mut hasher = FixedState::with_seed(1).build_hasher();
        state.fingerprint(&mut hasher);
        invariants.hash(&mut hasher);
        let watched = Self {
            state,
            invariants,
            now: names.moment(now),
            fingerprint: hasher.finish(),
            _living: living.clone(),
        };
        (watched, names)
    }
}

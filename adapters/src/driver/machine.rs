//! The pure machine of one run, and whoever watches it.

use agent_gateway_machine::{Effects, Event, EventKind, State, Timestamp, transition};
use tracing::trace;

use crate::observer::Observer;

/// Makes the transitions of one run, and no effect.
pub(super) struct Machine {
    /// Taken out only while a transition is made.
    state: Option<State>,
    observers: Vec<Box<dyn Observer>>,
}

impl Machine {
    pub(super) fn new(state: State, observers: Vec<Box<dyn Observer>>) -> Self {
        Self {
            state: Some(state),
            observers,
        }
    }

    /// `None` after a transition that has panicked.
    pub(super) fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// Makes one transition.
    #[inline]
    pub(super) fn feed(&mut self, now: Timestamp, kind: EventKind) -> Option<Effects> {
        let state = self.state.take()?;
        let event = Event::new(now, kind);
        trace!(event = event.kind.name(), at = %event.at, "event");
        let (state, effects) = if self.observers.is_empty() {
            transition(state, event)
        } else {
            self.observe(state, event)
        };
        self.state = Some(state);
        Some(effects)
    }

    /// Makes one transition that is watched.
    #[inline(never)]
    fn observe(&mut self, state: State, event: Event) -> (State, Effects) {
        let (state, effects) = transition(state, event.clone());
        for observer in &mut self.observers {
            observer.observed(&event, &effects);
        }
        (state, effects)
    }
}

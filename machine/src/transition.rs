//! The one door of the machine.

use crate::effects::Effects;
use crate::event::Event;
use crate::state::State;

/// What `event` makes of `state`, and what to do about it.
#[must_use]
pub fn transition(state: State, _event: Event) -> (State, Effects) {
    (state, Effects::new())
}

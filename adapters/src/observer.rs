//! Watching a run from inside: every event the machine was given, and every effect it asked for.

use agent_gateway_machine::recording::Header;
use agent_gateway_machine::{Effects, Event};

/// Sees all that one run's machine sees. Neither events nor effects hold a token (I17), but they hold the run's texts.
///
/// Called by whoever drives the run, its task or its caller: what takes long here holds the run up, and a panic ends the
/// watching ([`Unwatched`](crate::Unwatched)).
pub trait Observer: Send {
    /// The run begins, set up like this.
    fn began(&mut self, header: &Header);

    /// One transition was made.
    fn observed(&mut self, event: &Event, effects: &Effects);
}

//! Every interleaving of the real machine with a small gateway, a small server, a caller and faults, within a budget.

mod action;
mod budget;
mod coverage;
mod gateway;
mod graph;
mod history;
mod log;
mod memo;
mod news;
mod node;
mod packed;
mod search;
mod server;
mod table;
#[cfg(test)]
mod tests;
mod truth;
mod watched;
mod world;

use agent_gateway_machine::State;

pub use budget::{Budget, FaultKind};
pub use coverage::{Coverage, UNREACHED};
pub use history::Found;

use crate::invariant::Observation;

/// The one operation there is, and its topic.
const OPERATION: &str = "op_1";
const TOPIC: &str = "tpc_1";

/// Looks on at an exploration: each thread has one of its own.
pub trait Surveyor: Send {
    /// The machine was told something in the state `before`. Each such edge is seen at least once, by whichever thread;
    /// how often says nothing.
    fn observe(&mut self, before: &State, step: &Observation<'_>);
}

impl Surveyor for () {
    fn observe(&mut self, _: &State, _: &Observation<'_>) {}
}

/// How far an exploration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Distinct states met.
    pub states: u64,
    /// Steps taken from one to another.
    pub transitions: u64,
    /// Steps from the beginning that all states looked at are away.
    pub depth: u32,
    /// States at that depth.
    pub frontier: u64,
    /// Bytes in use, roughly.
    pub memory: u64,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Go on.
    GoOn,
    /// Stop here, with what is known so far.
    Stop,
}

/// What was explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// Distinct states.
    pub states: u64,
    /// Steps from one to another.
    pub transitions: u64,
    /// The longest of the shortest ways to a state.
    pub depth: u32,
    /// Whether this is all there is within the budget.
    pub is_closed: bool,
}

/// What an exploration has come to.
#[derive(Debug)]
pub struct Report {
    /// How much it was.
    pub explored: Explored,
    /// What must never be, if it was found.
    pub found: Option<Found>,
}

/// The machine that is explored, before its beginning.
#[must_use]
pub fn machine() -> State {
    history::machine()
}

/// Explores all that the budget allows, with as many threads as there are surveyors, which must be one at least. The
/// machine is [`machine`], or in tests of tests one that is broken.
pub fn explore<O: Surveyor>(
    budget: &Budget,
    machine: &State,
    surveyors: &mut [O],
    watch: &mut impl FnMut(&Progress) -> Wish,
) -> Report {
    let search = search::search(budget, machine, surveyors, watch);
    let found = search
        .verdict()
        .map(|(way, violation)| Found::follow(&search, budget, machine, way, violation));
    Report {
        explored: search.explored,
        found,
    }
}

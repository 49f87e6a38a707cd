//! Which holes in the stream were told as gaps: tells what comes too late from a counter that started again (C8, C9).

use alloc::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// How many are remembered. A gateway that keeps 1,000 frames can leave more, and a frame of one that was forgotten passes
/// for a new count: a gap too many, and nothing lost.
const BOUND: usize = 64;

/// Holes told as gaps, oldest forgotten first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Holes(VecDeque<Hole>);

/// Ids told as a gap, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Hole {
    first: u64,
    last: u64,
}

impl Holes {
    pub(super) fn contains(&self, number: u64) -> bool {
        self.0
            .iter()
            .any(|hole| (hole.first..=hole.last).contains(&number))
    }

    pub(super) fn push(&mut self, first: u64, last: u64) {
        if self.0.len() == BOUND {
            self.0.pop_front();
        }
        self.0.push_back(Hole { first, last });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// I13, for `check()`.
    pub(super) fn is_bounded(&self) -> bool {
        self.0.len() <= BOUND
    }
}

//! How long to wait before the next attempt, and how often to try (C6, C7, I8).

use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::config::Limits;
use crate::jitter::Jitter;
use crate::time::Millis;

/// The steps of the backoff and what is left of the budget. All of it counts since the last progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Backoff {
    /// How often the delay has doubled since the last progress.
    step: u32,
    /// Failed attempts since the last progress.
    failures: u32,
    /// Whether the peer has broken the protocol since the last progress (C7).
    violated: bool,
}

impl Backoff {
    /// Counts a failed attempt; whether the budget still allows another.
    pub(crate) fn spend(&mut self, budget: Option<u32>) -> bool {
        self.failures = self.failures.saturating_add(1);
        budget.is_none_or(|budget| self.failures < budget)
    }

    /// The peer has broken the protocol; whether it had before, and has made no progress since (C7).
    pub(crate) fn note_violation(&mut self) -> bool {
        core::mem::replace(&mut self.violated, true)
    }

    /// The next delay: uniform in `[d/2, d]`, and `d` doubles up to its cap.
    pub(crate) fn next_delay(&mut self, limits: &Limits, jitter: &mut Jitter) -> Millis {
        let delay = limits
            .backoff_first
            .times(1 << self.step.min(32))
            .min(limits.backoff_cap);
        self.step = self.step.saturating_add(1);
        jitter.upper_half(delay)
    }

    /// Steps past the cap and failures that no budget counts are all the same.
    pub(crate) fn canonicalize(&mut self, canon: &Canon<'_>, budget: Option<u32>) {
        let limits = canon.limits;
        let capped =
            |step: u32| limits.backoff_first.times(1 << step.min(32)) >= limits.backoff_cap;
        while self.step > 0 && capped(self.step - 1) {
            self.step -= 1;
        }
        self.failures = self.failures.min(budget.unwrap_or(0));
    }

    /// The first authentication of a run: what it took to get there is not held against the budget after it.
    pub(crate) fn forgive(&mut self) {
        self.failures = 0;
    }

    /// Progress starts it over; a socket that merely opened is none (D7).
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

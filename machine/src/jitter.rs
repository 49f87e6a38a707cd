//! The only randomness there is: a small generator whose seed is in the state (I15).

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// `SplitMix64`: one word of state, good enough to spread clients over time, and reproducible.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// A delay that is uniform in `[span / 2, span]` (C6, I8).
    pub(crate) fn upper_half(&mut self, span: Millis) -> Millis {
        let least = span.0.div_ceil(2);
        Millis(least + self.next() % (span.0 - least + 1))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }
}

use std::num::NonZeroU64;

use agent_gateway_machine::{Millis, Timestamp};

use crate::random::Random;
use crate::script::NetworkSection;

/// What lies between the client and the servers.
#[derive(Clone, Debug)]
pub(super) struct Network {
    latency: u64,
    jitter: u64,
    bytes_per_second: Option<NonZeroU64>,
    /// Nothing arrives before.
    held_until: Timestamp,
    pub(super) tells_late: bool,
    random: Random,
    pub(super) is_offline: bool,
    /// Dials that fail as unreachable.
    pub(super) refused_dials: u32,
    /// Dials that never come to an end.
    pub(super) hanging_dials: u32,
    /// The HTTP status that the next upgrade is answered with.
    pub(super) rejected_upgrade: Option<u16>,
    pub(super) bad_certificate: bool,
}

impl Network {
    pub(super) fn new(section: &NetworkSection, random: Random) -> Self {
        Self {
            latency: section.latency,
            jitter: section.jitter,
            bytes_per_second: section.bytes_per_second,
            held_until: Timestamp::ZERO,
            tells_late: section.tells_late,
            random,
            is_offline: false,
            refused_dials: 0,
            hanging_dials: 0,
            rejected_upgrade: None,
            bad_certificate: false,
        }
    }

    pub(super) fn set_latency(&mut self, latency: u64) {
        self.latency = latency;
    }

    pub(super) fn set_jitter(&mut self, jitter: u64) {
        self.jitter = jitter;
    }

    pub(super) fn hold_until(&mut self, at: Timestamp) {
        self.held_until = self.held_until.max(at);
    }

    /// From its first byte to its last, a message takes this long to come. Its bytes are counted only where they matter.
    pub(super) fn transmission(&self, bytes: impl FnOnce() -> usize) -> Millis {
        self.bytes_per_second
            .map_or(Millis::ZERO, |rate| Millis(bytes() as u64 * 1_000 / rate))
    }

    /// When what leaves now arrives, not before `last`.
    pub(super) fn arrival(&mut self, now: Timestamp, last: Timestamp) -> Timestamp {
        let jitter = if self.jitter == 0 {
            0
        } else {
            self.random.between(0, self.jitter)
        };
        let at = now.plus(Millis(self.latency + jitter));
        at.max(last).max(self.held_until)
    }

    /// The latest that [`Network::arrival`] can say.
    pub(super) fn latest_arrival(&self, now: Timestamp, last: Timestamp) -> Timestamp {
        let at = now.plus(Millis(self.latency + self.jitter));
        at.max(last).max(self.held_until)
    }
}

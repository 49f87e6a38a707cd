//! What has been passed lately: tells a duplicate from a counter that started again (C9, C10).

use alloc::vec::Vec;

use agent_gateway_protocol::{EventId, ServerFrame};
use serde::{Deserialize, Serialize};

use crate::cursor::Digest;

/// The digests of the last frames passed, oldest overwritten first. Takes no memory before the first one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Ring {
    digests: Vec<Digest>,
    oldest: usize,
    /// How many of the latest have neighbouring numbers: none, one, or more.
    in_a_row: u8,
    /// The frame that was asked for once more: it is known, whatever has been overwritten since (C10).
    asked_again: Option<Digest>,
}

impl Ring {
    pub(crate) fn contains(&self, digest: Digest) -> bool {
        self.asked_again == Some(digest) || self.digests.contains(&digest)
    }

    /// A frame has passed, right `behind` the one numbered before it or not.
    pub(crate) fn push(&mut self, digest: Digest, behind: bool, bound: usize) {
        self.in_a_row = if behind {
            self.in_a_row.saturating_add(1).min(2)
        } else {
            1
        };
        self.store(digest, bound);
    }

    /// A frame has passed that has no number, among others that have.
    pub(crate) fn push_stray(&mut self, digest: Digest, bound: usize) {
        self.in_a_row = 0;
        self.store(digest, bound);
    }

    /// Whether the latest frame and the one numbered before it are both known.
    pub(crate) fn knows_two(&self) -> bool {
        self.in_a_row > 1 && self.digests.len() > 1
    }

    /// From now on this one is known, and no other that was before.
    pub(crate) fn ask_again(&mut self, digest: Option<Digest>) {
        self.asked_again = digest;
    }

    fn store(&mut self, digest: Digest, bound: usize) {
        if self.digests.len() < bound {
            if self.digests.is_empty() {
                self.digests.reserve(bound.min(32));
            }
            self.digests.push(digest);
        } else if let Some(slot) = self.digests.get_mut(self.oldest) {
            *slot = digest;
            self.oldest = (self.oldest + 1) % self.digests.len();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.digests.clear();
        self.oldest = 0;
        self.in_a_row = 0;
        self.asked_again = None;
    }

    pub(crate) fn len(&self) -> usize {
        self.digests.len()
    }
}

/// 32 bits over what tells two frames of the same id apart: id, timestamp, type.
pub(crate) fn digest(id: &EventId, frame: &ServerFrame) -> Digest {
    let seed = match id {
        EventId::Number(number) => mix(0, *number),
        EventId::Text(text) => mix_bytes(1, text.as_bytes()),
    };
    let hash = if let ServerFrame::AgentEvent(frame) = frame {
        let timestamp = frame.event.timestamp.unwrap_or_default();
        mix_bytes(mix(seed, timestamp), frame.event.kind.as_str().as_bytes())
    } else {
        mix_bytes(seed, frame.kind().as_bytes())
    };
    Digest((hash ^ (hash >> 32)) as u32)
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn mix_bytes(mut hash: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    for word in words {
        hash = mix(hash, u64::from_le_bytes(*word));
    }
    let last = rest
        .iter()
        .fold(0, |last, byte| last << 8 | u64::from(*byte));
    mix(mix(hash, last), bytes.len() as u64)
}

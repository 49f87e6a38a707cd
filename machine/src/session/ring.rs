//! What has been passed lately: tells a duplicate from a counter that started again (C9, C10).

use alloc::vec::Vec;

use agent_gateway_protocol::{EventId, ServerFrame};
use serde::{Deserialize, Serialize};

use crate::cursor::Digest;
use crate::session::holes::Holes;
use crate::session::overlap::Overlap;

/// Runs of consecutive numbers are counted up to this: longer runs of frames without a time are not expected.
const IN_A_ROW: u8 = 5;

/// What tells a frame from another of the same id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) digest: Digest,
    /// Whether there is a time in it. Without one, frames of two counts may look the same.
    pub(crate) is_dated: bool,
}

/// The digests of the last frames passed, oldest overwritten first. Takes no memory before the first one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Ring {
    digests: Vec<Digest>,
    oldest: usize,
    /// The length of the current run of consecutive numbers, at most [`IN_A_ROW`].
    in_a_row: u8,
    /// How many of these came after the last one that says when it was.
    undated: u8,
    /// The frame that was asked for once more: it is known, whatever has been overwritten since (C10).
    asked_again: Option<Digest>,
}

impl Ring {
    pub(crate) fn contains(&self, digest: Digest) -> bool {
        self.asked_again == Some(digest) || self.digests.contains(&digest)
    }

    /// A frame has passed, right `behind` the one numbered before it or not.
    pub(crate) fn push(&mut self, mark: Mark, behind: bool, bound: usize) {
        if !behind {
            self.in_a_row = 0;
            self.undated = 0;
        }
        self.in_a_row = self.in_a_row.saturating_add(1).min(IN_A_ROW);
        self.undated = if mark.is_dated {
            0
        } else {
            self.undated.saturating_add(1).min(IN_A_ROW)
        };
        self.store(mark.digest, bound);
    }

    /// A frame has passed that has no number, among others that have.
    pub(crate) fn push_stray(&mut self, digest: Digest, bound: usize) {
        self.in_a_row = 0;
        self.undated = 0;
        self.store(digest, bound);
    }

    /// The frame to ask for once more, to see whether the count goes on, where `last` is the number of the latest. It is the
    /// last one that says when it was, for one that does not may have a twin in another count; where that is too far back,
    /// the latest. `None` if it is not known, or nobody would know the one numbered before it, should that come too: it has
    /// not passed, and is none of those that come `late`.
    pub(super) fn overlap(&self, last: u64, late: &Holes) -> Option<Overlap> {
        let passed = |back: u8| back < self.in_a_row && usize::from(back) < self.digests.len();
        let is_edge = |back: u8| {
            let before = last.saturating_sub(u64::from(back) + 1);
            back + 1 < IN_A_ROW && (before == 0 || late.contains(before))
        };
        let known = |back: u8| passed(back) && (passed(back + 1) || is_edge(back));
        let back = [self.undated, 0].into_iter().find(|back| known(*back))?;
        let len = self.digests.len();
        let place = (self.oldest + len - 1 - usize::from(back)) % len;
        Some(Overlap {
            number: last.saturating_sub(back.into()),
            digest: *self.digests.get(place)?,
        })
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
        self.undated = 0;
        self.asked_again = None;
    }

    /// I13, and what no single field can say.
    pub(super) fn is_consistent(&self, bound: usize) -> bool {
        let len = self.digests.len();
        len <= bound
            && (self.oldest < len || self.oldest == 0)
            && self.in_a_row.max(self.undated) <= IN_A_ROW
    }
}

/// 32 bits over what tells two frames of the same id apart: id, timestamp, type.
pub(crate) fn mark(id: &EventId, frame: &ServerFrame) -> Mark {
    let seed = match id {
        EventId::Number(number) => mix(0, *number),
        EventId::Text(text) => mix_bytes(1, text.as_bytes()),
    };
    let (hash, is_dated) = if let ServerFrame::AgentEvent(frame) = frame {
        let timestamp = frame.event.timestamp;
        let hash = mix(seed, timestamp.unwrap_or_default());
        let kind = frame.event.kind.as_str();
        (mix_bytes(hash, kind.as_bytes()), timestamp.is_some())
    } else {
        (mix_bytes(seed, frame.kind().as_bytes()), false)
    };
    Mark {
        digest: Digest((hash ^ (hash >> 32)) as u32),
        is_dated,
    }
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

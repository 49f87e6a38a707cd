//! The stretch after a `resume`, in which frames may arrive live, replayed, twice and out of order (C8).
//!
//! ```text
//!  open ──quiet for too long──▶ probed ──answered, or the bounds in size─▶ ending ──nothing held──▶ gone
//!    └────────────────── resume_complete ─────────────────────────────────▶
//! ```

use alloc::collections::BTreeMap;

use agent_gateway_protocol::ServerFrame;
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::config::Limits;
use crate::time::{Millis, Timestamp};

/// What waits in it for its turn, and how long it has been quiet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Seam {
    /// Whether it was opened with a cursor: what passes in it is a replay (S11).
    replaying: bool,
    /// The number of the known frame that was asked for once more, until it comes: before that nobody knows by which count
    /// the others are (C10).
    overlap: Option<u64>,
    held: BTreeMap<u64, ServerFrame>,
    held_bytes: usize,
    /// When the seam was opened, or a hole in it last arose or shrank, or part of a frame came (C8). Frames that pass in
    /// order without a hole do not count: a stream that never rests would keep the seam open for ever.
    moved_at: Timestamp,
    /// How often the gateway has been probed for the end of the replay.
    probes: u8,
    /// Whether it is over and only gives back what it holds.
    ending: bool,
}

impl Seam {
    pub(super) fn open(replaying: bool, overlap: Option<u64>, now: Timestamp) -> Self {
        Self {
            replaying,
            overlap,
            held: BTreeMap::new(),
            held_bytes: 0,
            moved_at: now,
            probes: 0,
            ending: false,
        }
    }

    /// How it stands, in one word.
    pub(super) fn word(&self) -> &'static str {
        if self.probes > 0 { "probed" } else { "open" }
    }

    pub(super) fn is_replaying(&self) -> bool {
        self.replaying
    }

    pub(super) fn overlap(&self) -> Option<u64> {
        self.overlap
    }

    /// The frame that was asked for once more has come, or another one that shows the count.
    pub(super) fn on_count_known(&mut self) {
        self.overlap = None;
    }

    /// Whether everything waits for the frame that was asked for once more.
    pub(super) fn awaits_overlap(&self) -> bool {
        self.overlap.is_some() && !self.ending
    }

    pub(super) fn moved_at(&self) -> Timestamp {
        self.moved_at
    }

    /// Whether anything is missing between the frame `last` and what is held.
    pub(super) fn has_hole_behind(&self, last: u64) -> bool {
        let mut before = last;
        self.held.keys().any(|number| {
            let skips = number.saturating_sub(1) > before;
            before = *number;
            skips
        })
    }

    pub(super) fn holds(&self, number: u64) -> bool {
        self.held.contains_key(&number)
    }

    pub(super) fn first_held(&self) -> Option<u64> {
        self.held.first_key_value().map(|(number, _)| *number)
    }

    pub(super) fn hold(&mut self, number: u64, frame: ServerFrame, now: Timestamp) {
        if self.held.is_empty() {
            // The hole is new: its time to be filled starts now.
            self.moved_at = now;
        }
        self.held_bytes += frame.size();
        self.held.insert(number, frame);
    }

    pub(super) fn release(&mut self, number: u64) -> Option<ServerFrame> {
        let frame = self.held.remove(&number)?;
        self.held_bytes -= frame.size();
        Some(frame)
    }

    /// Lets go of all that is held. How many frames that were.
    pub(super) fn let_go(&mut self) -> u64 {
        self.held_bytes = 0;
        core::mem::take(&mut self.held).len() as u64
    }

    /// C8's bounds in size.
    pub(super) fn is_full(&self, limits: &Limits) -> bool {
        self.held.len() >= limits.seam_frames || self.held_bytes >= limits.seam_bytes
    }

    /// A frame has passed: if there is a hole, it shrank.
    pub(super) fn on_passed(&mut self, now: Timestamp) {
        if !self.held.is_empty() {
            self.moved_at = now;
        }
    }

    /// Part of a frame has come: the replay is not over, and the answer to a probe is behind that frame.
    pub(super) fn on_frame_arriving(&mut self, now: Timestamp) {
        self.moved_at = now;
        self.probes = self.probes.min(1);
    }

    /// The clocks stood still for `span`, up to `now` (C5).
    pub(super) fn stood_still(&mut self, span: Millis, now: Timestamp) {
        self.moved_at = self.moved_at.plus(span).min(now);
    }

    pub(super) fn probe(&mut self) {
        self.probes = 1;
    }

    /// Probes a second time, if it has not yet. Whether it does.
    pub(super) fn probe_again(&mut self) -> bool {
        core::mem::replace(&mut self.probes, 2) < 2
    }

    /// Whether it only waits for the answer to its probe.
    pub(super) fn is_probed(&self) -> bool {
        self.probes > 0 && !self.ending
    }

    /// Whether `Timer::Seam` runs.
    pub(super) fn expects_timer(&self) -> bool {
        self.probes == 0 && !self.ending
    }

    /// It is over.
    pub(super) fn end(&mut self) {
        self.ending = true;
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending
    }

    /// I13; what is over has nothing left, and is none any more.
    pub(super) fn is_consistent(&self, frames: usize, bytes: usize) -> bool {
        let held: usize = self.held.values().map(ServerFrame::size).sum();
        !self.ending
            && self.held.len() < frames
            && self.held_bytes < bytes
            && self.held_bytes == held
    }

    pub(super) fn canonicalize(&mut self, canon: &Canon<'_>, quiet: Millis) {
        canon.read_since(&mut self.moved_at, quiet);
    }
}

//! The order of the stream: every frame with an id takes its place in the sequence, once (C8–C11, I6, I7).
//!
//! After each `resume` frames may arrive live, replayed, twice and out of order. That stretch is the *seam*:
//!
//! ```text
//!  closed ──resume sent──▶ open ──resume_complete, or its bounds─▶ ending ──nothing held──▶ closed
//!    as they come        next contiguous one passes,             what is held passes in order,
//!                        ahead of a hole is held                 each hole is a gap
//! ```
//!
//! [`Sequence::admit`] says what is to become of a frame, [`Sequence::hold`] keeps it, and [`Sequence::next_held`]
//! gives back those whose turn has come.

use agent_gateway_protocol::{EventId, ServerFrame};
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::config::Limits;
use crate::context::Context;
use crate::cursor::{Cursor, Digest};
use crate::mutation::Mutation;
use crate::notification::Notification;
use crate::rule::Rule;
use crate::session::holes::Holes;
use crate::session::overlap::Overlap;
use crate::session::ring::{Mark, Ring, mark};
use crate::session::seam::Seam;
use crate::time::{Millis, Timestamp};
use crate::timers::Timer;

/// Where the stream stands, and what waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Sequence {
    cursor: Cursor,
    ring: Ring,
    given_up: Holes,
    seam: Option<Seam>,
    /// Whether a gap has been told behind the cursor, and nothing has passed since: what is missing there is told.
    gap_told: bool,
    /// Whether this gateway has ever sent `resume_complete`: then it is waited for longer (C8). It may have lost the
    /// operation since, or another one may be behind this socket, so not for ever.
    answers_resume: bool,
}

/// What is to become of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is its turn.
    Passed,
    /// It is ahead of a hole: hand it to [`Sequence::hold`], with its place.
    Ahead(u64),
    /// It was passed before, or comes too late.
    Dropped,
}

impl Sequence {
    pub(crate) fn new(cursor: Cursor) -> Self {
        Self {
            cursor,
            ring: Ring::default(),
            given_up: Holes::default(),
            seam: None,
            gap_told: false,
            answers_resume: false,
        }
    }

    /// The last frame passed in order (C10).
    pub(crate) fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Whether there is a seam, in one word.
    pub(crate) fn word(&self) -> &'static str {
        self.seam.as_ref().map_or("closed", Seam::word)
    }

    /// `resume` goes out: from here on frames may come in any order (C4, C8). Says what it names: the cursor.
    ///
    /// Where the gateway may have forgotten the operation it is an earlier frame: the one behind it comes once more, as the
    /// one that is known, or as one that shows the new count (C10). Some gateways send the frame named too, so that must be
    /// known as well.
    pub(crate) fn open_seam(
        &mut self,
        context: &mut Context<'_>,
        may_be_forgotten: bool,
    ) -> Option<EventId> {
        let asks = may_be_forgotten && !context.is_broken(Mutation::OverlapNotAsked);
        let last = self.cursor.number().filter(|_| asks);
        let overlap = last.and_then(|last| self.ring.overlap(last, &self.given_up));
        self.ring.ask_again(overlap.map(|overlap| overlap.digest));
        if !context.is_broken(Mutation::SeamRemoved) {
            let replaying = !self.cursor.is_start();
            let awaited = overlap.map(|overlap| overlap.number);
            self.seam = Some(Seam::open(replaying, awaited, context.now()));
            context.arm(Timer::Seam, self.quiet(context.limits()));
        }
        overlap.map_or_else(|| self.cursor.id.clone(), Overlap::named)
    }

    /// The socket is gone: what was held comes again with the next replay.
    pub(crate) fn abandon_seam(&mut self, context: &mut Context<'_>) {
        self.seam = None;
        context.disarm(Timer::Seam);
    }

    /// Takes note of a frame, and says what is to become of it. By reference: on the hot path every copy counts.
    #[inline]
    pub(crate) fn admit(&mut self, context: &mut Context<'_>, frame: &ServerFrame) -> Admission {
        let id = match frame.id() {
            // Counters start at 1: a 0 has no place in the sequence, like no id at all.
            None | Some(EventId::Number(0)) => return Admission::Passed,
            Some(id) => id,
        };
        let mark = mark(id, frame);
        let (EventId::Number(number), Some(mut last)) = (id, self.cursor.number()) else {
            return self.admit_unnumbered(context, id, mark);
        };
        if *number <= last {
            if self.has_passed(id, mark.digest) {
                context.cite(Rule::C9);
                context.kit.receipt.duplicates += 1;
                self.on_known(*number);
                return Admission::Dropped;
            }
            if self.given_up.contains(*number) {
                context.cite(Rule::C8);
                context.kit.receipt.late += 1;
                return Admission::Dropped;
            }
            last = self.restart(context, *number);
        }
        let awaits_overlap = self.seam.as_ref().is_some_and(Seam::awaits_overlap);
        if number - 1 != last || awaits_overlap {
            let Some(seam) = &mut self.seam else {
                // A live jump: nothing in between is on its way, so it is a gap at once, and no late fill follows
                // that would have to be told from a restarted counter (C11, I6).
                self.tell_hole(context, *number);
                self.pass(context, id.clone(), mark);
                return Admission::Passed;
            };
            context.cite(Rule::C8);
            if seam.holds(*number) {
                context.kit.receipt.duplicates += 1;
                return Admission::Dropped;
            }
            if context.is_broken(Mutation::CursorMovedEarly) {
                self.cursor.id = Some(EventId::Number(*number));
            }
            return Admission::Ahead(*number);
        }
        self.pass(context, id.clone(), mark);
        Admission::Passed
    }

    /// Keeps a frame that is ahead of a hole until the hole is filled, or given up (C8).
    pub(crate) fn hold(&mut self, context: &mut Context<'_>, number: u64, frame: ServerFrame) {
        if let Some(seam) = &mut self.seam {
            seam.hold(number, frame, context.now());
        }
        self.end_overfull_seam(context);
    }

    /// The next held frame whose turn has come. While the seam is ending every held one's has, and the holes between
    /// them are told as gaps (C8, C11). Once it has nothing left an ending seam is closed.
    pub(crate) fn next_held(&mut self, context: &mut Context<'_>) -> Option<ServerFrame> {
        let seam = self.seam.as_mut()?;
        let last = self.cursor.number().unwrap_or_default();
        while let Some(number) = seam.first_held().filter(|number| *number <= last) {
            // The server has mixed numbers with other ids, and its counter has gone past this one meanwhile.
            seam.release(number);
            context.kit.receipt.late += 1;
        }
        let Some(number) = seam.first_held() else {
            if seam.is_ending() {
                self.seam = None;
            }
            return None;
        };
        if seam.awaits_overlap() {
            return None;
        }
        if number - 1 > last {
            if !seam.is_ending() {
                return None;
            }
            self.give_up(context, last, number);
        }
        let frame = self.seam.as_mut()?.release(number)?;
        context.cite(Rule::C8);
        let id = EventId::Number(number);
        let mark = mark(&id, &frame);
        self.pass(context, id, mark);
        Some(frame)
    }

    /// `resume_complete`, or one of the bounds: the seam is over. Whether there was one to end.
    ///
    /// If the frame that was asked for once more has not come, nobody knows by which count what comes is: the gateway has
    /// lost it, and perhaps more (C10, C11).
    pub(crate) fn end_seam(&mut self, context: &mut Context<'_>) -> bool {
        context.disarm(Timer::Seam);
        let Some(seam) = self.seam.as_mut().filter(|seam| !seam.is_ending()) else {
            return false;
        };
        context.cite(Rule::C8);
        seam.end();
        let last = self.cursor.number().unwrap_or_default();
        let first = self.seam.as_ref().and_then(Seam::first_held);
        // A hole right behind the cursor is told by itself, with its bounds.
        if self.has_lost_overlap() && first.is_none_or(|first| first - 1 <= last) {
            context.cite(Rule::C10);
            self.tell_gap(context, None);
        }
        true
    }

    /// `resume_complete{gap: true}`: frames were lost before the first one kept. The hole they left is told by itself
    /// if anything came behind it in this seam; otherwise this says that there is one (C11).
    pub(crate) fn on_gap_flag(&mut self, context: &mut Context<'_>) {
        if !self.has_hole() {
            self.tell_gap(context, None);
        }
    }

    /// The run is over, and its end was not in the stream: whatever came before it may be missing too (C11, S14).
    pub(crate) fn tell_missing_end(&mut self, context: &mut Context<'_>) {
        self.tell_gap(context, None);
    }

    /// The gateway has sent `resume_complete`: from now on it is waited for.
    pub(crate) fn on_resume_answered(&mut self) {
        self.answers_resume = true;
    }

    /// C8's bound in time, for a gateway that does not answer `resume`: nothing is held, or no frame has found its place
    /// for a while. Whether that is so: then the gateway is probed. It handles our frames in order, so what comes back tells that
    /// the whole replay has been sent; and if nothing comes back the socket is dead, and nothing is given up.
    pub(crate) fn on_seam_due(&mut self, context: &mut Context<'_>) -> bool {
        let quiet = self.quiet(context.limits());
        let Some(seam) = &mut self.seam else {
            return false;
        };
        let still_moving = seam.moved_at().plus(quiet);
        if context.now() < still_moving {
            context.arm_at(Timer::Seam, still_moving);
            return false;
        }
        context.cite(Rule::C8);
        seam.probe();
        true
    }

    /// Whether the seam only waits for the answer to its probe.
    pub(crate) fn is_probed(&self) -> bool {
        self.seam.as_ref().is_some_and(Seam::is_probed)
    }

    /// Something came after the probe, but not its answer: whether to probe once more. The socket may have died just
    /// behind what came, and then a second probe shows it and nothing is given up; a gateway that lives and does not
    /// answer this one either never will.
    pub(crate) fn probe_again(&mut self) -> bool {
        self.seam.as_mut().is_some_and(Seam::probe_again)
    }

    /// Part of a frame has come: the replay is not over, and the answer to a probe is behind that frame (C8).
    pub(crate) fn on_frame_arriving(&mut self, now: Timestamp) {
        if let Some(seam) = &mut self.seam {
            seam.on_frame_arriving(now);
        }
    }

    /// The clocks stood still for `span`, up to `now`: so did the holes (C5, C8).
    pub(crate) fn stood_still(&mut self, span: Millis, now: Timestamp) {
        if let Some(seam) = &mut self.seam {
            seam.stood_still(span, now);
        }
    }

    /// Whether the seam is over with a hole in it, or before it.
    pub(crate) fn gives_up(&self) -> bool {
        let is_ending = self.seam.as_ref().is_some_and(Seam::is_ending);
        is_ending && (self.has_hole() || self.has_lost_overlap())
    }

    /// Whether the frame that was asked for once more has not come.
    fn has_lost_overlap(&self) -> bool {
        self.seam
            .as_ref()
            .is_some_and(|seam| seam.overlap().is_some())
    }

    /// Whether something is missing before, or between, what the seam holds.
    fn has_hole(&self) -> bool {
        let last = self.cursor.number().unwrap_or_default();
        let seam = self.seam.as_ref();
        seam.is_some_and(|seam| seam.has_hole_behind(last))
    }

    /// Whether frames may still come in any order.
    pub(crate) fn is_in_seam(&self) -> bool {
        self.seam.is_some()
    }

    /// Whether what passes now is a replay (S11).
    pub(crate) fn is_replaying(&self) -> bool {
        self.seam.as_ref().is_some_and(Seam::is_replaying)
    }

    /// Whether `Timer::Seam` runs.
    pub(crate) fn expects_timer(&self) -> bool {
        self.seam.as_ref().is_some_and(Seam::expects_timer)
    }

    /// I13, and what no single field can say; for `check()`.
    pub(crate) fn is_consistent(&self, frames: usize, bytes: usize, ring: usize) -> bool {
        let seam = self.seam.as_ref();
        seam.is_none_or(|seam| seam.is_consistent(frames, bytes))
            && self.ring.is_consistent(ring)
            && self.given_up.is_bounded()
    }

    pub(crate) fn canonicalize(&mut self, canon: &Canon<'_>) {
        let quiet = self.quiet(canon.limits);
        if let Some(seam) = &mut self.seam {
            seam.canonicalize(canon, quiet);
        }
    }

    /// How long a hole may stay as it is, and how long a seam without one is left alone, before the gateway is probed (C8).
    fn quiet(&self, limits: &Limits) -> Millis {
        if self.answers_resume {
            limits.resume_answer
        } else {
            limits.seam_quiet
        }
    }

    /// Ids that are not numbers have no order but that of their coming (C9).
    fn admit_unnumbered(
        &mut self,
        context: &mut Context<'_>,
        id: &EventId,
        mark: Mark,
    ) -> Admission {
        context.cite(Rule::C9);
        if self.has_passed(id, mark.digest) {
            context.kit.receipt.duplicates += 1;
            return Admission::Dropped;
        }
        if matches!(self.cursor.id, Some(EventId::Number(_))) && matches!(id, EventId::Text(_)) {
            // A stray among numbers: handed on, but the counter stays what is resumed from (C10).
            self.ring.push_stray(mark.digest, context.limits().ring);
        } else {
            self.pass(context, id.clone(), mark);
        }
        Admission::Passed
    }

    fn pass(&mut self, context: &mut Context<'_>, id: EventId, mark: Mark) {
        let before = id.number().map(|number| number.saturating_sub(1));
        let behind = before == self.cursor.number();
        self.cursor.id = Some(id);
        self.cursor.digest = Some(mark.digest);
        self.gap_told = false;
        self.ring.push(mark, behind, context.limits().ring);
        if let Some(seam) = &mut self.seam {
            seam.on_passed(context.now());
        }
    }

    /// The cursor's own frame counts too: it may have been given at the start, with no ring behind it, and even
    /// without a digest (D4).
    fn has_passed(&self, id: &EventId, digest: Digest) -> bool {
        let is_cursor = self.cursor.id.as_ref() == Some(id);
        (is_cursor && self.cursor.digest.is_none_or(|known| known == digest))
            || self.ring.contains(digest)
    }

    /// The gateway counts from the beginning again, as the frame `number` shows: a gap of which nobody knows the bounds
    /// (C9, C11). What the seam holds has a place in the old count: it cannot be given one in the new.
    ///
    /// Returns the number after which the new count is followed: 0, or `number - 1` if this frame came in place of the one
    /// asked for again, since what is before that was not asked for. Some gateways send the one before it too, and that may
    /// come after frames that overtake it.
    fn restart(&mut self, context: &mut Context<'_>, number: u64) -> u64 {
        context.cite(Rule::C9);
        self.tell_gap(context, None);
        let overlap = self.seam.as_ref().and_then(Seam::overlap);
        let skipped = if overlap == Some(number) {
            number - 1
        } else {
            0
        };
        self.cursor = Cursor {
            epoch: self.cursor.epoch.saturating_add(1),
            id: (skipped > 0).then_some(EventId::Number(skipped)),
            digest: None,
        };
        self.ring.clear();
        self.given_up.clear();
        if skipped > 0 {
            self.given_up.push(skipped, skipped);
        }
        if let Some(seam) = &mut self.seam {
            seam.on_count_known();
            context.kit.receipt.late += seam.let_go();
        }
        skipped
    }

    /// A frame that is known has come again. If it is the one that was asked for once more, the count goes on: what waited
    /// for it has its turn.
    fn on_known(&mut self, number: u64) {
        if let Some(seam) = &mut self.seam
            && seam.overlap() == Some(number)
        {
            seam.on_count_known();
        }
    }

    /// The hole between the frames `after` and `before` will not be filled (C8, C11).
    fn give_up(&mut self, context: &mut Context<'_>, after: u64, before: u64) {
        self.tell_hole(context, before);
        self.given_up.push(after + 1, before - 1);
    }

    /// What is missing ends with the frame `before`.
    fn tell_hole(&mut self, context: &mut Context<'_>, before: u64) {
        self.tell_gap(
            context,
            Some(Cursor {
                epoch: self.cursor.epoch,
                id: Some(EventId::Number(before)),
                digest: None,
            }),
        );
    }

    fn tell_gap(&mut self, context: &mut Context<'_>, before: Option<Cursor>) {
        if core::mem::replace(&mut self.gap_told, true) {
            return;
        }
        context.cite(Rule::C11);
        context.kit.receipt.gaps += 1;
        context.notify(Notification::GapFound {
            after: self.cursor.clone(),
            before,
        });
    }

    fn end_overfull_seam(&mut self, context: &mut Context<'_>) {
        let limits = context.limits();
        let overfull = self.seam.as_ref().is_some_and(|seam| seam.is_full(limits));
        if overfull {
            self.end_seam(context);
        }
    }
}

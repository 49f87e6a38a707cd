//! What must hold of every single state. Debug builds look after every transition; the property tests and the
//! exhaustive check do too.

use alloc::string::{String, ToString};
use core::fmt;

use crate::outbox::Outbox;
use crate::run::Phase;
use crate::run::live::Live;
use crate::state::State;
use crate::timers::{Timer, TimerSet};

impl State {
    /// Whether the invariants of one state hold (I3, I4, I13, and that each timer belongs to what owns it).
    ///
    /// # Errors
    /// The first one that does not, for a person.
    pub fn check(&self) -> Result<(), String> {
        match &self.0.phase {
            Phase::Idle | Phase::Ended(_) => self.check_timers(TimerSet::default()),
            Phase::Starting(starting) => self.check_timers(starting.expects()),
            Phase::Attaching(attaching) => {
                let expected = self.live_expects(&attaching.live);
                let reads_marker = attaching.expects_marker();
                self.check_timers(expected.with(Timer::MarkerDeadline, reads_marker))?;
                self.check_live(&attaching.live)
            }
            Phase::Streaming(live) => {
                self.check_timers(self.live_expects(live))?;
                self.check_live(live)
            }
            Phase::Settling(settling) => self.check_timers(settling.expects()),
        }
    }

    /// Whether a machine can have made this state: its config is one that is accepted (C1), it holds by itself, only answers
    /// wait to be sent again (T3), and no count is near its end, where an id would be minted twice.
    pub(crate) fn check_stored(&self) -> Result<(), String> {
        /// More than this is counted in no run.
        const MOST: u64 = 1 << 53;
        let kit = &self.0.kit;
        kit.config.validate().map_err(|error| error.to_string())?;
        let outbox = match &self.0.phase {
            Phase::Attaching(attaching) => Some(&attaching.live.outbox),
            Phase::Streaming(live) => Some(&live.outbox),
            Phase::Idle | Phase::Starting(_) | Phase::Settling(_) | Phase::Ended(_) => None,
        };
        if !outbox.is_none_or(Outbox::holds_only_answers) {
            return fault(format_args!("what waits to be sent again is no answer"));
        }
        let asked = outbox.map_or(0, Outbox::asked_count);
        if asked.max(kit.fences.largest()).max(kit.receipt.largest()) > MOST {
            return fault(format_args!("a count is past what a run can come to"));
        }
        self.check()
    }

    fn check_timers(&self, expected: TimerSet) -> Result<(), String> {
        let set = self.0.kit.timers.set();
        if set == expected {
            return Ok(());
        }
        if let Some(timer) = set.first_beyond(expected) {
            return fault(format_args!("{timer:?} runs while {}", self.phase()));
        }
        if let Some(timer) = expected.first_beyond(set) {
            return fault(format_args!(
                "{timer:?} does not run while {}",
                self.phase()
            ));
        }
        Ok(())
    }

    #[inline]
    fn check_live(&self, live: &Live) -> Result<(), String> {
        let limits = &self.0.kit.config.limits;
        let dials = live.connection.current().is_some() && live.connection.connected().is_none();
        if dials && live.session.credential.is_refreshing() {
            return fault(format_args!("I4: a dial while a fresh token is awaited"));
        }
        let sequence = &live.session.sequence;
        if !sequence.is_consistent(limits.seam_frames, limits.seam_bytes, limits.ring) {
            return fault(format_args!(
                "I13: the seam or the ring has passed its bound"
            ));
        }
        if sequence.is_in_seam() && live.connection.connected().is_none() {
            return fault(format_args!("a seam is open without a connection"));
        }
        if live.concluding && live.session.credential.is_refreshing() {
            return fault(format_args!(
                "S8: a fresh token is awaited although an end was noted"
            ));
        }
        if !live.outbox.is_bounded(limits) {
            return fault(format_args!("I13: the outbox has passed its bound"));
        }
        Ok(())
    }

    #[inline]
    fn live_expects(&self, live: &Live) -> TimerSet {
        let session = &live.session;
        let stop = live.stop.as_ref();
        let interrupts = stop.is_some_and(|stop| stop.request.is_some());
        // The bound on silence makes room for that of a probe (C5).
        let probes = self.0.kit.timers.deadline(Timer::Probe).is_some();
        live.connection
            .expects(probes)
            .with(Timer::Seam, session.sequence.expects_timer())
            .with(Timer::Inquiry, true)
            .with(Timer::StatusDeadline, session.inquiry.request().is_some())
            .with(
                Timer::RefreshDeadline,
                session.credential.request().is_some(),
            )
            .with(Timer::RefreshRetry, session.credential.expects_retry())
            .with(Timer::InterruptDeadline, interrupts)
            .with(Timer::StopTimeout, stop.is_some())
            .with(Timer::Tool, live.outbox.expects_timer())
    }
}

/// What does not hold: nearly never anything, so it stands out of the way of what is looked at after every transition.
#[cold]
fn fault(what: fmt::Arguments<'_>) -> Result<(), String> {
    Err(what.to_string())
}

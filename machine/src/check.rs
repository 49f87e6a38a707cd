//! What must hold of every single state. Debug builds look after every transition; the property tests and the
//! exhaustive check do too.

use alloc::format;
use alloc::string::String;

use crate::run::Phase;
use crate::run::live::Live;
use crate::state::State;
use crate::timers::Timer;

impl State {
    /// Whether the invariants of one state hold (I3, I4, I13, and that each timer belongs to what owns it).
    ///
    /// # Errors
    /// The first one that does not, for a person.
    pub fn check(&self) -> Result<(), String> {
        match &self.0.phase {
            Phase::Idle | Phase::Ended(_) => self.check_timers(|_| false),
            Phase::Starting(starting) => self.check_timers(|timer| starting.expects(timer)),
            Phase::Attaching(attaching) => {
                self.check_timers(|timer| {
                    if timer == Timer::MarkerDeadline {
                        attaching.expects_marker()
                    } else {
                        live_expects(&attaching.live, timer)
                    }
                })?;
                self.check_live(&attaching.live)
            }
            Phase::Streaming(live) => {
                self.check_timers(|timer| live_expects(live, timer))?;
                self.check_live(live)
            }
            Phase::Settling(settling) => self.check_timers(|timer| settling.expects(timer)),
        }
    }

    fn check_timers(&self, expects: impl Fn(Timer) -> bool) -> Result<(), String> {
        for timer in Timer::ALL {
            let set = self.0.kit.timers.is_set(timer);
            let expected = expects(timer);
            if set && !expected {
                return Err(format!("{timer:?} runs while {}", self.phase()));
            }
            if !set && expected && is_owed(timer) {
                return Err(format!("{timer:?} does not run while {}", self.phase()));
            }
        }
        Ok(())
    }

    fn check_live(&self, live: &Live) -> Result<(), String> {
        let limits = &self.0.kit.config.limits;
        let dials = live.connection.current().is_some() && live.connection.connected().is_none();
        if dials && live.session.credential.is_refreshing() {
            return Err("I4: a dial while a fresh token is awaited".into());
        }
        let sequence = &live.session.sequence;
        if !sequence.is_consistent(limits.seam_frames, limits.seam_bytes, limits.ring) {
            return Err("I13: the seam or the ring has passed its bound".into());
        }
        if sequence.is_in_seam() && live.connection.connected().is_none() {
            return Err("a seam is open without a connection".into());
        }
        if live.concluding && live.session.credential.is_refreshing() {
            return Err("S8: a fresh token is awaited although an end was noted".into());
        }
        if !live.outbox.is_bounded(limits) {
            return Err("I13: the outbox has passed its bound".into());
        }
        Ok(())
    }
}

#[inline]
fn live_expects(live: &Live, timer: Timer) -> bool {
    let session = &live.session;
    match timer {
        Timer::Seam => session.sequence.expects_timer(),
        Timer::Inquiry => true,
        Timer::StatusDeadline => session.inquiry.request().is_some(),
        Timer::RefreshDeadline => session.credential.request().is_some(),
        Timer::RefreshRetry => session.credential.expects_retry(),
        Timer::InterruptDeadline => live
            .stop
            .as_ref()
            .is_some_and(|stop| stop.request.is_some()),
        Timer::StopTimeout => live.stop.is_some(),
        Timer::Tool => live.outbox.expects_timer(),
        Timer::Dial
        | Timer::Authentication
        | Timer::Heartbeat
        | Timer::Silence
        | Timer::Probe
        | Timer::Backoff
        | Timer::NotBefore => live.connection.expects(timer),
        Timer::StartDeadline
        | Timer::MessagesDeadline
        | Timer::MarkerDeadline
        | Timer::StopGrace
        | Timer::Settle => false,
    }
}

/// Heartbeat and silence make room for the probe after a sleep, so any of the three may be absent.
fn is_owed(timer: Timer) -> bool {
    !matches!(timer, Timer::Heartbeat | Timer::Silence | Timer::Probe)
}

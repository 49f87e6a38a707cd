//! One small table of deadlines inside, one alarm outside.
//!
//! There is nothing to cancel and nothing to miss: the hands keep the one alarm they were last told of, and when it
//! rings, early, late or for no reason, the table says what was due.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::time::{Millis, Timestamp};

/// Everything the machine waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// A dial is given up (C2). While dialling.
    Dial,
    /// An unanswered `auth` is given up (C2). While authenticating.
    Authentication,
    /// The next heartbeat goes out (C5). While authenticated.
    Heartbeat,
    /// A peer that has been silent too long is dropped (C5). While authenticated, unless a probe is out.
    Silence,
    /// A peer that does not answer a probe is dropped (C5): after a sleep, or for the end of a seam (C8). While one is out.
    Probe,
    /// The seam ends without the gateway saying so (C8). While a seam is open.
    Seam,
    /// The next attempt to connect starts (C6). While backing off.
    Backoff,
    /// A token refused because of `nbf` is tried once more (S7). While waiting for that.
    NotBefore,
    /// The server is asked how the run stands (S14). While attaching or streaming.
    Inquiry,
    /// The next try for a fresh token starts (S8). Between two tries.
    RefreshRetry,
    /// `execAgent` is given up: start unknown (R1). While it is outstanding.
    StartDeadline,
    /// A refresh is given up (S8). While it is outstanding.
    RefreshDeadline,
    /// An interrupt is given up (R5). While it is outstanding.
    InterruptDeadline,
    /// A status question is given up (S14). While it is outstanding.
    StatusDeadline,
    /// The fetch of a new topic's messages is given up (R4). While it is outstanding.
    MessagesDeadline,
    /// The read of the topic's marker is given up (R7). While it is outstanding.
    MarkerDeadline,
    /// `execAgent` has had its time to tell its id after a stop (R2). While a stop waits for it.
    StopGrace,
    /// A stop is not confirmed in time (R5). While stopping.
    StopTimeout,
    /// The earliest tool deadline or result expiry (T1, T3). While a tool call is open, or an answer waits to be seen.
    Tool,
    /// Settling is over, done or not (R6). While settling.
    Settle,
}

impl Timer {
    /// Every timer, in the order in which those due at the same moment fire.
    pub const ALL: [Self; 20] = [
        Self::Dial,
        Self::Authentication,
        Self::Heartbeat,
        Self::Silence,
        Self::Probe,
        Self::Seam,
        Self::Backoff,
        Self::NotBefore,
        Self::Inquiry,
        Self::RefreshRetry,
        Self::StartDeadline,
        Self::RefreshDeadline,
        Self::InterruptDeadline,
        Self::StatusDeadline,
        Self::MessagesDeadline,
        Self::MarkerDeadline,
        Self::StopGrace,
        Self::StopTimeout,
        Self::Tool,
        Self::Settle,
    ];

    /// Whether its clock stands still while the caller has paused reading (C5). S14's does too: a stream that is not
    /// read is silent for no fault of the server's. Beats go out all the same: without them the gateway would close
    /// the socket.
    #[must_use]
    pub fn stands_still_while_paused(self) -> bool {
        matches!(
            self,
            Self::Dial
                | Self::Authentication
                | Self::Silence
                | Self::Probe
                | Self::Seam
                | Self::Inquiry
        )
    }
}

/// Some of the timers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct TimerSet(u32);

impl TimerSet {
    /// Those of the list.
    pub(crate) const fn of(timers: &[Timer]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < timers.len() {
            bits |= 1 << timers[at] as u32;
            at += 1;
        }
        Self(bits)
    }

    /// With this one more, if it belongs to them.
    pub(crate) fn with(self, timer: Timer, belongs: bool) -> Self {
        Self(self.0 | u32::from(belongs) << timer as u32)
    }

    /// Without this one.
    fn without(self, timer: Timer) -> Self {
        Self(self.0 & !(1 << timer as u32))
    }

    fn has(self, timer: Timer) -> bool {
        self.0 & 1 << timer as u32 != 0
    }

    /// The first that is not one of the others.
    pub(crate) fn first_beyond(self, others: Self) -> Option<Timer> {
        let beyond = (self.0 & !others.0).trailing_zeros();
        Timer::ALL.get(beyond as usize).copied()
    }

    fn iter(self) -> impl Iterator<Item = Timer> {
        let mut rest = self;
        core::iter::from_fn(move || {
            let first = rest.first_beyond(Self::default())?;
            rest = rest.without(first);
            Some(first)
        })
    }
}

/// The deadlines, and whether any has changed since the alarm was last told.
///
/// Mostly only a quarter of the clocks run: so which ones do is looked at first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "StoredTimers", into = "StoredTimers")]
pub(crate) struct Timers {
    running: TimerSet,
    /// Zero where the clock does not run, so that equal tables look equal.
    deadlines: [Timestamp; Timer::ALL.len()],
    /// Since when the pausable clocks stand still.
    paused: Option<Timestamp>,
    changed: bool,
}

/// The same as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredTimers {
    deadlines: [Option<Timestamp>; Timer::ALL.len()],
    paused: Option<Timestamp>,
    changed: bool,
}

impl From<StoredTimers> for Timers {
    fn from(stored: StoredTimers) -> Self {
        let mut timers = Self {
            paused: stored.paused,
            ..Self::default()
        };
        for (timer, deadline) in Timer::ALL.into_iter().zip(stored.deadlines) {
            timers.write(timer, deadline);
        }
        timers.changed = stored.changed;
        timers
    }
}

impl From<Timers> for StoredTimers {
    fn from(timers: Timers) -> Self {
        Self {
            deadlines: Timer::ALL.map(|timer| timers.deadline(timer)),
            paused: timers.paused,
            changed: timers.changed,
        }
    }
}

impl Timers {
    /// Due `span` after `now`. A clock that stands still counts from the moment it stopped, so that it has the whole
    /// span left when it runs again.
    pub(crate) fn arm(&mut self, timer: Timer, now: Timestamp, span: Millis) {
        let from = match self.paused {
            Some(since) if timer.stands_still_while_paused() => since,
            _ => now,
        };
        self.arm_at(timer, from.plus(span));
    }

    /// Due at `deadline`.
    pub(crate) fn arm_at(&mut self, timer: Timer, deadline: Timestamp) {
        self.write(timer, Some(deadline));
    }

    pub(crate) fn clear(&mut self, timer: Timer) {
        self.write(timer, None);
    }

    pub(crate) fn clear_all(&mut self) {
        for timer in self.running.iter() {
            self.clear(timer);
        }
    }

    /// Those that run.
    pub(crate) fn set(&self) -> TimerSet {
        self.running
    }

    #[inline]
    pub(crate) fn deadline(&self, timer: Timer) -> Option<Timestamp> {
        self.running
            .has(timer)
            .then_some(self.deadlines[timer as usize])
    }

    /// What is due at `now`, earliest first.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<(Timestamp, Timer)> {
        let mut due: Vec<_> = self.running().filter(|(at, _)| *at <= now).collect();
        due.sort_unstable();
        due
    }

    /// The earliest deadline of a clock that runs.
    pub(crate) fn earliest(&self) -> Option<(Timestamp, Timer)> {
        self.running().min()
    }

    /// Whether a deadline has changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> bool {
        core::mem::take(&mut self.changed)
    }

    /// Every deadline keeps its distance.
    pub(crate) fn canonicalize(&mut self, canon: &Canon<'_>) {
        for timer in self.running.iter() {
            canon.moment(&mut self.deadlines[timer as usize]);
        }
        if let Some(paused) = &mut self.paused {
            canon.moment(paused);
        }
    }

    pub(crate) fn paused(&self) -> Option<Timestamp> {
        self.paused
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    pub(crate) fn pause(&mut self, now: Timestamp) {
        self.paused = Some(now);
        self.changed = true;
    }

    /// Lets the paused clocks run again: each has as much left as it had. Says how long they stood still.
    pub(crate) fn resume(&mut self, now: Timestamp) -> Millis {
        let Some(since) = self.paused.take() else {
            return Millis::ZERO;
        };
        let stood = now.since(since);
        for timer in self.running.iter() {
            if timer.stands_still_while_paused() {
                let deadline = &mut self.deadlines[timer as usize];
                *deadline = deadline.plus(stood);
            }
        }
        self.changed = true;
        stood
    }

    fn running(&self) -> impl Iterator<Item = (Timestamp, Timer)> + '_ {
        self.running
            .iter()
            .filter(|timer| self.paused.is_none() || !timer.stands_still_while_paused())
            .map(|timer| (self.deadlines[timer as usize], timer))
    }

    fn write(&mut self, timer: Timer, deadline: Option<Timestamp>) {
        if self.deadline(timer) != deadline {
            self.running = self.running.without(timer).with(timer, deadline.is_some());
            self.deadlines[timer as usize] = deadline.unwrap_or(Timestamp::ZERO);
            self.changed = true;
        }
    }
}

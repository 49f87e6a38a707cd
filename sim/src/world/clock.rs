use agent_gateway_machine::{Millis, Timestamp};

use crate::script::ClockAct;

/// The client's clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    /// How far it is ahead of the world's, and behind it, ms.
    ahead: Millis,
    behind: Millis,
    asleep_until: Timestamp,
}

impl Clock {
    pub(super) fn act(&mut self, act: ClockAct, now: Timestamp) {
        match act {
            ClockAct::Sleep(span) => self.asleep_until = now.plus(Millis(span)),
            ClockAct::JumpForward(span) => self.ahead = self.ahead.plus(Millis(span)),
            ClockAct::JumpBack(span) => self.behind = self.behind.plus(Millis(span)),
        }
    }

    /// What it reads.
    pub(super) fn reading(&self, now: Timestamp) -> Timestamp {
        let ahead = now.plus(self.ahead);
        Timestamp::from_millis(ahead.as_millis().saturating_sub(self.behind.as_millis()))
    }

    /// When it reads that.
    pub(super) fn to_world(&self, reading: Timestamp) -> Timestamp {
        let later = reading.plus(self.behind);
        Timestamp::from_millis(later.as_millis().saturating_sub(self.ahead.as_millis()))
    }

    /// That moment, or when the host wakes, if it sleeps then.
    pub(super) fn awake(&self, at: Timestamp) -> Timestamp {
        at.max(self.asleep_until)
    }
}

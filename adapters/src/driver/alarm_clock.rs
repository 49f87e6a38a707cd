//! The one alarm of a run: when it rings, and what wakes the task then.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use agent_gateway_machine::{Millis, Timestamp};
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::clock::Clock;

/// Beyond what a timer can hold means never, and so does a ring in a year: it is set again then.
const FAR: Millis = Millis(365 * 24 * 3_600 * 1_000);

/// Whether it is time is told by the run's own clock, which is read anyway: the timer only has to wake the task, and is
/// touched only when it is set.
pub(super) struct AlarmClock {
    rings: Option<Timestamp>,
    /// The timer knows when to wake the task, or there is nothing to wake it for.
    wound: bool,
    timer: Pin<Box<Sleep>>,
}

impl AlarmClock {
    pub(super) fn new() -> Self {
        Self {
            rings: None,
            wound: true,
            timer: Box::pin(sleep_until(Instant::now())),
        }
    }

    /// Rings at this moment and no other.
    pub(super) fn set(&mut self, at: Option<Timestamp>, clock: &Clock) {
        self.rings = at.map(|at| at.min(clock.latest().plus(FAR)));
        self.wound = self.rings.is_none();
        if let Some(at) = self.rings {
            let deadline = Instant::now() + clock.until(at);
            self.timer.as_mut().reset(deadline);
        }
    }

    /// Ready once, when it is time.
    pub(super) fn poll(&mut self, now: Timestamp, context: &mut Context<'_>) -> Poll<()> {
        match self.rings {
            Some(at) if at <= now => {}
            _ if self.wound => return Poll::Pending,
            _ => {
                // Whatever else the task has done in its turn: a timer that only puts us off would not wake us.
                if pin!(unconstrained(self.timer.as_mut()))
                    .poll(context)
                    .is_pending()
                {
                    self.wound = true;
                    return Poll::Pending;
                }
            }
        }
        self.rings = None;
        self.wound = true;
        Poll::Ready(())
    }
}

//! The hands' clock: ms since it was made, never backwards, and it does not stand still while a laptop sleeps.

use std::time::{Duration, SystemTime};

use agent_gateway_machine::{Millis, Timestamp};
use tokio::time::Instant;

/// The wall clock must be this far ahead of the monotonic one before it is believed: closer than that it is noise (the
/// two are not read at the same instant, and the wall clock is being slewed), which would add up over many readings.
const SLEPT: Duration = Duration::from_secs(1);

/// One run's clock.
///
/// [`Instant`] may stand still while the host sleeps, so each reading adds the larger of the monotonic and the wall
/// clock's step. A wall clock set back adds nothing; one set forward looks like a sleep, which is harmless: all that is
/// due rings once (C14).
#[derive(Debug)]
pub(crate) struct Clock {
    monotonic: Instant,
    wall: SystemTime,
    elapsed: Duration,
}

#[allow(clippy::disallowed_methods, reason = "this is the hands' clock")]
impl Clock {
    /// A clock that reads zero now.
    pub(crate) fn new() -> Self {
        Self::at(Instant::now(), wall())
    }

    /// The present moment.
    pub(crate) fn now(&mut self) -> Timestamp {
        self.read(Instant::now(), wall())
    }

    /// How long to wait from the latest reading until `moment`; a whole number of ms, so that a ring is not early.
    pub(crate) fn until(&self, moment: Timestamp) -> Duration {
        let Millis(millis) = moment.since(self.timestamp());
        Duration::from_millis(millis)
    }

    fn at(monotonic: Instant, wall: SystemTime) -> Self {
        Self {
            monotonic,
            wall,
            elapsed: Duration::ZERO,
        }
    }

    fn read(&mut self, monotonic: Instant, wall: SystemTime) -> Timestamp {
        let awake = monotonic.saturating_duration_since(self.monotonic);
        let passed = wall.duration_since(self.wall).unwrap_or_default();
        self.monotonic = self.monotonic.max(monotonic);
        self.wall = wall;
        let step = if passed > awake + SLEPT {
            passed
        } else {
            awake
        };
        self.elapsed = self.elapsed.saturating_add(step);
        self.timestamp()
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::from_millis(u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the hands' clock")]
fn wall() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn clock() -> (Clock, Instant, SystemTime) {
        let (monotonic, wall) = (Instant::now(), SystemTime::UNIX_EPOCH + 1_000 * SECOND);
        (Clock::at(monotonic, wall), monotonic, wall)
    }

    #[test]
    fn a_waking_host_is_told_the_time_it_slept() {
        let (mut clock, monotonic, wall) = clock();
        let now = clock.read(monotonic + SECOND, wall + 3_600 * SECOND);
        assert_eq!(now, Timestamp::from_millis(3_600_000));
        let now = clock.read(monotonic + 2 * SECOND, wall + 3_601 * SECOND);
        assert_eq!(now, Timestamp::from_millis(3_601_000));
    }

    #[test]
    fn a_wall_clock_set_back_takes_nothing_away() {
        let (mut clock, monotonic, wall) = clock();
        let now = clock.read(monotonic + 5 * SECOND, wall - 500 * SECOND);
        assert_eq!(now, Timestamp::from_millis(5_000));
        let now = clock.read(monotonic + 6 * SECOND, wall - 499 * SECOND);
        assert_eq!(now, Timestamp::from_millis(6_000));
    }

    #[test]
    fn noise_between_the_two_clocks_does_not_add_up() {
        let (mut clock, monotonic, wall) = clock();
        let millis = Duration::from_millis;
        for step in 1..=1_000 {
            let noise = if step % 2 == 0 { millis(5) } else { millis(0) };
            clock.read(
                monotonic + millis(10) * step,
                wall + millis(10) * step + noise,
            );
        }
        assert_eq!(clock.timestamp(), Timestamp::from_millis(10_000));
    }

    #[test]
    fn a_moment_is_never_waited_for_too_shortly() {
        let (mut clock, monotonic, wall) = clock();
        let passed = Duration::from_micros(1_999);
        clock.read(monotonic + passed, wall + passed);
        assert_eq!(
            clock.until(Timestamp::from_millis(3)),
            Duration::from_millis(2)
        );
        assert_eq!(clock.until(Timestamp::from_millis(1)), Duration::ZERO);
    }
}

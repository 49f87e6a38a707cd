//! The hands' clock: ms since it was made, never backwards, and it does not stand still while a laptop sleeps.

use std::time::Duration;

use agent_gateway_machine::{Millis, Timestamp};
use tokio::time::Instant;

/// The sleepless clock must be this far ahead of the monotonic one before it is believed: closer than that it is noise
/// (the two are not read at the same instant), which would add up over many readings.
const SLEPT: Duration = Duration::from_secs(1);

/// One run's clock.
///
/// [`Instant`] may stand still while the host sleeps, so each reading adds the larger of its step and that of a clock that
/// does not. Neither follows the wall clock where the system has a better one: a clock that is set forward must not look
/// like a sleep, in which every deadline passes.
#[derive(Debug)]
pub(crate) struct Clock {
    monotonic: Instant,
    sleepless: Duration,
    elapsed: Duration,
}

#[allow(clippy::disallowed_methods, reason = "this is the hands' clock")]
impl Clock {
    /// A clock that reads zero now.
    pub(crate) fn new() -> Self {
        Self::at(Instant::now(), sleepless())
    }

    /// The present moment.
    pub(crate) fn now(&mut self) -> Timestamp {
        self.read(Instant::now(), sleepless())
    }

    /// How long to wait from the latest reading until `moment`; a whole number of ms, so that a ring is not early.
    pub(crate) fn until(&self, moment: Timestamp) -> Duration {
        let Millis(millis) = moment.since(self.latest());
        Duration::from_millis(millis)
    }

    fn at(monotonic: Instant, sleepless: Duration) -> Self {
        Self {
            monotonic,
            sleepless,
            elapsed: Duration::ZERO,
        }
    }

    fn read(&mut self, monotonic: Instant, sleepless: Duration) -> Timestamp {
        let awake = monotonic.saturating_duration_since(self.monotonic);
        let passed = sleepless.saturating_sub(self.sleepless);
        self.monotonic = self.monotonic.max(monotonic);
        self.sleepless = sleepless;
        let step = if passed > awake + SLEPT {
            passed
        } else {
            awake
        };
        self.elapsed = self.elapsed.saturating_add(step);
        self.latest()
    }

    /// The latest reading.
    pub(crate) fn latest(&self) -> Timestamp {
        Timestamp::from_millis(u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Since some moment, sleep included.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn sleepless() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(not(target_vendor = "apple"))]
    const SLEEPLESS: ClockId = ClockId::Boottime;
    // Apple's goes on in a sleep, other than the one behind `Instant`.
    #[cfg(target_vendor = "apple")]
    const SLEEPLESS: ClockId = ClockId::Monotonic;
    clock_gettime(SLEEPLESS).try_into().unwrap_or_default()
}

/// The wall clock, where there is nothing better.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
#[expect(clippy::disallowed_methods, reason = "this is the hands' clock")]
fn sleepless() -> Duration {
    use std::time::SystemTime;
    let passed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    passed.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn clock() -> (Clock, Instant, Duration) {
        let (monotonic, sleepless) = (Instant::now(), 1_000 * SECOND);
        (Clock::at(monotonic, sleepless), monotonic, sleepless)
    }

    #[test]
    fn a_waking_host_is_told_the_time_it_slept() {
        let (mut clock, monotonic, sleepless) = clock();
        let now = clock.read(monotonic + SECOND, sleepless + 3_600 * SECOND);
        assert_eq!(now, Timestamp::from_millis(3_600_000));
        let now = clock.read(monotonic + 2 * SECOND, sleepless + 3_601 * SECOND);
        assert_eq!(now, Timestamp::from_millis(3_601_000));
    }

    #[test]
    fn a_clock_set_back_takes_nothing_away() {
        let (mut clock, monotonic, sleepless) = clock();
        let now = clock.read(monotonic + 5 * SECOND, sleepless - 500 * SECOND);
        assert_eq!(now, Timestamp::from_millis(5_000));
        let now = clock.read(monotonic + 6 * SECOND, sleepless - 499 * SECOND);
        assert_eq!(now, Timestamp::from_millis(6_000));
    }

    #[test]
    fn noise_between_the_two_clocks_does_not_add_up() {
        let (mut clock, monotonic, sleepless) = clock();
        let millis = Duration::from_millis;
        for step in 1..=1_000 {
            let noise = if step % 2 == 0 { millis(5) } else { millis(0) };
            clock.read(
                monotonic + millis(10) * step,
                sleepless + millis(10) * step + noise,
            );
        }
        assert_eq!(clock.latest(), Timestamp::from_millis(10_000));
    }

    #[test]
    fn the_systems_clock_goes_on() {
        let first = sleepless();
        assert!(first > Duration::ZERO && sleepless() >= first);
    }

    #[test]
    fn a_moment_is_never_waited_for_too_shortly() {
        let (mut clock, monotonic, sleepless) = clock();
        let passed = Duration::from_micros(1_999);
        clock.read(monotonic + passed, sleepless + passed);
        assert_eq!(
            clock.until(Timestamp::from_millis(3)),
            Duration::from_millis(2)
        );
        assert_eq!(clock.until(Timestamp::from_millis(1)), Duration::ZERO);
    }
}

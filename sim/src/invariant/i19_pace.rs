use agent_gateway_machine::{
    Call, Effect, EventKind, Limits, Millis, Network, Renaming, Timestamp,
};

use super::{Invariant, Sort, Sorts, Step, objection};

/// I19: whatever a server says, it is dialled and asked how the run stands at a pace. In any span of `t` there are at most
/// 4 + `t` / `question_interval` questions: three at once (S14), and one after an end that nobody has confirmed (R6). And
/// there are at most 8 + `t` / w + `t` / `progress_after` + `t` / `question_interval` dials:
///
/// - those that wait for a step of the backoff or for `nbf` wait w at least, the shorter of half `backoff_first` and
///   `not_before_retry` (C6, S7);
/// - of those that a fresh token brings, one in `progress_after` does not wait (S9);
/// - where an end was looked into, and the server says that the run goes on, the dial comes at once: with the question's
///   pace, and one more for an answer and one for a token on their way (S3);
/// - one more where the network is back (C15).
///
/// What the hands say is no doing of a server: with the news that the network is back, and with a stored state that is
/// woken, the pace begins anew.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Pace {
    dials: Meter,
    questions: Meter,
}

/// Until when what has been done would last, done evenly.
#[derive(Clone, Debug, Default, Hash)]
struct Meter(Timestamp);

impl Invariant for Pace {
    const ID: &'static str = "I19";
    const MOVED_BY: Sorts =
        Sorts::of(&[Sort::Socket, Sort::Request, Sort::Network, Sort::Restored]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        let limits = &step.state.config().limits;
        match step.event.kind {
            EventKind::Restored { .. } => *self = Self::default(),
            EventKind::NetworkChanged(Network::Online) => self.dials = Meter::default(),
            _ => {}
        }
        if !step.sorts.meet(Sorts::of(&[Sort::Socket, Sort::Request])) {
            return Ok(());
        }
        for effect in step.effects {
            let (meter, what, at_once, interval) = match effect {
                Effect::OpenConnection { .. } => {
                    (&mut self.dials, "dialled", 8, between_dials(limits))
                }
                Effect::SendRequest {
                    call: Call::AskStatus { .. },
                    ..
                } => (&mut self.questions, "asked", 4, limits.question_interval),
                _ => continue,
            };
            if !meter.has_room(step.now, at_once, interval) {
                return objection(format_args!(
                    "{what} more often than {at_once} times at once and then every {interval}"
                ));
            }
        }
        Ok(())
    }

    fn rename(&mut self, names: &mut Renaming, _: &Limits) {
        for Meter(until) in [&mut self.dials, &mut self.questions] {
            *until = names.moment_within(*until, Millis::ZERO);
        }
    }
}

impl Meter {
    /// One more: whether there is room for it.
    fn has_room(&mut self, now: Timestamp, at_once: u64, interval: Millis) -> bool {
        self.0 = self.0.max(now).plus(interval);
        self.0.since(now) <= interval.times(at_once)
    }
}

/// What lies between two dials in the mean, in the long run.
fn between_dials(limits: &Limits) -> Millis {
    let waits = limits.not_before_retry.0.min(limits.backoff_first.0 / 2);
    let bounds = [limits.progress_after.0, limits.question_interval.0];
    Millis(bounds.into_iter().fold(waits, both))
}

/// What lies between two things in the mean, of which one comes every `one` and the other every `other`; rounded down, so
/// that no bound is too strict.
fn both(one: u64, other: u64) -> u64 {
    let product = one.saturating_mul(other);
    product.checked_div(one.saturating_add(other)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i19_so_many_at_once_and_then_one_an_interval() {
        let interval = between_dials(&Limits::default());
        assert_eq!(interval, Millis(322), "of 500, 10,000 and 1,000");
        let mut meter = Meter::default();
        let mut dial = |at| meter.has_room(Timestamp::from_millis(at), 8, interval);
        assert!((0..8).all(|_| dial(1_000)));
        assert!(dial(1_322) && !dial(1_643), "too soon by one");
        assert!(
            (0..7).all(|_| dial(10_000)),
            "what is not used is not saved up"
        );
    }

    #[test]
    fn i19_what_may_come_at_any_time_has_no_bound() {
        let mut limits = Limits::default();
        limits.progress_after = Millis::ZERO;
        let interval = between_dials(&limits);
        let mut meter = Meter::default();
        assert!((0..100).all(|_| meter.has_room(Timestamp::ZERO, 8, interval)));
    }
}

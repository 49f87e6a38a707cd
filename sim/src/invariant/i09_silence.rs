use agent_gateway_machine::{
    ConnectionStatus, Effect, EventKind, Limits, Millis, Notification, Renaming, Timestamp,
};

use super::{Invariant, Sort, Sorts, Step, objection};

/// I9: silence beyond C5's bound means a redial; an answering peer is never dropped.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Silence {
    /// When the current socket was last heard of, while it is authenticated.
    heard: Option<Timestamp>,
    paused_since: Option<Timestamp>,
}

impl Invariant for Silence {
    const ID: &'static str = "I9";
    const MOVED_BY: Sorts = Sorts::of(&[
        Sort::Command,
        Sort::Restored,
        Sort::Ring,
        Sort::StatusTold,
        Sort::Ended,
    ]);

    /// A frame only where none has been heard at this moment.
    #[inline(always)]
    fn is_moved_by(&self, step: &Step<'_>) -> bool {
        step.sorts.meet(Self::MOVED_BY) || (step.has(Sort::Frame) && self.heard != Some(step.now))
    }

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        let limits = &step.state.config().limits;
        if step.has(Sort::Restored) {
            *self = Self::default();
        }
        let was_heard = self.heard;
        self.note(step);
        if self.paused_since.is_some() || !step.has(Sort::Ring) {
            return Ok(());
        }
        if let Some(heard) = was_heard {
            let silent = step.now.since(heard);
            if drops_silently(step) && silent < limits.probe_deadline {
                return objection(format_args!("dropped {silent} after the last frame"));
            }
            let longest = longest(limits);
            let probed = step.effects.iter().any(|effect| {
                matches!(effect, Effect::SendFrame { .. })
                    || matches!(effect, Effect::SetAlarm(Some(alarm))
                        if matches!(alarm.timer, agent_gateway_machine::Timer::Probe))
            });
            let kept = step.state.status() == ConnectionStatus::Connected;
            let probing = step
                .state
                .alarm()
                .is_some_and(|alarm| alarm.at.since(step.now) <= limits.probe_deadline);
            if kept && silent > longest && !probed && !probing {
                return objection(format_args!("kept a connection silent for {silent}"));
            }
        }
        Ok(())
    }

    fn rename(&mut self, names: &mut Renaming, limits: &Limits) {
        self.paused_since = self.paused_since.map(|at| names.moment(at));
        let matters = longest(limits).plus(Millis(1));
        self.heard = match self.paused_since {
            Some(_) => self.heard.map(|at| names.moment(at)),
            None => self.heard.map(|at| names.moment_within(at, matters)),
        };
    }
}

impl Silence {
    fn note(&mut self, step: &Step<'_>) {
        if step.state.status() != ConnectionStatus::Connected {
            self.heard = None;
        } else if self.heard.is_none() || is_heard(step) {
            self.heard = Some(step.now);
        }
        match step.event.kind {
            EventKind::ReadingPaused if !step.has(Sort::Ignored) => {
                self.paused_since = Some(step.now)
            }
            EventKind::ReadingResumed => {
                if let (Some(since), Some(heard)) = (self.paused_since.take(), &mut self.heard) {
                    *heard = heard.plus(step.now.since(since)).min(step.now);
                }
            }
            _ => {}
        }
    }
}

/// The longest silence that is put up with (C5).
fn longest(limits: &Limits) -> Millis {
    let beats = limits
        .heartbeat_interval
        .times(u64::from(limits.silent_beats));
    beats.plus(limits.silence_margin)
}

fn is_heard(step: &Step<'_>) -> bool {
    let is_stale = step.has(Sort::Ignored)
        && step.effects.iter().any(|effect| {
            matches!(
                effect,
                Effect::Ignored(agent_gateway_machine::Ignored::StaleDial(_))
            )
        });
    step.has(Sort::Frame) && !is_stale
}

fn drops_silently(step: &Step<'_>) -> bool {
    step.effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Notify(Notification::ReconnectScheduled { .. })
        )
    })
}

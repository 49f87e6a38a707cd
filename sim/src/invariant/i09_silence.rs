use agent_gateway_machine::{ConnectionStatus, Effect, EventKind, Millis, Notification, Timestamp};

use super::{Invariant, Observation};

/// I9: silence beyond C5's bound means a redial; an answering peer is never dropped.
#[derive(Clone, Debug, Default)]
pub(super) struct Silence {
    now: Timestamp,
    /// When the current socket was last heard of, while it is authenticated.
    heard: Option<Timestamp>,
    paused_since: Option<Timestamp>,
}

impl Invariant for Silence {
    const ID: &'static str = "I9";

    fn observe(&mut self, step: &Observation<'_>) -> Result<(), String> {
        let limits = &step.state.config().limits;
        if step.is_restored() {
            *self = Self {
                now: step.event.at,
                ..Self::default()
            };
        }
        self.now = self.now.max(step.event.at);
        let was_heard = self.heard;
        self.note(step);
        if self.paused_since.is_some() || !matches!(step.event.kind, EventKind::AlarmRang) {
            return Ok(());
        }
        if let Some(heard) = was_heard {
            let silent = self.now.since(heard);
            if drops_silently(step) && silent < limits.probe_deadline {
                return Err(format!("dropped {silent} after the last frame"));
            }
            let longest = Millis(
                limits.heartbeat_interval.0 * u64::from(limits.silent_beats)
                    + limits.silence_margin.0,
            );
            let probed = step.effects.iter().any(|effect| {
                matches!(effect, Effect::SendFrame { .. })
                    || matches!(effect, Effect::SetAlarm(Some(alarm))
                        if matches!(alarm.timer, agent_gateway_machine::Timer::Probe))
            });
            let kept = step.state.status() == ConnectionStatus::Connected;
            let probing = step
                .state
                .alarm()
                .is_some_and(|alarm| alarm.at.since(self.now) <= limits.probe_deadline);
            if kept && silent > longest && !probed && !probing {
                return Err(format!("kept a connection silent for {silent}"));
            }
        }
        Ok(())
    }
}

impl Silence {
    fn note(&mut self, step: &Observation<'_>) {
        if step.state.status() != ConnectionStatus::Connected {
            self.heard = None;
        } else if self.heard.is_none() || is_heard(step) {
            self.heard = Some(self.now);
        }
        match step.event.kind {
            EventKind::ReadingPaused if !step.is_ignored() => self.paused_since = Some(self.now),
            EventKind::ReadingResumed => {
                if let (Some(since), Some(heard)) = (self.paused_since.take(), &mut self.heard) {
                    *heard = heard.plus(self.now.since(since));
                }
            }
            _ => {}
        }
    }
}

fn is_heard(step: &Observation<'_>) -> bool {
    let is_frame = matches!(
        step.event.kind,
        EventKind::FrameReceived { .. } | EventKind::FrameRejected { .. }
    );
    is_frame
        && !step.effects.iter().any(|effect| {
            matches!(
                effect,
                Effect::Ignored(agent_gateway_machine::Ignored::StaleDial(_))
            )
        })
}

fn drops_silently(step: &Observation<'_>) -> bool {
    step.effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Notify(Notification::ReconnectScheduled { .. })
        )
    })
}

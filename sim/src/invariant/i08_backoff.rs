use agent_gateway_machine::{
    ConnectionStatus, Effect, EventKind, Limits, Millis, Network, Notification, Renaming, Timestamp,
};

use super::{Invariant, Sort, Sorts, Step, objection};

/// I8: every backoff delay is in [d/2, d] of its step; only progress starts the steps over.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Backoff {
    step: u32,
    connected_at: Option<Timestamp>,
    offline: bool,
}

impl Invariant for Backoff {
    const ID: &'static str = "I8";
    const MOVED_BY: Sorts = Sorts::of(&[Sort::StatusTold, Sort::Network, Sort::Restored]);

    /// Progress only where there is a step to start over from.
    #[inline(always)]
    fn is_moved_by(&self, step: &Step<'_>) -> bool {
        step.sorts.meet(Self::MOVED_BY) || (self.step > 0 && step.has(Sort::HandedOn))
    }

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        let limits = &step.state.config().limits;
        if step.has(Sort::Restored) {
            // A new clock, and no socket; what was progress before stays progress.
            self.leave(step.before, limits.progress_after);
            self.offline = false;
        }
        if let EventKind::NetworkChanged(network) = step.event.kind {
            self.offline = network == Network::Offline;
        }
        if !step.has(Sort::StatusTold) {
            if step.has(Sort::HandedOn) {
                self.step = 0;
            }
            return Ok(());
        }
        for effect in step.effects {
            match effect {
                Effect::Notify(Notification::EventReceived(_)) => self.step = 0,
                Effect::Notify(Notification::StatusChanged(status)) => {
                    self.leave(step.now, limits.progress_after);
                    if *status == ConnectionStatus::Connected {
                        self.connected_at = Some(step.now);
                    }
                }
                Effect::Notify(Notification::ReconnectScheduled { retry_in, .. }) => {
                    let delay = if self.offline {
                        limits.backoff_cap
                    } else {
                        let doubled = limits.backoff_first.times(1 << self.step.min(32));
                        self.step += 1;
                        doubled.min(limits.backoff_cap)
                    };
                    let least = Millis(delay.0 / 2);
                    if *retry_in < least || *retry_in > delay {
                        return objection(format_args!("waits {retry_in}, not {least} to {delay}"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn rename(&mut self, names: &mut Renaming, limits: &Limits) {
        let capped =
            |step: u32| limits.backoff_first.times(1 << step.min(32)) >= limits.backoff_cap;
        while self.step > 0 && capped(self.step - 1) {
            self.step -= 1;
        }
        let since = self.connected_at;
        self.connected_at = since.map(|at| names.moment_within(at, limits.progress_after));
    }
}

impl Backoff {
    /// The socket is gone; one that was authenticated long enough was progress.
    fn leave(&mut self, now: Timestamp, progress_after: Millis) {
        if let Some(since) = self.connected_at.take()
            && now.since(since) >= progress_after
        {
            self.step = 0;
        }
    }
}

use agent_gateway_machine::{Effect, Effects, Notification};

use super::{Invariant, Sort, Step, objection};

/// I1: at most one end per run, and no event after it.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct EndsOnce {
    ended: bool,
}

impl Invariant for EndsOnce {
    const ID: &'static str = "I1";

    /// The end, and whatever comes after it.
    #[inline(always)]
    fn is_moved_by(&self, step: &Step<'_>) -> bool {
        self.ended || step.has(Sort::Ended) || step.state.outcome().is_some()
    }

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        if self.ended || step.has(Sort::Ended) {
            self.look(step.effects)?;
        }
        if self.ended != step.state.outcome().is_some() {
            return objection(format_args!(
                "the state and the notifications disagree about the end"
            ));
        }
        Ok(())
    }
}

impl EndsOnce {
    fn look(&mut self, effects: &Effects) -> Result<(), String> {
        for effect in effects {
            match effect {
                Effect::Notify(Notification::RunEnded { .. }) if self.ended => {
                    return objection(format_args!("the run ended twice"));
                }
                Effect::Notify(Notification::RunEnded { .. }) => self.ended = true,
                Effect::Notify(Notification::EventReceived(_)) if self.ended => {
                    return objection(format_args!("an event was handed on after the end"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

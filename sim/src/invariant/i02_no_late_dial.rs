use agent_gateway_machine::{Effect, EventKind, Notification};

use super::{Invariant, Sort, Sorts, Step, objection};

/// I2: no dial after the end, after detach, or after a stop before streaming.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct NoLateDial {
    dialled: bool,
    closed: Option<&'static str>,
}

impl Invariant for NoLateDial {
    const ID: &'static str = "I2";
    const MOVED_BY: Sorts = Sorts::of(&[Sort::Command, Sort::Ended, Sort::Socket]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        match step.event.kind {
            EventKind::Detach | EventKind::Supersede { .. } if !step.has(Sort::Ignored) => {
                self.closed = Some("a detach")
            }
            EventKind::Stop if !self.dialled && !step.has(Sort::Ignored) => {
                self.closed = Some("a stop before streaming");
            }
            _ => {}
        }
        for effect in step.effects {
            match effect {
                Effect::Notify(Notification::RunEnded { .. }) => self.closed = Some("the end"),
                Effect::OpenConnection { dial, .. } => {
                    self.dialled = true;
                    if let Some(what) = self.closed {
                        return objection(format_args!("{dial} was opened after {what}"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

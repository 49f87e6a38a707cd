use agent_gateway_machine::{Effect, EventKind, Notification};

use super::{Invariant, Observation};

/// I2: no dial after the end, after detach, or after a stop before streaming.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct NoLateDial {
    dialled: bool,
    closed: Option<&'static str>,
}

impl Invariant for NoLateDial {
    const ID: &'static str = "I2";

    fn observe(&mut self, step: &Observation<'_>) -> Result<(), String> {
        match step.event.kind {
            EventKind::Detach if !step.is_ignored() => self.closed = Some("a detach"),
            EventKind::Stop if !self.dialled && !step.is_ignored() => {
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
                        return Err(format!("{dial} was opened after {what}"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

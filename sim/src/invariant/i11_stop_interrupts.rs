use agent_gateway_machine::{Call, Effect, EventKind, Notification, Reply};

use super::{Invariant, Observation};

/// I11: a learnt operation id and a stop mean an interrupt, at once.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct StopInterrupts {
    known: bool,
    ended: bool,
    /// A stop was asked for while only `execAgent` knows the id.
    awaits_id: bool,
}

impl Invariant for StopInterrupts {
    const ID: &'static str = "I11";

    fn observe(&mut self, step: &Observation<'_>) -> Result<(), String> {
        let is_start = matches!(
            &step.event.kind,
            EventKind::ReplyReceived {
                reply: Reply::Started(_),
                ..
            }
        );
        let is_stop = !self.ended && matches!(step.event.kind, EventKind::Stop);
        let learns = is_start && !step.is_ignored();
        let stops = is_stop && !step.is_ignored();
        let owed = (stops && self.known) || (self.awaits_id && learns);
        if owed && !interrupts(step) {
            return Err("a stop of a known operation did not interrupt it".into());
        }
        if stops && !self.known {
            self.awaits_id = true;
        }
        if step.is_restored() || learns {
            self.awaits_id = false;
        }
        self.known = step.state.operation().is_some();
        self.ended |= step
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Notify(Notification::RunEnded { .. })));
        Ok(())
    }
}

fn interrupts(step: &Observation<'_>) -> bool {
    step.effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::SendRequest {
                call: Call::InterruptRun { .. },
                ..
            }
        )
    })
}

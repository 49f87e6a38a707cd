use agent_gateway_machine::{Call, Effect, EventKind, Reply};

use super::{Invariant, Sort, Sorts, Step, objection};

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
    const MOVED_BY: Sorts = Sorts::of(&[Sort::Command, Sort::Reply, Sort::Restored, Sort::Ended]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        let is_start = matches!(
            &step.event.kind,
            EventKind::ReplyReceived {
                reply: Reply::Started(_),
                ..
            }
        );
        let is_stop = !self.ended && matches!(step.event.kind, EventKind::Stop);
        let learns = is_start && !step.has(Sort::Ignored);
        let stops = is_stop && !step.has(Sort::Ignored);
        let owed = (stops && self.known) || (self.awaits_id && learns);
        if owed && !interrupts(step) {
            return objection(format_args!(
                "a stop of a known operation did not interrupt it"
            ));
        }
        if stops && !self.known {
            self.awaits_id = true;
        }
        if step.has(Sort::Restored) || learns {
            self.awaits_id = false;
        }
        self.known = step.state.operation().is_some();
        self.ended |= step.has(Sort::Ended);
        Ok(())
    }
}

fn interrupts(step: &Step<'_>) -> bool {
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

use agent_gateway_machine::Effect;
use agent_gateway_protocol::ClientFrame;

use super::{Invariant, Sort, Sorts, Step, objection};

/// I7: the cursor in each `resume` is the last one passed.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct ResumeFromCursor;

impl Invariant for ResumeFromCursor {
    const ID: &'static str = "I7";
    const MOVED_BY: Sorts = Sorts::of(&[Sort::Sent]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        for effect in step.effects {
            if let Effect::SendFrame {
                frame: ClientFrame::Resume(resume),
                ..
            } = effect
            {
                let passed = step.state.cursor().and_then(|cursor| cursor.id.clone());
                if resume.last_event_id != passed {
                    return objection(format_args!(
                        "resumed from {:?}, but {passed:?} was passed last",
                        resume.last_event_id
                    ));
                }
            }
        }
        Ok(())
    }
}

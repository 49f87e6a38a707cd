use agent_gateway_machine::{Effect, EventKind};
use agent_gateway_protocol::{ClientFrame, EventId, EventType, ServerFrame};

use super::{Invariant, Sort, Sorts, Step, objection};

/// I7: the cursor in each `resume` is the last one passed; or one shortly before it, once a gateway has told an end (C10).
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct ResumeFromCursor {
    /// An end was told, and the run goes on; or it may have been told before the state was stored.
    end_told: bool,
}

/// Before a frame that says when it was, with as many behind it that do not as the machine looks back over.
const FARTHEST: u64 = 4;

impl Invariant for ResumeFromCursor {
    const ID: &'static str = "I7";
    const MOVED_BY: Sorts = Sorts::of(&[Sort::Sent, Sort::Standing, Sort::Restored]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        self.end_told |= may_tell_an_end(&step.event.kind);
        for effect in step.effects {
            if let Effect::SendFrame {
                frame: ClientFrame::Resume(resume),
                ..
            } = effect
            {
                let passed = step.state.cursor().and_then(|cursor| cursor.id.as_ref());
                self.look_at(resume.last_event_id.as_ref(), passed)?;
            }
        }
        Ok(())
    }
}

impl ResumeFromCursor {
    fn look_at(&self, resumed: Option<&EventId>, passed: Option<&EventId>) -> Result<(), String> {
        if resumed == passed || (self.end_told && is_shortly_before(resumed, passed)) {
            return Ok(());
        }
        objection(format_args!(
            "resumed from {resumed:?}, but {passed:?} was passed last"
        ))
    }
}

fn is_shortly_before(resumed: Option<&EventId>, passed: Option<&EventId>) -> bool {
    let number = |id: Option<&EventId>| id.map_or(Some(0), EventId::number);
    match (number(resumed), number(passed)) {
        (Some(resumed), Some(passed)) => resumed < passed && passed - resumed <= FARTHEST,
        _ => false,
    }
}

fn may_tell_an_end(event: &EventKind) -> bool {
    match event {
        EventKind::Restored { .. } => true,
        EventKind::FrameReceived { frame, .. } => tells_an_end(frame) || is_error(frame),
        _ => false,
    }
}

/// Whether a gateway may have taken this for the run's end (C10).
pub(crate) fn tells_an_end(frame: &ServerFrame) -> bool {
    match frame {
        ServerFrame::SessionComplete(_) => true,
        ServerFrame::StatusChange(change) => change.status.is_terminal(),
        ServerFrame::ResumeComplete(complete) => complete
            .status
            .as_ref()
            .is_some_and(|status| status.is_terminal()),
        ServerFrame::AgentEvent(frame) => frame.event.kind == EventType::AgentRuntimeEnd,
        _ => false,
    }
}

/// It may be the run's own end, and may be none.
fn is_error(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::AgentEvent(frame) if frame.event.kind == EventType::Error)
}

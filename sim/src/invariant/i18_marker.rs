use agent_gateway_machine::{Call, Effect, EventKind, RefusalKind, Reply, RequestFailure};
use agent_gateway_protocol::{EventType, OperationStatus, ServerFrame};

use super::{Invariant, Sort, Sorts, Step};

/// I18: the shared marker is never cleared while the server's run may be alive: something of the server's has said
/// that it is over, or that it knows no such run.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Marker {
    over: bool,
}

impl Invariant for Marker {
    const ID: &'static str = "I18";
    const MOVED_BY: Sorts = Sorts::of(&[Sort::Standing, Sort::Request]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        self.over |= says_over(&step.event.kind);
        for effect in step.effects {
            if let Effect::SendRequest {
                call: Call::SettleMarker { .. } | Call::ClearMarker { .. },
                ..
            } = effect
                && !self.over
            {
                return Err("the marker was cleared, and nobody said that the run is over".into());
            }
        }
        Ok(())
    }
}

fn says_over(event: &EventKind) -> bool {
    match event {
        EventKind::FrameReceived { frame, .. } => match frame {
            ServerFrame::AgentEvent(frame) => matches!(
                frame.event.kind,
                EventType::AgentRuntimeEnd | EventType::Error
            ),
            ServerFrame::SessionComplete(_) => true,
            ServerFrame::StatusChange(frame) => frame.status.is_terminal(),
            ServerFrame::ResumeComplete(frame) => frame
                .status
                .as_ref()
                .is_some_and(OperationStatus::is_terminal),
            _ => false,
        },
        EventKind::ReplyReceived { reply, .. } => match reply {
            Reply::Status(report) => report
                .as_ref()
                .is_none_or(|report| report.status.is_terminal()),
            Reply::Failed(RequestFailure::Refused(refusal)) => {
                refusal.kind == RefusalKind::NotFound
            }
            _ => false,
        },
        _ => false,
    }
}

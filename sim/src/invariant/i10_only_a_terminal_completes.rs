use agent_gateway_machine::{Effect, EventKind, Notification, Outcome, Reply};
use agent_gateway_protocol::{EventType, OperationStatus, ServerFrame};

use super::{Invariant, Sort, Sorts, Step, objection};

/// I10: only a terminal completes: whatever the server is said to have done with the run, it said so itself.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct OnlyATerminalCompletes {
    /// Whether anything of the server's has ever spoken of an end of a run.
    spoken: bool,
}

impl Invariant for OnlyATerminalCompletes {
    const ID: &'static str = "I10";
    const MOVED_BY: Sorts = Sorts::of(&[Sort::Standing, Sort::Ended]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        self.spoken |= speaks_of_an_end(&step.event.kind);
        for effect in step.effects {
            if let Effect::Notify(Notification::RunEnded { outcome, .. }) = effect
                && is_the_servers(outcome)
                && !self.spoken
            {
                return objection(format_args!(
                    "ended as {} without a terminal",
                    outcome.name()
                ));
            }
        }
        Ok(())
    }
}

fn is_the_servers(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Completed | Outcome::Failed(_) | Outcome::Interrupted | Outcome::Parked
    )
}

fn speaks_of_an_end(event: &EventKind) -> bool {
    match event {
        EventKind::FrameReceived { frame, .. } => match frame {
            ServerFrame::AgentEvent(frame) => matches!(
                frame.event.kind,
                EventType::AgentRuntimeEnd | EventType::Error
            ),
            ServerFrame::StatusChange(frame) => frame.status.is_terminal(),
            ServerFrame::ResumeComplete(frame) => frame
                .status
                .as_ref()
                .is_some_and(OperationStatus::is_terminal),
            _ => false,
        },
        EventKind::ReplyReceived {
            reply: Reply::Status(Some(report)),
            ..
        } => report.status.is_terminal() || report.status == OperationStatus::WaitingForHuman,
        _ => false,
    }
}

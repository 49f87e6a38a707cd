//! Notifications that are out of the ordinary, in a sentence: the same for people and for programs.

use agent_gateway_machine::Millis;
use agent_gateway_machine::{AnswerRefusal, FrameProblem, Notification, StopFailure, Warning};

/// The notification in a sentence, if it is one of those that a person should be told of and that have no form of their
/// own. `approves`: what confirmations are answered with, if we do that.
pub(super) fn sentence(notification: &Notification, approves: Option<bool>) -> Option<String> {
    match notification {
        Notification::ReconnectScheduled { cause, retry_in } => Some(format!(
            "connection lost ({cause}); trying again in {}",
            span(*retry_in)
        )),
        Notification::RefreshDelayed { cause, retry_in } => Some(format!(
            "a fresh token could not be had ({cause}); trying again in {}",
            span(*retry_in)
        )),
        Notification::ToolTimedOut { call } => Some(format!(
            "tool call {call} was not done in time and has been answered with a timeout"
        )),
        Notification::AnswerWithdrawn { answer } => {
            Some(format!("the answer to {answer} is not wanted any more"))
        }
        Notification::AnswerUndeliverable { answer } => Some(format!(
            "the answer to {answer} could not be brought to the server"
        )),
        Notification::AnswerRefused { answer, why } => Some(format!(
            "the answer to {answer} was not taken: {}",
            match why {
                AnswerRefusal::NeverAsked => "nobody asked",
                AnswerRefusal::AlreadyAnswered => "it was answered before",
                AnswerRefusal::TooLarge => "it is too large",
            }
        )),
        Notification::ConfirmationRequested(request) => Some(format!(
            "tool call {} asks whether it may run; {}",
            request.tool_call_id,
            match approves {
                Some(true) => "it may (--approve)",
                Some(false) => "it may not (--deny)",
                None => {
                    "agw answers with --approve or --deny, and asks you on a terminal, but not with --json; this one is left to other clients, and the run waits for them"
                }
            }
        )),
        Notification::InputRequested(request) => Some(format!(
            "the run asks for input ({}); agw asks you on a terminal, but not with --json; this one is left to other clients, and the run waits for them",
            request.prompt
        )),
        Notification::StopFailed { cause } => Some(match cause {
            StopFailure::NotRunning => {
                "the stop found nothing: the server says the run is not going".into()
            }
            StopFailure::Request(failure) => format!("the stop failed: {failure}"),
            StopFailure::TimedOut => "the stop got no answer".into(),
        }),
        Notification::WarningRaised(warning) => Some(match warning {
            Warning::FrameRejected(FrameProblem::Malformed) => {
                "a frame that is not JSON was left out".into()
            }
            Warning::FrameRejected(FrameProblem::Binary) => "a binary frame was left out".into(),
            Warning::UnknownFrame { kind } => {
                format!("a frame of the unknown type `{kind}` was left out")
            }
            Warning::LedgerFull { answer } => {
                format!("too many calls and prompts are open: {answer} was left out")
            }
        }),
        Notification::StatusChanged(_)
        | Notification::RunStarted(_)
        | Notification::ParentRetired { .. }
        | Notification::TopicCreated { .. }
        | Notification::TopicStatusChanged { .. }
        | Notification::EventReceived(_)
        | Notification::GapFound { .. }
        | Notification::TokenRefreshed
        | Notification::ToolRequested { .. }
        | Notification::ToolSettled { .. }
        | Notification::StopAccepted
        | Notification::RunEnded { .. } => None,
    }
}

/// A span as a person says it: ms below a second, else seconds and tenths, else minutes.
pub(crate) fn span(span: Millis) -> String {
    let millis = span.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_own_unit() {
        for (millis, told) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_250, "1.2 s"),
            (59_999, "59.9 s"),
            (61_000, "1 min 1 s"),
        ] {
            assert_eq!(span(Millis(millis)), told);
        }
    }
}

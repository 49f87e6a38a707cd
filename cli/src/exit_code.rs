//! What the program leaves with. The numbers are part of its interface; `agw --help` lists them.

use agent_gateway_machine::{Outcome, Refusal, RefusalKind, RequestFailure, StartFailure};

/// Why the program leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitCode {
    /// The run completed; or there was nothing to go wrong.
    Completed = 0,
    /// The run failed, was not started, or the gateway broke the protocol; or something expected did not hold.
    Failed = 1,
    /// The command line, or something it names, cannot be used.
    Usage = 2,
    /// The server or the gateway does not accept us (any more).
    NotAccepted = 3,
    /// The server cannot be reached (any more), or nobody knows whether the run was started.
    Unreachable = 4,
    /// The run waits for a person.
    Parked = 5,
    /// The run is over, and nobody can say how.
    EndedUnknown = 6,
    /// Another run has the topic, or there was nothing to attach to.
    Superseded = 7,
    /// Not everything was explored.
    Unfinished = 8,
    /// Stopped, interrupted, or left: by a signal, or by whoever read our output.
    Stopped = 130,
}

impl ExitCode {
    /// The code of a run that ended like this.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Completed => Self::Completed,
            Outcome::StartFailed(StartFailure::Request(failure)) => Self::of_request(failure),
            Outcome::Failed(_) | Outcome::StartFailed(_) | Outcome::ProtocolViolation { .. } => {
                Self::Failed
            }
            Outcome::AuthLost { .. } | Outcome::RefreshFailed { .. } => Self::NotAccepted,
            Outcome::ConnectionLost { .. } | Outcome::StartUnknown { .. } => Self::Unreachable,
            Outcome::Parked => Self::Parked,
            Outcome::EndedUnknown => Self::EndedUnknown,
            Outcome::Superseded { .. } | Outcome::AttachRefused(_) => Self::Superseded,
            // A detached run goes on, but what waits for us must not take it for completed.
            Outcome::Interrupted
            | Outcome::InterruptedUnconfirmed
            | Outcome::Stopped
            | Outcome::StoppedServerUnknown
            | Outcome::Detached => Self::Stopped,
        }
    }

    /// The code of a first request that failed: a run that cannot be started because the server is not there, or does
    /// not accept us, says so.
    pub(crate) fn of_request(failure: &RequestFailure) -> Self {
        match failure {
            RequestFailure::Unreachable { .. } | RequestFailure::Lost { .. } => Self::Unreachable,
            RequestFailure::Refused(Refusal {
                kind: RefusalKind::Unauthorized,
                ..
            })
            | RequestFailure::Unreadable { status: 401, .. } => Self::NotAccepted,
            RequestFailure::Refused(_) | RequestFailure::Unreadable { .. } => Self::Failed,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use agent_gateway_machine::{AttachRefusal, RunError};

    use super::*;

    fn refused(kind: RefusalKind, status: u16) -> RequestFailure {
        RequestFailure::Refused(Refusal {
            kind,
            status,
            retry_after: None,
            message: "no".into(),
            path: None,
        })
    }

    fn start_failed(failure: RequestFailure) -> Outcome {
        Outcome::StartFailed(StartFailure::Request(failure))
    }

    #[test]
    fn r10_every_outcome_has_its_code() {
        let text = || Box::<str>::from("why");
        let unreadable = |status| RequestFailure::Unreadable {
            status,
            retry_after: None,
            text: text(),
        };
        let table = [
            (Outcome::Completed, 0),
            (
                Outcome::Failed(RunError {
                    kind: text(),
                    text: text(),
                }),
                1,
            ),
            (Outcome::StartFailed(StartFailure::Soft(text())), 1),
            (Outcome::StartFailed(StartFailure::Gateway(text())), 1),
            (start_failed(refused(RefusalKind::BadRequest, 400)), 1),
            (start_failed(refused(RefusalKind::Forbidden, 403)), 1),
            (start_failed(unreadable(502)), 1),
            (Outcome::ProtocolViolation { what: text() }, 1),
            (start_failed(refused(RefusalKind::Unauthorized, 401)), 3),
            (start_failed(unreadable(401)), 3),
            (Outcome::AuthLost { reason: text() }, 3),
            (
                Outcome::RefreshFailed {
                    cause: RequestFailure::Lost { text: text() },
                },
                3,
            ),
            (
                start_failed(RequestFailure::Unreachable { text: text() }),
                4,
            ),
            (Outcome::StartUnknown { text: text() }, 4),
            (Outcome::ConnectionLost { cause: text() }, 4),
            (Outcome::Parked, 5),
            (Outcome::EndedUnknown, 6),
            (Outcome::Superseded { by: None }, 7),
            (Outcome::AttachRefused(AttachRefusal::NoToken), 7),
            (Outcome::Interrupted, 130),
            (Outcome::InterruptedUnconfirmed, 130),
            (Outcome::Stopped, 130),
            (Outcome::StoppedServerUnknown, 130),
            (Outcome::Detached, 130),
        ];
        for (outcome, code) in table {
            assert_eq!(ExitCode::of(&outcome) as u8, code, "{outcome:?}");
        }
    }
}

//! What is known of the run's end, and what only looks like it (S1–S5, S9b).
//!
//! An end is first *noted*. Outside a seam it counts at once; inside one it waits for the seam's end, because what
//! follows in the replay may show that the operation was started again (D12). An end that does not say how the run
//! went is *unexplained*: the server is asked (S14).
//!
//! ```text
//!   ┌───────own event: void (S2)───────┐               ┌─it is said how it went──▶ ended
//!   ▼                                  │               │
//! alive ──an end, error, or status──▶ noted ──no seam──┤
//!   │ ▲                                                └─it is not──▶ unexplained: `run/conclusion.rs` asks
//!   │ └──own event──┐
//!   └──a wait───▶ suspended (S9b)
//! ```
//!
//! An end is *whole* if a frame in its place in the stream told it: everything before it has come. It is *binding* if
//! nothing can make it void, because there is no token for the run any more (S8).

use core::mem;

use agent_gateway_protocol::event::{AgentRuntimeEnd, EndReason, ErrorPayload, ErrorPhase};
use agent_gateway_protocol::{EventType, OperationStatus, ServerFrame};
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::config::Limits;
use crate::context::Context;
use crate::outcome::{Outcome, RunError};
use crate::request::StatusReport;
use crate::rule::Rule;
use crate::time::{Millis, Timestamp};

/// How the server says the run went.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum ServerEnd {
    Completed,
    Failed(RunError),
    Interrupted,
    Parked,
}

impl ServerEnd {
    /// What an own `agent_runtime_end` says; `None` for a run that only waits for an asynchronous tool (S9b). Unknown
    /// reasons mean completed, as upstream and gateway both have it.
    fn from_end(end: &AgentRuntimeEnd) -> Option<Self> {
        match &end.reason {
            None
            | Some(
                EndReason::Done | EndReason::Completed | EndReason::Success | EndReason::Unknown(_),
            ) => Some(Self::Completed),
            Some(EndReason::Error) => Some(Self::Failed(RunError {
                kind: end.error_type.clone().unwrap_or_else(default_kind),
                text: end
                    .reason_detail
                    .clone()
                    .unwrap_or_else(|| "the run failed".into()),
            })),
            Some(EndReason::Interrupted | EndReason::Cancelled) => Some(Self::Interrupted),
            Some(EndReason::WaitingForHuman) => Some(Self::Parked),
            Some(EndReason::WaitingForAsyncTool) => None,
        }
    }

    /// What a status says of a run that is over; `None` if it is not.
    pub(crate) fn from_status(report: &StatusReport) -> Option<Self> {
        match report.status {
            OperationStatus::Done | OperationStatus::Completed => Some(Self::Completed),
            OperationStatus::Error => Some(Self::Failed(RunError {
                kind: default_kind(),
                text: report
                    .error
                    .clone()
                    .unwrap_or_else(|| "the server says the run failed".into()),
            })),
            OperationStatus::Interrupted => Some(Self::Interrupted),
            OperationStatus::WaitingForHuman => Some(Self::Parked),
            OperationStatus::Idle
            | OperationStatus::Running
            | OperationStatus::WaitingForAsyncTool
            | OperationStatus::Unknown(_) => None,
        }
    }

    /// Whether the outcome is of this kind too, and at most its error another one.
    pub(crate) fn is_same_sort(&self, outcome: &Outcome) -> bool {
        mem::discriminant(&self.clone().into_outcome()) == mem::discriminant(outcome)
    }

    pub(crate) fn into_outcome(self) -> Outcome {
        match self {
            Self::Completed => Outcome::Completed,
            Self::Failed(error) => Outcome::Failed(error),
            Self::Interrupted => Outcome::Interrupted,
            Self::Parked => Outcome::Parked,
        }
    }
}

/// What has been seen of ends so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Terminal {
    noted: Option<Noted>,
    /// The run waits for an asynchronous tool and goes on in the same operation (S9b).
    suspended: bool,
    /// It has waited for one: what the gateway has stored since is `completed`, whether it goes on or not (S9b).
    was_suspended: bool,
    /// When another operation's end was last seen, with no own event since (S4).
    foreign_at: Option<Timestamp>,
    /// Whether the last end seen was another operation's (S4).
    last_was_foreign: bool,
    /// Whether anything has been seen that a gateway may take for the run's end (C10).
    end_seen: bool,
}

/// An end that has been seen and is not void.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Noted {
    /// How the run went, if that was said.
    end: Option<ServerEnd>,
    /// Whether a frame in its place in the stream told it: then everything before it has come.
    in_stream: bool,
    /// Whether nothing can make it void: there is no token for this run any more.
    binding: bool,
}

/// What a frame meant for the end of the run, beside what [`Terminal::verdict`] says after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Nothing.
    None,
    /// What looked like an end was ignored, or is void now: ask the server (S14).
    Doubtful(Doubt),
}

/// Why an end does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// It is the echo of another operation's end (S4).
    Echo,
    /// The run only waits for an asynchronous tool (S9b).
    Suspended,
    /// The operation was started again after it (S2).
    Restarted,
}

/// What is known of the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing says that the run is over.
    Alive,
    /// It is over, and this is how it went.
    Ended(ServerEnd),
    /// It is over, and nothing said how it went.
    Unexplained,
}

impl Terminal {
    /// Whether an end was seen, in one word.
    pub(crate) fn word(&self) -> &'static str {
        match &self.noted {
            Some(_) => "noted",
            None if self.suspended => "suspended",
            None => "alive",
        }
    }

    /// What is known now.
    pub(crate) fn verdict(&self) -> Verdict {
        match &self.noted {
            None => Verdict::Alive,
            Some(Noted { end: Some(end), .. }) => Verdict::Ended(end.clone()),
            Some(Noted { end: None, .. }) => Verdict::Unexplained,
        }
    }

    /// Whether an end was noted that nothing can make void.
    pub(crate) fn is_binding(&self) -> bool {
        self.noted.as_ref().is_some_and(|noted| noted.binding)
    }

    /// Whether everything before the end noted has come.
    pub(crate) fn is_whole(&self) -> bool {
        self.noted.as_ref().is_some_and(|noted| noted.in_stream)
    }

    /// Whether anything has been seen that a gateway may take for the run's end. If the run goes on it was none (C10).
    pub(crate) fn has_seen_end(&self) -> bool {
        self.end_seen
    }

    /// A frame has come, and waits for its turn, or is too late for one. It may never pass: by then the gateway may have
    /// forgotten the operation (C10).
    pub(crate) fn on_unpassed(&mut self, frame: &ServerFrame) {
        self.end_seen |= match frame {
            ServerFrame::SessionComplete(_) => true,
            ServerFrame::StatusChange(change) => change.status.is_terminal(),
            ServerFrame::AgentEvent(frame) => frame.event.kind == EventType::AgentRuntimeEnd,
            ServerFrame::AuthSuccess
            | ServerFrame::AuthFailed(_)
            | ServerFrame::AuthExpired
            | ServerFrame::HeartbeatAck
            | ServerFrame::ToolConfirmationRequest(_)
            | ServerFrame::InputRequest(_)
            | ServerFrame::ResumeComplete(_)
            | ServerFrame::Unknown(_) => false,
        };
    }

    /// Whether an own event could change anything: there is an end to make void, or a wait to end.
    pub(crate) fn awaits_sign_of_life(&self) -> bool {
        self.noted.is_some() || self.suspended
    }

    /// S2: an own event that shows new life after a noted end makes it void; the operation was started again.
    pub(crate) fn on_own_event(
        &mut self,
        context: &mut Context<'_>,
        is_sign_of_life: bool,
    ) -> Sign {
        self.foreign_at = None;
        if !is_sign_of_life {
            return Sign::None;
        }
        if mem::take(&mut self.suspended) {
            context.cite(Rule::S9b);
        }
        self.void()
    }

    /// S2: an own `agent_runtime_end`. The first one counts.
    pub(crate) fn on_end(&mut self, context: &mut Context<'_>, end: &AgentRuntimeEnd) {
        match ServerEnd::from_end(end) {
            Some(end) => {
                context.cite(if end == ServerEnd::Parked {
                    Rule::S9b
                } else {
                    Rule::S2
                });
                self.note(Some(end), true);
            }
            None => {
                context.cite(Rule::S9b);
                self.suspended = true;
                self.was_suspended = true;
                self.end_seen = true;
            }
        }
    }

    /// S2: an own `error`; the failure of one tool is not the failure of the run.
    pub(crate) fn on_error(&mut self, context: &mut Context<'_>, error: &ErrorPayload) {
        context.cite(Rule::S2);
        match error.phase {
            Some(ErrorPhase::ToolExecution | ErrorPhase::ToolMessagePersist) => {}
            None
            | Some(ErrorPhase::LlmExecution | ErrorPhase::StepExecution | ErrorPhase::Unknown(_)) =>
            {
                let failed = ServerEnd::Failed(RunError {
                    kind: error.kind().into(),
                    text: error.text().into(),
                });
                self.note(Some(failed), true);
            }
        }
    }

    /// S2: a seam is over: what was only noted in it counts now, unless a status makes it void.
    pub(crate) fn on_seam_ended(&self, context: &mut Context<'_>) {
        if let Some(noted) = &self.noted {
            context.cite(if noted.end == Some(ServerEnd::Parked) {
                Rule::S9b
            } else {
                Rule::S2
            });
        }
    }

    /// S4: another operation's end on this channel; old gateways send its echo after it.
    pub(crate) fn on_foreign_end(&mut self, now: Timestamp) {
        self.foreign_at = Some(now);
        self.last_was_foreign = true;
        self.end_seen = true;
    }

    /// S3: `session_complete` says that the stream is over, and nothing of the outcome.
    pub(crate) fn on_session_complete(
        &mut self,
        in_stream: bool,
        now: Timestamp,
        limits: &Limits,
    ) -> Sign {
        if self.suspended {
            return Sign::Doubtful(Doubt::Suspended);
        }
        if self.is_echo(now, limits) {
            return Sign::Doubtful(Doubt::Echo);
        }
        // Where the last end seen is another operation's this may be its late echo, and more may follow.
        self.note(None, in_stream && !self.last_was_foreign);
        Sign::None
    }

    /// S5: a status of the gateway, from a `status_change` in the stream, or from `resume_complete`.
    pub(crate) fn on_status(
        &mut self,
        status: &OperationStatus,
        in_stream: bool,
        now: Timestamp,
        limits: &Limits,
    ) -> Sign {
        if *status == OperationStatus::WaitingForHuman && self.is_parked() {
            // It says what the end said (S9b).
            return Sign::None;
        }
        if !status.is_terminal() {
            return self.void();
        }
        if self.is_echo(now, limits) || (self.last_was_foreign && self.noted.is_none()) {
            return Sign::Doubtful(Doubt::Echo);
        }
        match status {
            OperationStatus::Error => {
                let failed = ServerEnd::Failed(RunError {
                    kind: default_kind(),
                    text: "the gateway says the run failed".into(),
                });
                self.note(Some(failed), in_stream);
            }
            OperationStatus::Interrupted => self.note(Some(ServerEnd::Interrupted), in_stream),
            // The gateway stores `completed` for everything else, a run that waits for a tool included.
            OperationStatus::Idle
            | OperationStatus::Running
            | OperationStatus::WaitingForHuman
            | OperationStatus::WaitingForAsyncTool
            | OperationStatus::Done
            | OperationStatus::Completed
            | OperationStatus::Unknown(_) => {
                if self.suspended || (self.was_suspended && self.noted.is_none()) {
                    return Sign::Doubtful(Doubt::Suspended);
                }
                self.note(None, in_stream);
            }
        }
        Sign::None
    }

    /// S8: the server has no running operation on the topic: over, whatever a socket could say.
    pub(crate) fn on_not_found(&mut self) {
        let noted = self.noted.take().unwrap_or_default();
        self.noted = Some(Noted {
            binding: true,
            ..noted
        });
    }

    /// The server says the run goes on: an end noted before is void (S2). Of one that is binding only the reason is: it
    /// was an earlier run's.
    pub(crate) fn void(&mut self) -> Sign {
        match &mut self.noted {
            None => Sign::None,
            Some(Noted { binding: true, .. }) => {
                self.doubt_reason();
                Sign::None
            }
            Some(Noted { binding: false, .. }) => {
                self.noted = None;
                Sign::Doubtful(Doubt::Restarted)
            }
        }
    }

    /// Something is missing behind the end noted: the operation may have been started again there, and how that went is
    /// not what was noted (S2).
    pub(crate) fn doubt_reason(&mut self) {
        if let Some(noted) = &mut self.noted {
            noted.end = None;
        }
    }

    pub(crate) fn canonicalize(&mut self, canon: &Canon<'_>) {
        canon.since_or_never(
            &mut self.foreign_at,
            canon.limits.echo_window.plus(Millis(1)),
        );
    }

    fn is_parked(&self) -> bool {
        matches!(&self.noted, Some(noted) if noted.end == Some(ServerEnd::Parked))
    }

    fn note(&mut self, end: Option<ServerEnd>, in_stream: bool) {
        self.last_was_foreign = false;
        self.end_seen = true;
        match &mut self.noted {
            // Latched: the first reason counts, and a reason explains an end noted without one.
            Some(noted) => {
                if noted.end.is_none() {
                    noted.end = end;
                }
                noted.in_stream |= in_stream;
            }
            None => {
                self.noted = Some(Noted {
                    end,
                    in_stream,
                    binding: false,
                });
            }
        }
    }

    fn is_echo(&self, now: Timestamp, limits: &Limits) -> bool {
        self.foreign_at
            .is_some_and(|at| now.since(at) <= limits.echo_window)
    }
}

/// The type of a failure that names none, as LobeHub has it.
fn default_kind() -> alloc::boxed::Box<str> {
    "AgentRuntimeError".into()
}

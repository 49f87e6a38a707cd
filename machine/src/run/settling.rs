//! After the end: what is still owed to the server, told to nobody, and bounded in time (R6).
//!
//! ```text
//!            server side not known          over, or asked and over
//!  end ──▶ Asking ─────────────────▶ SettlingMarker ──no such procedure──▶ ReadingMarker ──▶ ClearingMarker ──▶ Ended
//!       └▶ AwaitingStart ──late id──▶ an interrupt
//! ```

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::context::Context;
use crate::effect::Effect;
use crate::fences::RequestId;
use crate::ignored::Ignored;
use crate::mutation::Mutation;
use crate::notification::{Notification, TopicStatus};
use crate::outcome::Outcome;
use crate::request::{Call, RefusalKind, Reply, RequestFailure, StatusReport};
use crate::rule::Rule;
use crate::run::live::Identity;
use crate::run::{Ended, Phase, ServerSide};
use crate::session::terminal::ServerEnd;
use crate::timers::{Timer, TimerSet};

/// A run that has ended for its caller; `Timer::Settle` bounds what is left to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Settling {
    ended: Ended,
    /// The work on the marker, one step at a time.
    step: Option<Step>,
    /// An interrupt asked for before the end: it has the time of settling to finish (S12).
    interrupt: Option<RequestId>,
    /// `execAgent`, still in flight.
    start: Option<LateStart>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Step {
    /// Whether the run is over there is not known: one question first.
    Asking(RequestId),
    /// Compare and clear in one request, where the server has it.
    SettlingMarker(RequestId),
    /// Where it has not: read and compare,
    ReadingMarker(RequestId),
    /// then clear.
    ClearingMarker(RequestId),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct LateStart {
    request: RequestId,
    /// Whether its id is to be interrupted (R2).
    interrupt: bool,
}

impl Settling {
    /// An end with nothing left to do.
    pub(crate) fn end(
        context: &mut Context<'_>,
        identity: Option<Identity>,
        outcome: Outcome,
    ) -> Phase {
        let ended = Ended::before_streaming(identity, outcome);
        tell(context, &ended);
        Phase::Ended(Box::new(ended))
    }

    /// R2: over for the caller, while `execAgent` may still tell its id.
    pub(crate) fn await_start(
        context: &mut Context<'_>,
        request: RequestId,
        interrupt: bool,
        outcome: Outcome,
    ) -> Phase {
        context.cite(Rule::R2);
        let ended = Ended::before_streaming(None, outcome);
        tell(context, &ended);
        let mut settling = Self::new(context, ended);
        settling.start = Some(LateStart { request, interrupt });
        if interrupt {
            // The grace runs on, and what comes of it has its own time after that.
            let limits = context.limits();
            context.arm(
                Timer::Settle,
                limits.stop_grace.plus(limits.settle_deadline),
            );
        }
        Phase::Settling(Box::new(settling))
    }

    /// R2, R3: the run goes there and is not wanted.
    pub(crate) fn interrupt(
        context: &mut Context<'_>,
        identity: Identity,
        outcome: Outcome,
    ) -> Phase {
        let call = interrupt_call(&identity);
        let request = send(context, call);
        let ended = Ended::before_streaming(Some(identity), outcome);
        tell(context, &ended);
        let mut settling = Self::new(context, ended);
        settling.interrupt = Some(request);
        Phase::Settling(Box::new(settling))
    }

    /// The end of a run that streamed, or was about to (R6).
    pub(crate) fn begin(
        context: &mut Context<'_>,
        ended: Ended,
        server_side: ServerSide,
        interrupt: Option<RequestId>,
        was_busy: bool,
    ) -> Phase {
        context.cite(Rule::R6);
        tell(context, &ended);
        if was_busy {
            context.notify(Notification::TopicStatusChanged {
                topic: ended.topic().cloned(),
                status: TopicStatus::Active,
            });
        }
        let mut settling = Self::new(context, ended);
        settling.interrupt = interrupt;
        settling.step = match server_side {
            ServerSide::Over => settling.settle_marker(context),
            _ if context.is_broken(Mutation::MarkerClearedBlindly) => {
                settling.settle_marker(context)
            }
            ServerSide::Unknown => settling.ask(context),
            ServerSide::LeftAlone => None,
        };
        Box::new(settling).stay_or_end(context)
    }

    pub(crate) fn on_reply(
        mut self: Box<Self>,
        context: &mut Context<'_>,
        request: RequestId,
        reply: Reply,
    ) -> Phase {
        if self.interrupt == Some(request) {
            context.cite(interrupted_by(&self.ended.outcome));
            self.interrupt = None;
        } else if self
            .start
            .as_ref()
            .is_some_and(|start| start.request == request)
        {
            self.on_late_start(context, reply);
        } else {
            match self.step.take() {
                Some(step) if step.request() == request => {
                    context.cite(Rule::R6);
                    self.step = self.next_step(context, &step, reply);
                }
                step => {
                    self.step = step;
                    context.ignore(Ignored::StaleRequest(request));
                }
            }
        }
        self.stay_or_end(context)
    }

    /// The grace of a stop is over: no id came (R2).
    pub(crate) fn on_stop_grace_over(mut self: Box<Self>, context: &mut Context<'_>) -> Phase {
        context.cite(Rule::R2);
        if let Some(start) = self.start.take() {
            context.push(Effect::CancelRequest {
                request: start.request,
            });
        }
        self.stay_or_end(context)
    }

    /// Best effort has had its time (R6, I3).
    pub(crate) fn on_settle_due(mut self: Box<Self>, context: &mut Context<'_>) -> Phase {
        context.cite(Rule::R6);
        let outstanding = [
            self.step.take().map(|step| step.request()),
            self.interrupt.take(),
            self.start.take().map(|start| start.request),
        ];
        for request in outstanding.into_iter().flatten() {
            context.push(Effect::CancelRequest { request });
        }
        self.stay_or_end(context)
    }

    /// A stored state was woken: what was asked is asked again; every one of these may be asked twice.
    pub(crate) fn on_restored(mut self: Box<Self>, context: &mut Context<'_>) -> Phase {
        if self.start.take().is_some() {
            // Nobody will tell its id any more.
            context.cite(Rule::R2);
        }
        context.disarm(Timer::StopGrace);
        if self.interrupt.take().is_some()
            && let Some(identity) = &self.ended.identity
        {
            let call = interrupt_call(identity);
            self.interrupt = Some(send(context, call));
        }
        self.step = match self.step.take() {
            Some(Step::Asking(_)) => self.ask(context),
            Some(Step::SettlingMarker(_) | Step::ReadingMarker(_) | Step::ClearingMarker(_)) => {
                self.settle_marker(context)
            }
            None => None,
        };
        self.stay_or_end(context)
    }

    pub(crate) fn ended(&self) -> &Ended {
        &self.ended
    }

    pub(crate) fn canonicalize(&mut self, canon: &mut Canon<'_>) {
        let step = self.step.as_mut().map(Step::request_mut);
        let start = self.start.as_mut().map(|start| &mut start.request);
        for request in [step, self.interrupt.as_mut(), start].into_iter().flatten() {
            canon.request(request);
        }
    }

    /// Which timers this phase implies, for `check()`.
    pub(crate) fn expects(&self) -> TimerSet {
        let interrupts = self.start.as_ref().is_some_and(|start| start.interrupt);
        TimerSet::of(&[Timer::Settle]).with(Timer::StopGrace, interrupts)
    }

    fn new(context: &mut Context<'_>, ended: Ended) -> Self {
        context.arm(Timer::Settle, context.limits().settle_deadline);
        Self {
            ended,
            step: None,
            interrupt: None,
            start: None,
        }
    }

    fn stay_or_end(self: Box<Self>, context: &mut Context<'_>) -> Phase {
        if self.step.is_some() || self.interrupt.is_some() || self.start.is_some() {
            return Phase::Settling(self);
        }
        if context.is_broken(Mutation::EndLatchedTwice) {
            tell(context, &self.ended);
        }
        context.kit.timers.clear_all();
        Phase::Ended(Box::new(self.ended))
    }

    /// An id that comes late is interrupted if it was stopped; otherwise the run is left alone (R2, S12).
    fn on_late_start(&mut self, context: &mut Context<'_>, reply: Reply) {
        context.cite(Rule::R2);
        let interrupt = self.start.take().is_some_and(|start| start.interrupt);
        context.disarm(Timer::StopGrace);
        if let Reply::Started(started) = reply
            && interrupt
        {
            let identity = Identity {
                operation: started.operation,
                topic: started.topic,
                thread: started.thread,
                assistant_message: started.assistant_message,
            };
            let call = interrupt_call(&identity);
            self.interrupt = Some(send(context, call));
            self.ended.identity = Some(identity);
            context.arm(Timer::Settle, context.limits().settle_deadline);
        }
    }

    fn next_step(&self, context: &mut Context<'_>, step: &Step, reply: Reply) -> Option<Step> {
        match (step, reply) {
            (Step::Asking(_), Reply::Status(report)) if is_over(report.as_ref()) => {
                self.settle_marker(context)
            }
            // This server has no compare-and-clear: read, compare, clear (R6).
            (Step::SettlingMarker(_), Reply::Failed(RequestFailure::Refused(refusal)))
                if refusal.kind == RefusalKind::UnknownProcedure =>
            {
                let topic = self.ended.topic()?.clone();
                Some(Step::ReadingMarker(send(
                    context,
                    Call::ReadMarker { topic },
                )))
            }
            (Step::ReadingMarker(_), Reply::Marker(Some(operation)))
                if Some(&operation) == self.ended.operation() =>
            {
                let topic = self.ended.topic()?.clone();
                Some(Step::ClearingMarker(send(
                    context,
                    Call::ClearMarker { topic },
                )))
            }
            // Done, or not to be had: best effort.
            (
                Step::Asking(_)
                | Step::SettlingMarker(_)
                | Step::ReadingMarker(_)
                | Step::ClearingMarker(_),
                _,
            ) => None,
        }
    }

    fn settle_marker(&self, context: &mut Context<'_>) -> Option<Step> {
        let call = Call::SettleMarker {
            topic: self.ended.topic()?.clone(),
            operation: self.ended.operation()?.clone(),
        };
        Some(Step::SettlingMarker(send(context, call)))
    }

    fn ask(&self, context: &mut Context<'_>) -> Option<Step> {
        let call = Call::AskStatus {
            operation: self.ended.operation()?.clone(),
        };
        Some(Step::Asking(send(context, call)))
    }
}

impl Step {
    fn request_mut(&mut self) -> &mut RequestId {
        match self {
            Self::Asking(request)
            | Self::SettlingMarker(request)
            | Self::ReadingMarker(request)
            | Self::ClearingMarker(request) => request,
        }
    }

    fn request(&self) -> RequestId {
        match self {
            Self::Asking(request)
            | Self::SettlingMarker(request)
            | Self::ReadingMarker(request)
            | Self::ClearingMarker(request) => *request,
        }
    }
}

/// Tells the caller, before anything else is done (R6), exactly once (S11, I1).
fn tell(context: &mut Context<'_>, ended: &Ended) {
    context.cite(Rule::S11);
    context.notify(Notification::RunEnded {
        outcome: ended.outcome.clone(),
        receipt: Box::new(context.kit.receipt),
    });
}

/// A request whose only deadline is `Timer::Settle`.
fn send(context: &mut Context<'_>, call: Call) -> RequestId {
    let request = context.kit.fences.mint_request();
    context.push(Effect::SendRequest { request, call });
    request
}

/// The rule by which an interrupt is still in flight behind this end.
fn interrupted_by(outcome: &Outcome) -> Rule {
    if *outcome == Outcome::Stopped {
        Rule::R3
    } else if *outcome == Outcome::StoppedServerUnknown {
        Rule::R2
    } else if matches!(outcome, Outcome::Detached | Outcome::Superseded { .. }) {
        Rule::S12
    } else {
        Rule::R5
    }
}

fn interrupt_call(identity: &Identity) -> Call {
    Call::InterruptRun {
        operation: identity.operation.clone(),
        topic: identity.topic.clone(),
    }
}

/// I18: the marker is only touched if the server itself says that the run is over. That it does not know the run is not
/// enough, said once (S14).
fn is_over(report: Option<&StatusReport>) -> bool {
    report.is_some_and(|report| match ServerEnd::from_status(report) {
        Some(ServerEnd::Completed | ServerEnd::Failed(_) | ServerEnd::Interrupted) => true,
        Some(ServerEnd::Parked) | None => false,
    })
}

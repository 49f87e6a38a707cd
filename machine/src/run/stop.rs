//! Stopping a run that streams: an interrupt over HTTP, and the stream goes on until its end (R5).

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::fences::RequestId;
use crate::ignored::Ignored;
use crate::notification::{Notification, StopFailure};
use crate::outcome::Outcome;
use crate::request::{Call, RefusalKind, Reply, RequestFailure};
use crate::rule::Rule;
use crate::run::End;
use crate::run::live::Live;
use crate::timers::Timer;

/// A stop being carried out; `Timer::StopTimeout` runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Stop {
    /// The interrupt in flight; `Timer::InterruptDeadline` runs. Without one, stop may be asked for again.
    pub(crate) request: Option<RequestId>,
}

impl Live {
    /// R5, one interrupt at a time; before the first dial nothing streams, and the run ends with it (R3, I2).
    pub(crate) fn stop(&mut self, context: &mut Context<'_>) -> Option<End> {
        if self
            .stop
            .as_ref()
            .is_some_and(|stop| stop.request.is_some())
        {
            context.ignore(Ignored::AlreadyStopping);
            return None;
        }
        self.send_interrupt(context);
        if !self.connection.has_dialled() {
            context.cite(Rule::R3);
            return Some(End::left_alone(Outcome::Stopped));
        }
        context.cite(Rule::R5);
        context.arm(Timer::StopTimeout, context.limits().stop_timeout);
        None
    }

    /// What became of the interrupt: failures are told, and stop may be asked for again.
    pub(crate) fn on_interrupt_reply(
        &mut self,
        context: &mut Context<'_>,
        request: RequestId,
        reply: Reply,
    ) {
        context.cite(Rule::R5);
        context.disarm(Timer::InterruptDeadline);
        if let Some(stop) = &mut self.stop {
            stop.request = None;
        }
        let cause = match context.answer(request, reply, Reply::into_interrupted) {
            Ok(true) => return context.notify(Notification::StopAccepted),
            Ok(false) => StopFailure::NotRunning,
            Err(RequestFailure::Refused(refusal))
                if matches!(
                    refusal.kind,
                    RefusalKind::NotFound | RefusalKind::BadRequest
                ) =>
            {
                StopFailure::NotRunning
            }
            Err(failure) => StopFailure::Request(failure),
        };
        let not_running = cause == StopFailure::NotRunning;
        context.notify(Notification::StopFailed { cause });
        if not_running {
            // The server says that it is over: how it ended is a question away (S14).
            self.session.inquiry.ask(context, &self.session.operation);
        }
    }

    pub(crate) fn on_interrupt_deadline(&mut self, context: &mut Context<'_>) -> Option<End> {
        context.cite(Rule::R5);
        if let Some(request) = self.stop.as_mut().and_then(|stop| stop.request.take()) {
            context.cancel(request, Timer::InterruptDeadline);
            context.notify(Notification::StopFailed {
                cause: StopFailure::TimedOut,
            });
        }
        None
    }

    /// The stop is not confirmed in time (R5).
    pub(crate) fn on_stop_timeout(&self, context: &mut Context<'_>) -> Option<End> {
        context.cite(Rule::R5);
        Some(End::unexplained(Outcome::InterruptedUnconfirmed))
    }

    /// A stored state was woken: whether the interrupt arrived is not known, and asking twice does no harm.
    pub(crate) fn restore_stop(&mut self, context: &mut Context<'_>) {
        if self
            .stop
            .as_ref()
            .is_some_and(|stop| stop.request.is_some())
        {
            self.send_interrupt(context);
        }
    }

    fn send_interrupt(&mut self, context: &mut Context<'_>) {
        let call = Call::InterruptRun {
            operation: self.identity.operation.clone(),
            topic: self.identity.topic.clone(),
        };
        let deadline = context.limits().request_deadline;
        let request = context.request(call, Timer::InterruptDeadline, deadline);
        self.stop = Some(Stop {
            request: Some(request),
        });
    }
}

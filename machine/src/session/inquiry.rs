//! Ask, don't guess: when the stream does not say how the run stands, the server is asked (S14).

use serde::{Deserialize, Serialize};

use agent_gateway_protocol::OperationId;

use crate::context::Context;
use crate::fences::RequestId;
use crate::request::Call;
use crate::time::Timestamp;
use crate::timers::Timer;

/// When the server was last heard of, and what has been asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Inquiry {
    /// The question in flight; `Timer::StatusDeadline` runs.
    request: Option<RequestId>,
    /// When the last thing other than an ack came, or the last answer. Frames only write it; the ring re-arms.
    news_at: Timestamp,
    /// Since when `resume` has gone unanswered on this socket.
    unanswered_since: Option<Timestamp>,
    /// When the server first said that it does not know the run.
    unknown_since: Option<Timestamp>,
}

impl Inquiry {
    /// From now on `Timer::Inquiry` always runs, until the end.
    pub(crate) fn new(context: &mut Context<'_>) -> Self {
        let inquiry = Self {
            request: None,
            news_at: context.now(),
            unanswered_since: None,
            unknown_since: None,
        };
        inquiry.rearm(context);
        inquiry
    }

    /// Something other than an ack came.
    pub(crate) fn heard(&mut self, now: Timestamp) {
        self.news_at = now;
    }

    /// `resume` went out (C4): its answer is awaited.
    pub(crate) fn on_resumed(&mut self, context: &mut Context<'_>) {
        self.unanswered_since = Some(context.now());
        self.rearm(context);
    }

    /// `resume_complete` came, or the socket is gone.
    pub(crate) fn on_answered(&mut self) {
        self.unanswered_since = None;
    }

    /// Asks now; a question in flight is joined.
    pub(crate) fn ask(&mut self, context: &mut Context<'_>, operation: &OperationId) {
        if self.request.is_some() {
            return;
        }
        self.unanswered_since = None;
        let deadline = context.limits().request_deadline;
        let call = Call::AskStatus {
            operation: operation.clone(),
        };
        self.request = Some(context.request(call, Timer::StatusDeadline, deadline));
    }

    /// `Timer::Inquiry` rang: asks if it is time, and waits on.
    pub(crate) fn on_due(&mut self, context: &mut Context<'_>, operation: &OperationId) {
        if self.next(context) <= context.now() {
            self.ask(context, operation);
            self.news_at = context.now();
        }
        self.rearm(context);
    }

    /// The question is answered, one way or another.
    pub(crate) fn close(&mut self, context: &mut Context<'_>) {
        self.request = None;
        context.disarm(Timer::StatusDeadline);
        self.news_at = context.now();
        self.rearm(context);
    }

    /// The server does not know the run. Twice, some time apart, ends it: whether this was the second time.
    pub(crate) fn on_unknown(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.now();
        let first = *self.unknown_since.get_or_insert(now);
        let twice = now.since(first) >= context.limits().unknown_interval;
        self.rearm(context);
        twice
    }

    /// The server knows the run.
    pub(crate) fn on_known(&mut self) {
        self.unknown_since = None;
    }

    /// The end: nothing is asked any more.
    pub(crate) fn give_up(&mut self, context: &mut Context<'_>) {
        if let Some(request) = self.request.take() {
            context.cancel(request, Timer::StatusDeadline);
        }
        context.disarm(Timer::Inquiry);
    }

    /// A stored state was woken: a question in flight is lost.
    pub(crate) fn on_restored(&mut self, context: &mut Context<'_>) {
        self.request = None;
        self.unanswered_since = None;
        context.disarm(Timer::StatusDeadline);
        self.rearm(context);
    }

    /// The request in flight, if any (C13).
    pub(crate) fn request(&self) -> Option<RequestId> {
        self.request
    }

    fn rearm(&self, context: &mut Context<'_>) {
        let next = self.next(context);
        context.arm_at(Timer::Inquiry, next);
    }

    fn next(&self, context: &Context<'_>) -> Timestamp {
        let limits = context.limits();
        let mut next = self.news_at.plus(limits.inquiry_interval);
        if let Some(since) = self.unanswered_since {
            next = next.min(since.plus(limits.resume_answer));
        }
        if self.unknown_since.is_some() {
            // The last answer was "unknown": it is asked again soon, counted from that answer.
            next = next.min(self.news_at.plus(limits.unknown_interval));
        }
        next
    }
}

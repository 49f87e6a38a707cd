//! Ask, don't guess: when the stream does not say how the run stands, the server is asked (S14).
//! Silence by itself never ends a run (S6): it is a reason to ask, and only the answer counts.

use serde::{Deserialize, Serialize};

use agent_gateway_protocol::OperationId;

use crate::canonical::Canon;
use crate::context::Context;
use crate::fences::RequestId;
use crate::request::{Call, RequestFailure};
use crate::rule::Rule;
use crate::session::retry::{self, Retry};
use crate::time::{Millis, Timestamp};
use crate::timers::Timer;

/// Questions that may come at once, whatever their pace.
const AT_ONCE: u64 = 3;

/// When the stream last said something, and what has been asked.
///
/// `Timer::Inquiry` runs from the first dial to the end. Frames only note the time; the ring looks and re-arms.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Inquiry {
    /// The question in flight; `Timer::StatusDeadline` runs.
    request: Option<RequestId>,
    /// When something other than an ack last came.
    heard_at: Timestamp,
    /// When part of a frame last came. Only the whole one shows whether it is an ack.
    arriving_at: Option<Timestamp>,
    /// When the server was last asked, or last answered.
    asked_at: Timestamp,
    /// Since when `resume` has gone unanswered on this socket.
    unanswered_since: Option<Timestamp>,
    /// When the server first said that it does not know the run.
    unknown_since: Option<Timestamp>,
    /// The server says that the run is over, and the stream is still talking: asked again once it is quiet.
    awaits_quiet: bool,
    /// The server says that the run is over, and the stream is being reconnected.
    awaits_replay: bool,
    /// Questions in a row that brought no usable answer while an end waited for it (S3).
    unanswered: u32,
    /// When that is asked again, or what came too soon after a question is asked.
    retry_at: Option<Timestamp>,
    /// Until when the questions so far last at their pace: a server that gives reason after reason to ask is not asked
    /// as fast as it answers.
    paced_until: Option<Timestamp>,
}

impl Inquiry {
    pub(crate) fn new(context: &mut Context<'_>) -> Self {
        let inquiry = Self {
            request: None,
            heard_at: context.now(),
            arriving_at: None,
            asked_at: context.now(),
            unanswered_since: None,
            unknown_since: None,
            awaits_quiet: false,
            awaits_replay: false,
            unanswered: 0,
            retry_at: None,
            paced_until: None,
        };
        inquiry.rearm(context);
        inquiry
    }

    /// Something other than an ack came.
    pub(crate) fn heard(&mut self, now: Timestamp) {
        self.heard_at = now;
    }

    /// Part of a frame came, of an ack or of something else.
    pub(crate) fn on_frame_arriving(&mut self, now: Timestamp) {
        self.arriving_at = Some(now);
    }

    /// The socket is read again: what came meanwhile is about to be told, so silence counts from here.
    pub(crate) fn on_reading_resumed(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        self.heard(now);
        self.unanswered_since = self.unanswered_since.map(|_| now);
        self.rearm(context);
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

    /// The replay is over, and has not brought the end: the next one is a new chance.
    pub(crate) fn on_replayed(&mut self) {
        self.awaits_replay = false;
    }

    /// Asks now, or a moment after the last question; one in flight is joined, and so is one that is about to be asked
    /// again.
    pub(crate) fn ask(&mut self, context: &mut Context<'_>, operation: &OperationId) {
        let now = context.now();
        if self.request.is_some() || self.retry_at.is_some_and(|at| now < at) {
            return;
        }
        context.cite(Rule::S14);
        let interval = context.limits().question_interval;
        let ahead = self.paced_until.map_or(Millis::ZERO, |at| at.since(now));
        let most = interval.times(AT_ONCE - 1);
        if ahead > most {
            self.retry_at = Some(now.plus(Millis(ahead.0 - most.0)));
            return self.rearm(context);
        }
        self.paced_until = Some(now.plus(ahead).plus(interval));
        self.unanswered_since = None;
        self.awaits_quiet = false;
        self.retry_at = None;
        self.asked_at = context.now();
        let deadline = context.limits().request_deadline;
        let call = Call::AskStatus {
            operation: operation.clone(),
        };
        self.request = Some(context.request(call, Timer::StatusDeadline, deadline));
        self.rearm(context);
    }

    /// What was asked is of no use any more: its answer may be older than what is known since.
    pub(crate) fn withdraw(&mut self, context: &mut Context<'_>) {
        if let Some(request) = self.request.take() {
            context.cancel(request, Timer::StatusDeadline);
        }
        self.unanswered = 0;
        self.retry_at = None;
    }

    /// There was no usable answer to a question that an end waits for: whether it is asked again (S3).
    pub(crate) fn retry(&mut self, context: &mut Context<'_>, failure: &RequestFailure) -> bool {
        let most = context.limits().status_tries;
        let retry = retry::after(context, failure, self.unanswered + 1, most);
        if let Some(Retry { pause, tries }) = retry {
            self.unanswered = tries;
            self.retry_at = Some(context.now().plus(pause));
            self.rearm(context);
        }
        retry.is_some()
    }

    /// C15: the network is back: what is asked again is asked now.
    pub(crate) fn on_online(&mut self, context: &mut Context<'_>) {
        if self.retry_at.is_some() {
            context.cite(Rule::C15);
            self.retry_at = Some(context.now());
            self.rearm(context);
        }
    }

    /// `Timer::Inquiry` rang: asks if it is time, and waits on.
    pub(crate) fn on_due(&mut self, context: &mut Context<'_>, operation: &OperationId) {
        if self.next(context) <= context.now() {
            // Silence is a reason to ask, never to end.
            context.cite(Rule::S6);
            self.ask(context, operation);
        }
        self.rearm(context);
    }

    /// The question is answered, or given up.
    pub(crate) fn close(&mut self, context: &mut Context<'_>) {
        self.request = None;
        self.asked_at = context.now();
        context.disarm(Timer::StatusDeadline);
        self.rearm(context);
    }

    /// The server says that the run is over: whether to wait for the stream to say so too. If it has said something
    /// just now, or is not read, its own end may be on its way, and it is asked again once it is quiet. If it is being
    /// reconnected, its end is in the replay, and it is asked again one interval later; then that was long enough.
    pub(crate) fn defer_to_stream(&mut self, context: &mut Context<'_>, connected: bool) -> bool {
        let quiet_at = self.quiet_at(context);
        let is_paused = context.kit.timers.is_paused();
        self.awaits_quiet = is_paused || (connected && context.now() < quiet_at);
        let waited = core::mem::replace(&mut self.awaits_replay, !connected);
        self.rearm(context);
        self.awaits_quiet || (self.awaits_replay && !waited)
    }

    /// The server does not know the run. Twice, some time apart, ends it: whether this was the second time.
    pub(crate) fn on_unknown(&mut self, context: &mut Context<'_>) -> bool {
        let now = context.now();
        let first = *self.unknown_since.get_or_insert(now);
        self.unanswered = 0;
        self.rearm(context);
        now.since(first) >= context.limits().unknown_interval
    }

    /// The server knows the run.
    pub(crate) fn on_known(&mut self) {
        self.unknown_since = None;
        self.unanswered = 0;
    }

    /// The end: nothing is asked any more.
    pub(crate) fn give_up(&mut self, context: &mut Context<'_>) {
        self.withdraw(context);
        context.disarm(Timer::Inquiry);
    }

    /// A stored state was woken: a question in flight is lost.
    pub(crate) fn on_restored(&mut self, context: &mut Context<'_>) {
        self.request = None;
        self.unanswered_since = None;
        self.retry_at = None;
        self.paced_until = None;
        context.disarm(Timer::StatusDeadline);
        self.rearm(context);
    }

    /// The request in flight, if any (C13).
    pub(crate) fn request(&self) -> Option<RequestId> {
        self.request
    }

    pub(crate) fn canonicalize(&mut self, canon: &mut Canon<'_>) {
        if let Some(request) = &mut self.request {
            canon.request(request);
        }
        let limits = canon.limits;
        // Of the two the later one counts, and of the other only what is looked at by itself. Neither is ever much older
        // than the interval: then it is asked.
        let now = canon.now().as_millis();
        let quiet = Timestamp::from_millis(now.saturating_sub(limits.seam_quiet.0));
        self.heard_at = self.heard_at.max(self.asked_at.min(quiet));
        if self.request.is_none() && self.unknown_since.is_none() {
            self.asked_at = self.asked_at.max(self.heard_at);
        }
        canon.moment(&mut self.heard_at);
        canon.moment(&mut self.asked_at);
        if let Some(at) = &mut self.retry_at {
            canon.moment(at);
        }
        canon.since_or_never(&mut self.arriving_at, limits.seam_quiet);
        canon.until(&mut self.paced_until);
        if let Some(since) = &mut self.unanswered_since {
            canon.since(since, limits.resume_answer);
        }
        if let Some(since) = &mut self.unknown_since {
            canon.since(since, limits.unknown_interval);
        }
    }

    /// When the stream has said nothing for long enough for its last words to have come.
    fn quiet_at(&self, context: &Context<'_>) -> Timestamp {
        let quiet_at = self.heard_at.plus(context.limits().seam_quiet);
        quiet_at.max(self.arrived_at(context))
    }

    /// Until when more of a frame may come: no answer counts before it is whole.
    fn arrived_at(&self, context: &Context<'_>) -> Timestamp {
        self.arriving_at
            .map_or(Timestamp::ZERO, |at| at.plus(context.limits().seam_quiet))
    }

    fn rearm(&self, context: &mut Context<'_>) {
        let next = self.next(context);
        context.arm_at(Timer::Inquiry, next);
    }

    fn next(&self, context: &Context<'_>) -> Timestamp {
        let limits = context.limits();
        if self.request.is_some() {
            // Nothing more is asked before it is answered or given up, and then this is looked at again.
            let given_up = self.asked_at.plus(limits.request_deadline);
            return given_up.plus(limits.inquiry_interval);
        }
        if let Some(at) = self.retry_at {
            return at;
        }
        let mut next = self
            .heard_at
            .max(self.asked_at)
            .plus(limits.inquiry_interval)
            .max(self.arrived_at(context));
        if let Some(since) = self.unanswered_since {
            next = next.min(since.plus(limits.resume_answer));
        }
        if self.unknown_since.is_some() {
            next = next.min(self.asked_at.plus(limits.unknown_interval));
        }
        if self.awaits_quiet {
            next = next.min(self.quiet_at(context));
        }
        next
    }
}

//! Watching a run that is already going: a token, a look at the topic's marker, then the stream (R7).

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::context::Context;
use crate::event::Attach;
use crate::fences::RequestId;
use crate::ignored::Ignored;
use crate::outcome::{AttachRefusal, Outcome};
use crate::request::{Call, Reply};
use crate::rule::Rule;
use crate::run::live::{Identity, Live};
use crate::run::settling::Settling;
use crate::run::{End, Phase};
use crate::session::credential::{Credential, News, Readiness};
use crate::timers::Timer;
use crate::token::{Renewal, TokenGrant};
use crate::transition::route_timer;

/// A run that is not watched yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Attaching {
    pub(crate) live: Box<Live>,
    step: Step,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Step {
    /// The session's credential is being fetched.
    FetchingToken,
    /// The topic's marker is being read; `Timer::MarkerDeadline` runs.
    ReadingMarker { request: RequestId },
}

impl Attaching {
    /// R7: a token first, if none was given.
    pub(crate) fn begin(context: &mut Context<'_>, attach: Attach) -> Phase {
        context.cite(Rule::R7);
        let identity = Identity {
            operation: attach.operation,
            topic: attach.topic,
            thread: attach.thread,
            assistant_message: None,
        };
        let refusal = if context.kit.config.gateway.is_none() {
            Some(AttachRefusal::NoGateway)
        } else {
            let fetchable = match attach.renewal {
                Renewal::Server => identity.topic.is_some(),
                Renewal::Caller => true,
                Renewal::Never => false,
            };
            (attach.token.is_none() && !fetchable).then_some(AttachRefusal::NoToken)
        };
        if let Some(refusal) = refusal {
            let outcome = Outcome::AttachRefused(refusal);
            return Settling::end(context, Some(identity), outcome);
        }
        let topic = identity.topic.clone();
        let credential = Credential::new(context, attach.token, attach.renewal, topic);
        let mut live = Live::new(
            context,
            identity,
            attach.cursor,
            credential,
            attach.executes_tools,
        );
        live.outbox.take_over(context, attach.open_calls);
        Self::fetch_token(live, context)
    }

    /// R7: the marker has been read, or could not be: it only stops us if it names another operation.
    pub(crate) fn on_reply(
        mut self: Box<Self>,
        context: &mut Context<'_>,
        request: RequestId,
        reply: Reply,
    ) -> Phase {
        if self.live.session.credential.request() == Some(request) {
            let news = self.live.session.credential.on_reply(context, reply);
            return self.follow(context, news);
        }
        if self.live.session.inquiry.request() == Some(request) {
            let end = self.live.on_status_reply(context, request, reply);
            return self.stay(context, end);
        }
        match self.step {
            Step::ReadingMarker { request: current } if current == request => {
                context.cite(Rule::R7);
                context.disarm(Timer::MarkerDeadline);
                match context.answer(request, reply, Reply::into_marker) {
                    Ok(Some(other)) if other != self.live.identity.operation => {
                        let end = End::left_alone(Outcome::Superseded { by: Some(other) });
                        Phase::follow(self.live, context, Some(end))
                    }
                    Ok(_) | Err(_) => Self::stream(self.live, context),
                }
            }
            Step::ReadingMarker { .. } | Step::FetchingToken => {
                context.ignore(Ignored::StaleRequest(request));
                Phase::Attaching(self)
            }
        }
    }

    /// R3: the operation is known, so it is interrupted, and nothing is dialled.
    pub(crate) fn stop(mut self, context: &mut Context<'_>) -> Phase {
        context.cite(Rule::R3);
        self.cancel(context);
        let end = self.live.stop(context);
        Phase::follow(self.live, context, end)
    }

    /// S12.
    pub(crate) fn leave(self, context: &mut Context<'_>, outcome: Outcome) -> Phase {
        context.cite(Rule::S12);
        self.cancel(context);
        Phase::follow(self.live, context, Some(End::left_alone(outcome)))
    }

    pub(crate) fn on_marker_deadline(self, context: &mut Context<'_>) -> Phase {
        context.cite(Rule::R7);
        self.cancel(context);
        Self::stream(self.live, context)
    }

    /// The credential's and the inquiry's timers mean here what they mean while streaming.
    pub(crate) fn on_live_timer(
        mut self: Box<Self>,
        context: &mut Context<'_>,
        timer: Timer,
    ) -> Phase {
        if timer == Timer::RefreshDeadline {
            let news = self.live.session.credential.on_deadline(context);
            return self.follow(context, news);
        }
        let now = context.now();
        let end = route_timer(&mut self.live, context, timer, now);
        self.stay(context, end)
    }

    /// A stored state was woken: everything is asked again.
    pub(crate) fn on_restored(
        mut self: Box<Self>,
        context: &mut Context<'_>,
        token: Option<TokenGrant>,
    ) -> Phase {
        context.cite(Rule::S10);
        context.disarm(Timer::MarkerDeadline);
        self.live.session.credential.on_restored(context, token);
        self.live.session.inquiry.on_restored(context);
        self.live.outbox.on_restored();
        if self.live.concluding {
            let end = self.live.judge(context);
            return self.stay(context, end);
        }
        Self::fetch_token(self.live, context)
    }

    pub(crate) fn canonicalize(&mut self, canon: &mut Canon<'_>) {
        self.live.canonicalize(canon);
        if let Step::ReadingMarker { request } = &mut self.step {
            canon.request(request);
        }
    }

    /// Whether `Timer::MarkerDeadline` runs, for `check()`.
    pub(crate) fn expects_marker(&self) -> bool {
        matches!(self.step, Step::ReadingMarker { .. })
    }

    fn fetch_token(mut live: Box<Live>, context: &mut Context<'_>) -> Phase {
        match live.session.credential.prepare_dial(context) {
            Readiness::Ready => Self::read_marker(live, context),
            Readiness::Pending => Phase::Attaching(Box::new(Self {
                live,
                step: Step::FetchingToken,
            })),
            Readiness::Lost(outcome) => {
                Phase::follow(live, context, Some(End::unexplained(outcome)))
            }
        }
    }

    fn read_marker(live: Box<Live>, context: &mut Context<'_>) -> Phase {
        let Some(topic) = live.identity.topic.clone() else {
            return Self::stream(live, context);
        };
        context.cite(Rule::R7);
        let deadline = context.limits().request_deadline;
        let request = context.request(Call::ReadMarker { topic }, Timer::MarkerDeadline, deadline);
        Phase::Attaching(Box::new(Self {
            live,
            step: Step::ReadingMarker { request },
        }))
    }

    fn stream(mut live: Box<Live>, context: &mut Context<'_>) -> Phase {
        let end = live.begin(context);
        Phase::follow(live, context, end)
    }

    fn follow(mut self: Box<Self>, context: &mut Context<'_>, news: News) -> Phase {
        match news {
            News::Fresh { .. } if !self.live.concluding => Self::read_marker(self.live, context),
            News::Nothing | News::Fresh { .. } | News::RunOver | News::Lost(_) => {
                let end = self.live.follow_credential(context, news);
                self.stay(context, end)
            }
        }
    }

    fn stay(self: Box<Self>, context: &mut Context<'_>, end: Option<End>) -> Phase {
        match end {
            Some(end) => {
                self.cancel(context);
                Phase::follow(self.live, context, Some(end))
            }
            None => Phase::Attaching(self),
        }
    }

    fn cancel(&self, context: &mut Context<'_>) {
        if let Step::ReadingMarker { request } = self.step {
            context.cancel(request, Timer::MarkerDeadline);
        }
    }
}

//! From the command to the first dial: `execAgent`, a new topic's messages, the announcement (R1–R5).
//!
//! ```text
//!  execute ──▶ Requesting ──started──▶ (new topic) FetchingMessages ──▶ announced, streaming
//!                 │ stop: keeps waiting for the id, up to stop_grace (R2)
//! ```

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;

use agent_gateway_protocol::api::GetMessages;
use agent_gateway_protocol::{RawJson, TopicId};
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::context::Context;
use crate::cursor::Cursor;
use crate::event::Execute;
use crate::fences::RequestId;
use crate::ignored::Ignored;
use crate::mutation::Mutation;
use crate::notification::{Notification, RunStarted};
use crate::outcome::{Outcome, StartFailure};
use crate::request::{Call, RefusalKind, Reply, RequestFailure, Start, Started};
use crate::rule::Rule;
use crate::run::Phase;
use crate::run::live::{Identity, Live};
use crate::run::settling::Settling;
use crate::session::credential::Credential;
use crate::timers::{Timer, TimerSet};
use crate::token::Renewal;

/// A run that the server may not know of yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Starting {
    execute: Execute,
    step: Step,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Step {
    /// `execAgent` is in flight; `Timer::StartDeadline` runs.
    Requesting { request: RequestId },
    /// The same, after a stop: only its id is waited for; `Timer::StopGrace` runs (R2).
    Stopping { request: RequestId },
    /// The run goes, and its new topic's messages are in flight; `Timer::MessagesDeadline` runs (R4).
    FetchingMessages {
        request: RequestId,
        started: Box<Started>,
        topic: TopicId,
    },
}

impl Starting {
    /// R1. Without a gateway nothing could be streamed, so nothing is started.
    pub(crate) fn begin(context: &mut Context<'_>, execute: Execute) -> Phase {
        context.cite(Rule::R1);
        if context.kit.config.gateway.is_none() {
            let failure =
                StartFailure::Gateway("the server names no gateway to stream from".into());
            return Settling::end(context, None, Outcome::StartFailed(failure));
        }
        let call = Call::StartRun(execute.input.clone());
        let deadline = context.limits().start_deadline;
        let request = context.request(call, Timer::StartDeadline, deadline);
        Phase::Starting(Box::new(Self {
            execute,
            step: Step::Requesting { request },
        }))
    }

    pub(crate) fn on_reply(
        mut self: Box<Self>,
        context: &mut Context<'_>,
        request: RequestId,
        reply: Reply,
    ) -> Phase {
        match self.step {
            Step::Requesting { request: current } if current == request => {
                context.disarm(Timer::StartDeadline);
                self.on_started(context, request, reply)
            }
            Step::Stopping { request: current } if current == request => {
                context.disarm(Timer::StopGrace);
                self.on_started_late(context, request, reply)
            }
            Step::FetchingMessages {
                request: current,
                started,
                topic,
            } if current == request => {
                context.disarm(Timer::MessagesDeadline);
                let messages = context.answer(request, reply, Reply::into_messages);
                announce_topic(context, topic, messages.ok());
                stream(self.execute, context, *started)
            }
            step @ (Step::Requesting { .. }
            | Step::Stopping { .. }
            | Step::FetchingMessages { .. }) => {
                context.ignore(Ignored::StaleRequest(request));
                self.step = step;
                Phase::Starting(self)
            }
        }
    }

    /// R2: the request is given a while to tell its id, so that the server's run does not go on unseen (D9).
    pub(crate) fn stop(mut self: Box<Self>, context: &mut Context<'_>) -> Phase {
        match self.step {
            Step::Requesting { request } => {
                context.cite(Rule::R2);
                context.disarm(Timer::StartDeadline);
                let grace = context.limits().stop_grace;
                if grace.0 == 0 {
                    context.cancel(request, Timer::StopGrace);
                    return Settling::end(context, None, Outcome::StoppedServerUnknown);
                }
                context.arm(Timer::StopGrace, grace);
                self.step = Step::Stopping { request };
                Phase::Starting(self)
            }
            Step::Stopping { .. } => {
                context.ignore(Ignored::AlreadyStopping);
                Phase::Starting(self)
            }
            Step::FetchingMessages {
                request,
                started,
                topic,
            } => {
                context.cancel(request, Timer::MessagesDeadline);
                announce_topic(context, topic, None);
                interrupt(context, &self.execute, *started)
            }
        }
    }

    /// S12, R2: over for the caller now. What is in flight is still waited for: after a stop, so that a late id is
    /// interrupted; otherwise so that the request is not cut under the server's hands.
    pub(crate) fn leave(self, context: &mut Context<'_>, outcome: Outcome) -> Phase {
        context.cite(Rule::S12);
        match self.step {
            Step::Requesting { request } => {
                context.disarm(Timer::StartDeadline);
                Settling::await_start(context, request, false, outcome)
            }
            Step::Stopping { request } => {
                context.cite(Rule::R2);
                Settling::await_start(context, request, true, Outcome::StoppedServerUnknown)
            }
            Step::FetchingMessages {
                request,
                started,
                topic,
            } => {
                context.cancel(request, Timer::MessagesDeadline);
                announce_topic(context, topic, None);
                let identity = identity(&self.execute, *started);
                Settling::end(context, Some(identity), outcome)
            }
        }
    }

    /// R1: nobody knows whether the server has started the run.
    pub(crate) fn on_start_deadline(self: Box<Self>, context: &mut Context<'_>) -> Phase {
        context.cite(Rule::R1);
        let Step::Requesting { request } = self.step else {
            return Phase::Starting(self);
        };
        context.cancel(request, Timer::StartDeadline);
        let text = format!("no answer within {}", context.limits().start_deadline).into();
        Settling::end(context, None, Outcome::StartUnknown { text })
    }

    /// R2: no id came within the grace.
    pub(crate) fn on_stop_grace_over(self: Box<Self>, context: &mut Context<'_>) -> Phase {
        context.cite(Rule::R2);
        let Step::Stopping { request } = self.step else {
            return Phase::Starting(self);
        };
        context.cancel(request, Timer::StopGrace);
        Settling::end(context, None, Outcome::StoppedServerUnknown)
    }

    /// R4: messages that do not come are not critical.
    pub(crate) fn on_messages_deadline(self: Box<Self>, context: &mut Context<'_>) -> Phase {
        let Step::FetchingMessages {
            request,
            started,
            topic,
        } = self.step
        else {
            return Phase::Starting(self);
        };
        context.cancel(request, Timer::MessagesDeadline);
        announce_topic(context, topic, None);
        stream(self.execute, context, *started)
    }

    /// A stored state was woken: an `execAgent` in flight is never sent again.
    pub(crate) fn on_restored(
        self,
        context: &mut Context<'_>,
        token: Option<crate::token::TokenGrant>,
    ) -> Phase {
        match self.step {
            Step::Requesting { .. } => {
                context.cite(Rule::R1);
                context.disarm(Timer::StartDeadline);
                let text = "the client was stopped while it waited for the answer".into();
                Settling::end(context, None, Outcome::StartUnknown { text })
            }
            Step::Stopping { .. } => {
                context.cite(Rule::R2);
                context.disarm(Timer::StopGrace);
                Settling::end(context, None, Outcome::StoppedServerUnknown)
            }
            Step::FetchingMessages {
                mut started, topic, ..
            } => {
                context.cite(Rule::S10);
                context.disarm(Timer::MessagesDeadline);
                announce_topic(context, topic, None);
                started.token = None;
                let mut execute = self.execute;
                execute.token = token;
                stream(execute, context, *started)
            }
        }
    }

    pub(crate) fn canonicalize(&mut self, canon: &mut Canon<'_>) {
        if let Some(grant) = &mut self.execute.token {
            canon.token(&mut grant.id);
        }
        match &mut self.step {
            Step::Requesting { request } | Step::Stopping { request } => canon.request(request),
            Step::FetchingMessages {
                request, started, ..
            } => {
                canon.request(request);
                if let Some(grant) = &mut started.token {
                    canon.token(&mut grant.id);
                }
            }
        }
    }

    /// Which timers this phase implies, for `check()`.
    pub(crate) fn expects(&self) -> TimerSet {
        TimerSet::of(&[match self.step {
            Step::Requesting { .. } => Timer::StartDeadline,
            Step::Stopping { .. } => Timer::StopGrace,
            Step::FetchingMessages { .. } => Timer::MessagesDeadline,
        }])
    }

    /// The run this is, once the server has told.
    pub(crate) fn started(&self) -> Option<&Started> {
        match &self.step {
            Step::FetchingMessages { started, .. } => Some(started),
            Step::Requesting { .. } | Step::Stopping { .. } => None,
        }
    }

    fn on_started(
        mut self: Box<Self>,
        context: &mut Context<'_>,
        request: RequestId,
        reply: Reply,
    ) -> Phase {
        context.cite(Rule::R1);
        let started = match context.answer(request, reply, Reply::into_start) {
            Ok(Start::Made(started)) => started,
            Ok(Start::Refused(text)) => {
                let outcome = Outcome::StartFailed(StartFailure::Soft(text));
                return Settling::end(context, None, outcome);
            }
            Err(failure) => return Settling::end(context, None, not_started(failure)),
        };
        match self.new_topic(&started) {
            Some(topic) => {
                context.cite(Rule::R4);
                let call = Call::FetchMessages(Box::new(self.messages_of(&started, &topic)));
                let deadline = context.limits().request_deadline;
                let request = context.request(call, Timer::MessagesDeadline, deadline);
                self.step = Step::FetchingMessages {
                    request,
                    started,
                    topic,
                };
                Phase::Starting(self)
            }
            None => stream(self.execute, context, *started),
        }
    }

    /// R2: the answer that came within the grace.
    fn on_started_late(self, context: &mut Context<'_>, request: RequestId, reply: Reply) -> Phase {
        context.cite(Rule::R2);
        let outcome = match context.answer(request, reply, Reply::into_start) {
            Ok(Start::Made(_)) if context.is_broken(Mutation::StopForgetsLateId) => {
                Outcome::Stopped
            }
            Ok(Start::Made(started)) => {
                if let Some(topic) = self.new_topic(&started) {
                    announce_topic(context, topic, None);
                }
                return interrupt(context, &self.execute, *started);
            }
            Ok(Start::Refused(_)) => Outcome::Stopped,
            Err(failure) if is_certain(&failure) => Outcome::Stopped,
            Err(_) => Outcome::StoppedServerUnknown,
        };
        Settling::end(context, None, outcome)
    }

    /// R4: the topic the run made, if it was not given one.
    fn new_topic(&self, started: &Started) -> Option<TopicId> {
        let given = self
            .execute
            .input
            .app_context
            .as_ref()
            .is_some_and(|context| context.topic_id.is_some());
        if given { None } else { started.topic.clone() }
    }

    /// R4: without its group, a group's run has no messages.
    fn messages_of(&self, started: &Started, topic: &TopicId) -> GetMessages {
        let asked = self.execute.input.app_context.as_ref();
        GetMessages {
            agent_id: started.agent.clone(),
            group_id: asked.and_then(|context| context.group_id.clone()),
            topic_id: Some(topic.clone()),
            thread_id: started.thread.clone(),
            ..GetMessages::default()
        }
    }
}

/// R5: announced before the first dial, then streamed. A parked run that this one carries on is retired only now (R9).
fn stream(execute: Execute, context: &mut Context<'_>, started: Started) -> Phase {
    context.cite(Rule::R5);
    let token = match (&execute.token, execute.renewal) {
        (Some(token), _) => Some(token.clone()),
        // A caller who makes the tokens is asked for one: the server's may be of no use there.
        (None, Renewal::Caller) => None,
        (None, Renewal::Server | Renewal::Never) => started.token.clone(),
    };
    if token.is_none() {
        context.cite(Rule::R1);
    }
    let user_message = started.user_message.clone();
    let identity = identity(&execute, started);
    let credential = Credential::new(context, token, execute.renewal, identity.topic.clone());
    context.notify(Notification::RunStarted(Box::new(RunStarted {
        operation: identity.operation.clone(),
        topic: identity.topic.clone(),
        thread: identity.thread.clone(),
        assistant_message: identity.assistant_message.clone(),
        user_message,
    })));
    if let Some(operation) = execute.parent {
        context.cite(Rule::R9);
        context.notify(Notification::ParentRetired { operation });
    }
    let mut live = Live::new(context, identity, Cursor::start(), credential, true);
    let end = live.begin(context);
    Phase::follow(live, context, end)
}

/// R4: the topic exists now, whatever becomes of the run.
fn announce_topic(context: &mut Context<'_>, topic: TopicId, messages: Option<RawJson>) {
    context.cite(Rule::R4);
    context.notify(Notification::TopicCreated { topic, messages });
}

/// R2, R3: the id is known and the run is not wanted: it is interrupted, and nothing is dialled or announced.
fn interrupt(context: &mut Context<'_>, execute: &Execute, started: Started) -> Phase {
    context.cite(Rule::R3);
    let identity = identity(execute, started);
    Settling::interrupt(context, identity, Outcome::Stopped)
}

fn identity(execute: &Execute, started: Started) -> Identity {
    let asked = execute.input.app_context.as_ref();
    Identity {
        operation: started.operation,
        topic: started
            .topic
            .or_else(|| asked.and_then(|context| context.topic_id.clone())),
        thread: started
            .thread
            .or_else(|| asked.and_then(|context| context.thread_id.clone())),
        assistant_message: started.assistant_message,
    }
}

/// R1: what a failed `execAgent` says of the run.
fn not_started(failure: RequestFailure) -> Outcome {
    if is_unauthorized(&failure) {
        return Outcome::AuthLost {
            reason: failure.to_string().into(),
        };
    }
    if is_certain(&failure) {
        return Outcome::StartFailed(StartFailure::Request(failure));
    }
    Outcome::StartUnknown {
        text: failure.to_string().into(),
    }
}

/// Whether it was not let in, by the server or by what stands before it: nothing else is tried with these credentials.
fn is_unauthorized(failure: &RequestFailure) -> bool {
    match failure {
        RequestFailure::Refused(refusal) => refusal.kind == RefusalKind::Unauthorized,
        RequestFailure::Unreadable { status, .. } => *status == 401,
        RequestFailure::Unreachable { .. } | RequestFailure::Lost { .. } => false,
    }
}

/// Whether a failed `execAgent` cannot have started anything.
fn is_certain(failure: &RequestFailure) -> bool {
    match failure {
        RequestFailure::Unreachable { .. } => true,
        RequestFailure::Lost { .. } => false,
        RequestFailure::Refused(refusal) => says_no(refusal.status),
        // Of a success that cannot be read nobody knows what it was.
        RequestFailure::Unreadable { status, .. } => *status >= 300 && says_no(*status),
    }
}

/// Whether nothing goes on behind an answer of this status. A server that failed, or a proxy that waited no longer, may have
/// got further than they say.
fn says_no(status: u16) -> bool {
    const TIMEOUT: u16 = 408;
    const CLIENT_CLOSED_REQUEST: u16 = 499;
    status < 500 && !matches!(status, TIMEOUT | CLIENT_CLOSED_REQUEST)
}

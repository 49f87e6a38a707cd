//! The token of a run: its age, its renewal, and when to give up (S8–S10).
//!
//! One request for a fresh token is in flight at most; every later trigger joins it. The verdict on a failure comes
//! from the server's own envelope only, everything else is tried again.

use alloc::format;
use alloc::string::ToString;

use agent_gateway_protocol::TopicId;
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::context::Context;
use crate::fences::RequestId;
use crate::mutation::Mutation;
use crate::notification::Notification;
use crate::outcome::Outcome;
use crate::request::{Call, RefusalKind, Reply, RequestFailure};
use crate::rule::Rule;
use crate::session::retry::{self, Retry};
use crate::time::{Millis, Timestamp};
use crate::timers::Timer;
use crate::token::{Renewal, TokenGrant, TokenId, TokenKind};

/// The token held, and the state of its renewal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Credential {
    held: Option<Held>,
    renewal: Renewal,
    /// Whose run a fresh token is for.
    topic: Option<TopicId>,
    refresh: Refresh,
    /// Fresh tokens the gateway has refused in a row (S9).
    refused: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Held {
    token: TokenId,
    kind: TokenKind,
    /// `None`: lives until it is revoked.
    lifetime: Option<Millis>,
    received_at: Timestamp,
    /// Whether it came of a refresh: only such a one counts as refused (S9).
    fresh: bool,
    /// Whether a dial has been made with it: an aged one is refreshed once per dial (S10).
    used: bool,
    /// Whether it has been tried again because of `nbf` (S7).
    retried: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Refresh {
    #[default]
    Idle,
    /// `Timer::RefreshDeadline` runs.
    InFlight {
        request: RequestId,
        tries: u32,
        first_cause: Option<RequestFailure>,
    },
    /// `Timer::RefreshRetry` runs.
    Pausing {
        tries: u32,
        first_cause: RequestFailure,
    },
}

/// Whether there is a token to dial with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// There is.
    Ready,
    /// It is being fetched; [`News::Fresh`] follows.
    Pending,
    /// There is none, and no way to get one.
    Lost(Outcome),
}

/// What the run must follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Nothing yet.
    Nothing,
    /// A fresh token is there: close, redial (S8).
    Fresh {
        /// The token before it was as fresh, and was refused: the redial waits as after a failed attempt, or we would loop
        /// as fast as tokens come (S9).
        again: bool,
    },
    /// The server knows of no running operation on the topic (S8).
    RunOver,
    /// No token can be had.
    Lost(Outcome),
}

impl Credential {
    pub(crate) fn new(
        context: &Context<'_>,
        token: Option<TokenGrant>,
        renewal: Renewal,
        topic: Option<TopicId>,
    ) -> Self {
        Self {
            held: token.map(|grant| Held::new(context, &grant, false)),
            renewal,
            topic,
            refresh: Refresh::Idle,
            refused: 0,
        }
    }

    /// Whether there is a token, or one is being fetched, in one word.
    pub(crate) fn word(&self) -> &'static str {
        match (&self.refresh, &self.held) {
            (Refresh::InFlight { .. }, _) => "fetching",
            (Refresh::Pausing { .. }, _) => "pausing",
            (Refresh::Idle, Some(_)) => "held",
            (Refresh::Idle, None) => "missing",
        }
    }

    /// The token to send and its kind.
    pub(crate) fn token(&self) -> Option<(TokenId, TokenKind)> {
        self.held.as_ref().map(|held| (held.token, held.kind))
    }

    /// Before a dial: a missing token is fetched (S8), and an aged one replaced, once per dial (S10); none in flight, no
    /// dial (I4).
    pub(crate) fn prepare_dial(&mut self, context: &mut Context<'_>) -> Readiness {
        if self.is_refreshing() {
            return Readiness::Pending;
        }
        let now = context.now();
        let renewable = match self.renewal {
            Renewal::Server => self.topic.is_some(),
            Renewal::Caller => true,
            Renewal::Never => false,
        };
        match &mut self.held {
            // One that cannot be replaced is the gateway's to judge.
            Some(held) if !held.is_aged(now) || (held.fresh && !held.used) || !renewable => {
                held.used = true;
                Readiness::Ready
            }
            Some(_) => {
                context.cite(Rule::S10);
                self.renew(context)
            }
            None => {
                context.cite(Rule::S8);
                self.renew(context)
            }
        }
    }

    /// `auth_expired`, or a token refused for its age: fetch a fresh one; a fetch in flight is joined (S8, D3). A
    /// fresh token that brought no progress counts as refused (S9).
    pub(crate) fn on_expired(&mut self, context: &mut Context<'_>) -> Readiness {
        if self.is_refreshing() && !context.is_broken(Mutation::RefreshNotJoined) {
            return Readiness::Pending;
        }
        if self.held.as_ref().is_some_and(|held| held.fresh) {
            context.cite(Rule::S9);
            self.refused = self.refused.saturating_add(1);
            if self.refused >= context.limits().refused_tokens {
                return Readiness::Lost(Outcome::AuthLost {
                    reason: format!("the gateway refused {} fresh tokens in a row", self.refused)
                        .into(),
                });
            }
        }
        self.renew(context)
    }

    /// S7: a token that is not valid yet is tried once more; whether this one has not been.
    pub(crate) fn retry_not_before(&mut self) -> bool {
        self.held
            .as_mut()
            .is_some_and(|held| !core::mem::replace(&mut held.retried, true))
    }

    /// The answer to the refresh in flight; only called for that one.
    pub(crate) fn on_reply(&mut self, context: &mut Context<'_>, reply: Reply) -> News {
        if context.is_broken(Mutation::RefreshUnfenced) && self.request().is_none() {
            return News::Fresh { again: false };
        }
        let Refresh::InFlight {
            request,
            tries,
            first_cause,
        } = core::mem::take(&mut self.refresh)
        else {
            return News::Nothing;
        };
        context.cite(Rule::S8);
        context.disarm(Timer::RefreshDeadline);
        match context.answer(request, reply, Reply::into_token) {
            Ok(grant) => {
                context.kit.receipt.refreshes += 1;
                let again = self.has_fresh(context);
                self.held = Some(Held::new(context, &grant, true));
                context.notify(Notification::TokenRefreshed);
                News::Fresh { again }
            }
            Err(failure) => self.judge(context, failure, tries, first_cause),
        }
    }

    /// The refresh in flight took too long.
    pub(crate) fn on_deadline(&mut self, context: &mut Context<'_>) -> News {
        let Refresh::InFlight {
            request,
            tries,
            first_cause,
        } = core::mem::take(&mut self.refresh)
        else {
            return News::Nothing;
        };
        context.cite(Rule::S8);
        context.cancel(request, Timer::RefreshDeadline);
        let failure = RequestFailure::Lost {
            text: format!("no answer within {}", context.limits().request_deadline).into(),
        };
        self.judge(context, failure, tries, first_cause)
    }

    /// The pause between two tries is over.
    pub(crate) fn on_retry_due(&mut self, context: &mut Context<'_>) {
        context.cite(Rule::S8);
        if let Refresh::Pausing { tries, first_cause } = core::mem::take(&mut self.refresh) {
            self.send(context, tries, Some(first_cause));
        }
    }

    /// C15: the network is gone: the pause between two tries is as long as it gets.
    pub(crate) fn on_offline(&mut self, context: &mut Context<'_>) {
        if let Refresh::Pausing { first_cause, .. } = &self.refresh {
            let cause = first_cause.clone();
            let retry_in = context.limits().backoff_cap;
            context.arm(Timer::RefreshRetry, retry_in);
            context.notify(Notification::RefreshDelayed { cause, retry_in });
        }
    }

    /// C15: the network is back: the pause between two tries is over.
    pub(crate) fn on_online(&mut self, context: &mut Context<'_>) {
        context.disarm(Timer::RefreshRetry);
        self.on_retry_due(context);
    }

    /// Nothing of this is wanted any more: a fresh token that comes back later does nothing (S12, D1, D2).
    pub(crate) fn give_up(&mut self, context: &mut Context<'_>) {
        if let Refresh::InFlight { request, .. } = core::mem::take(&mut self.refresh) {
            context.cite(Rule::S8);
            context.cancel(request, Timer::RefreshDeadline);
        }
        context.disarm(Timer::RefreshRetry);
    }

    /// The token is known to be expired, and no other is wanted for now.
    pub(crate) fn forget(&mut self, context: &mut Context<'_>) {
        self.give_up(context);
        self.held = None;
    }

    /// A stored state was woken: the vault is empty but for what the hands bring (S10).
    pub(crate) fn on_restored(&mut self, context: &mut Context<'_>, token: Option<TokenGrant>) {
        context.disarm(Timer::RefreshDeadline);
        context.disarm(Timer::RefreshRetry);
        self.refresh = Refresh::Idle;
        self.held = token.map(|grant| Held::new(context, &grant, false));
    }

    /// An event was handed on, or the socket stayed authenticated: the gateway has taken the token (S9).
    pub(crate) fn progress(&mut self) {
        self.refused = 0;
    }

    pub(crate) fn canonicalize(&mut self, canon: &mut Canon<'_>) {
        if let Some(held) = &mut self.held {
            canon.token(&mut held.token);
            let fresh = held.fresh.then_some(canon.limits.progress_after);
            let matters = held.lifetime.max(fresh).unwrap_or(Millis::ZERO);
            canon.since(&mut held.received_at, matters);
        }
        if let Refresh::InFlight { request, .. } = &mut self.refresh {
            canon.request(request);
        }
    }

    /// Whether the token came of a refresh, and not long ago.
    fn has_fresh(&self, context: &Context<'_>) -> bool {
        self.held.as_ref().is_some_and(|held| {
            let age = context.now().since(held.received_at);
            held.fresh && age < context.limits().progress_after
        })
    }

    pub(crate) fn is_refreshing(&self) -> bool {
        self.refresh != Refresh::Idle
    }

    /// The request in flight, if any (C13).
    pub(crate) fn request(&self) -> Option<RequestId> {
        match &self.refresh {
            Refresh::InFlight { request, .. } => Some(*request),
            Refresh::Idle | Refresh::Pausing { .. } => None,
        }
    }

    /// Whether `Timer::RefreshRetry` runs.
    pub(crate) fn expects_retry(&self) -> bool {
        matches!(self.refresh, Refresh::Pausing { .. })
    }

    fn renew(&mut self, context: &mut Context<'_>) -> Readiness {
        let lost = |reason: &str| {
            Readiness::Lost(Outcome::AuthLost {
                reason: reason.into(),
            })
        };
        match (self.renewal, &self.topic) {
            (Renewal::Never, _) => lost("the token is not accepted, and there is no other"),
            (Renewal::Server, None) => {
                lost("a fresh token is wanted, and the run has no topic to fetch one for")
            }
            (Renewal::Server, Some(_)) | (Renewal::Caller, _) => {
                self.send(context, 0, None);
                Readiness::Pending
            }
        }
    }

    fn send(&mut self, context: &mut Context<'_>, tries: u32, first_cause: Option<RequestFailure>) {
        let call = match (self.renewal, &self.topic) {
            (Renewal::Server, Some(topic)) => Call::RefreshToken {
                topic: topic.clone(),
            },
            (Renewal::Server, None) | (Renewal::Caller | Renewal::Never, _) => Call::MintToken,
        };
        let deadline = context.limits().request_deadline;
        let request = context.request(call, Timer::RefreshDeadline, deadline);
        self.refresh = Refresh::InFlight {
            request,
            tries: tries.saturating_add(1),
            first_cause,
        };
    }

    /// S8: only the server's own envelope is a verdict; everything else is tried again, and the first cause is kept.
    fn judge(
        &mut self,
        context: &mut Context<'_>,
        failure: RequestFailure,
        tries: u32,
        first_cause: Option<RequestFailure>,
    ) -> News {
        if let RequestFailure::Refused(refusal) = &failure {
            match refusal.kind {
                RefusalKind::NotFound => return News::RunOver,
                RefusalKind::Unauthorized | RefusalKind::Forbidden | RefusalKind::BadRequest => {
                    return News::Lost(Outcome::AuthLost {
                        reason: failure.to_string().into(),
                    });
                }
                RefusalKind::UnknownProcedure | RefusalKind::Other => {}
            }
        }
        let first_cause = first_cause.unwrap_or_else(|| failure.clone());
        let most = context.limits().refresh_tries;
        let Some(Retry { pause, tries }) = retry::after(context, &failure, tries, most) else {
            return News::Lost(Outcome::RefreshFailed { cause: first_cause });
        };
        context.arm(Timer::RefreshRetry, pause);
        self.refresh = Refresh::Pausing { tries, first_cause };
        context.notify(Notification::RefreshDelayed {
            cause: failure,
            retry_in: pause,
        });
        News::Nothing
    }
}

impl Held {
    fn new(context: &Context<'_>, grant: &TokenGrant, fresh: bool) -> Self {
        let lifetime = match grant.kind {
            TokenKind::ApiKey => None,
            TokenKind::Jwt => Some(grant.lifetime.unwrap_or(context.limits().token_lifetime)),
        };
        Self {
            token: grant.id,
            kind: grant.kind,
            lifetime,
            received_at: context.now(),
            fresh,
            used: false,
            retried: false,
        }
    }

    fn is_aged(&self, now: Timestamp) -> bool {
        self.lifetime
            .is_some_and(|lifetime| now.since(self.received_at) >= lifetime)
    }
}

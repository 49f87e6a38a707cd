//! One socket at a time, for one operation: dial, authenticate, keep alive, lose, dial again (C1–C7, C15).
//!
//! ```text
//!            dial               opened                auth_success
//!   Idle ───────────▶ Dialing ─────────▶ Authenticating ─────────▶ Connected
//!    ▲  ▲                │                    │                        │
//!    │  └─ token wanted  │ failed, late       │ late, closed           │ closed, silent
//!    │                   ▼                    ▼                        ▼
//!    └── BackingOff ◀────┴────────────────────┴────────────────────────┘
//!         rang: dial
//! ```
//!
//! The room decides *that* a dial is due and says so ([`News::DialDue`]); the run looks whether it may (a token, S8
//! and S10) and then calls [`Connection::dial`]. It knows nothing of what flows on the socket.

mod backoff;
mod heartbeat;
mod link;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;

use agent_gateway_protocol::frame::Auth;
use agent_gateway_protocol::{ClientFrame, CloseCode, OperationId};
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::config::Limits;
use crate::context::Context;
use crate::effect::Effect;
use crate::event::{Close, DialFailure, Network};
use crate::fences::DialId;
use crate::ignored::Ignored;
use crate::mutation::Mutation;
use crate::notification::{ConnectionStatus, Notification};
use crate::outcome::Outcome;
use crate::rule::Rule;
use crate::time::{Millis, Timestamp};
use crate::timers::{Timer, TimerSet};
use crate::token::TokenId;
use backoff::Backoff;
use heartbeat::Connected;
pub(crate) use heartbeat::Pulse;
use link::{Link, clear_timers};

/// The connection of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Connection {
    link: Link,
    backoff: Backoff,
    /// Whether a dial was ever made: before that nothing was promised to anybody (R3).
    dialled: bool,
    /// Whether a socket was ever open: from then on an open one is a reconnect (S11).
    opened_once: bool,
    /// Whether this run has ever been authenticated: before that the budget is the first one (C6).
    authenticated_once: bool,
    /// When a wait was last skipped because the network is back (C15).
    skipped_at: Option<Timestamp>,
}

/// What the run must follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Nothing to follow.
    Nothing,
    /// The socket is gone, and another attempt follows by itself.
    Lost,
    /// An attempt is due: look for a token, then dial.
    DialDue,
    /// Trying again cannot help, or is not allowed.
    GivenUp(Outcome),
}

impl Connection {
    /// Opens a socket (C1). The run calls it when it has a token and no refresh is in flight (I4).
    pub(crate) fn dial(&mut self, context: &mut Context<'_>, operation: &OperationId) {
        let Some(gateway) = &context.kit.config.gateway else {
            return;
        };
        let url = gateway.socket(operation);
        context.cite(Rule::C1);
        clear_timers(context);
        let dial = context.mint_dial();
        self.dialled = true;
        self.link = Link::Dialing { dial };
        context.arm(Timer::Dial, context.limits().dial_deadline);
        context.push(Effect::OpenConnection { dial, url });
        self.publish(context);
    }

    /// The socket is open: `auth` is the first frame on it, and the only one until it is answered (C3, I5).
    pub(crate) fn on_opened(&mut self, context: &mut Context<'_>, auth: Auth<TokenId>) {
        let Link::Dialing { dial } = self.link else {
            return self.ignore_opened(context);
        };
        context.cite(Rule::C3);
        context.disarm(Timer::Dial);
        if core::mem::replace(&mut self.opened_once, true) {
            context.kit.receipt.reconnects += 1;
        }
        if context.is_broken(Mutation::BackoffResetOnOpen) {
            self.backoff.reset();
        }
        self.link = Link::Authenticating { dial };
        context.arm(
            Timer::Authentication,
            context.limits().authentication_deadline,
        );
        context.push(Effect::SendFrame {
            dial,
            frame: ClientFrame::Auth(Box::new(auth)),
        });
        self.publish(context);
    }

    fn ignore_opened(&self, context: &mut Context<'_>) {
        if let Some(dial) = self.current() {
            context.ignore(Ignored::AlreadyOpen(dial));
        }
    }

    /// `auth_success`: connected, and the heartbeat starts (C4). Says whether that is news.
    pub(crate) fn on_authenticated(&mut self, context: &mut Context<'_>) -> bool {
        let Link::Authenticating { dial } = self.link else {
            context.ignore(Ignored::AlreadyAuthenticated);
            return false;
        };
        context.disarm(Timer::Authentication);
        if !core::mem::replace(&mut self.authenticated_once, true) {
            self.backoff.forgive();
        }
        self.link = Link::Connected(Connected::begin(context, dial));
        self.publish(context);
        true
    }

    /// C2: final failures are over at once, everything else is a failed attempt. Once the gateway was reached no failure is
    /// final: the address is right, and whatever answers in its place, such as a hotel's login page, will go away.
    pub(crate) fn on_dial_failed(
        &mut self,
        context: &mut Context<'_>,
        failure: DialFailure,
    ) -> News {
        context.cite(Rule::C2);
        self.unlink(context);
        if failure.kind.is_final() && !self.authenticated_once {
            return News::GivenUp(Outcome::ConnectionLost {
                cause: failure.text,
            });
        }
        self.fail(context, failure.text)
    }

    /// C7: a close without a terminal is a reconnect, visible, clean or not. A second violation without progress between
    /// is over, unless it `is_ours`: something that we sent may explain it.
    pub(crate) fn on_closed(
        &mut self,
        context: &mut Context<'_>,
        close: Close,
        is_ours: bool,
    ) -> News {
        context.cite(Rule::C7);
        // If this socket was progress itself, what was before it is forgotten first.
        self.unlink(context);
        let cause = close.to_string().into_boxed_str();
        let is_over = close.is_violation() && self.backoff.note_violation();
        if is_over && !is_ours {
            return News::GivenUp(Outcome::ProtocolViolation { what: cause });
        }
        self.fail(context, cause)
    }

    /// A dial or an `auth` that took too long is a failed attempt (C2).
    pub(crate) fn on_late(&mut self, context: &mut Context<'_>, what: &str) -> News {
        self.drop_link(context);
        self.fail(context, what.into())
    }

    /// C5: the next beat.
    pub(crate) fn on_heartbeat_due(&mut self, context: &mut Context<'_>, due: Timestamp) {
        if let Some(connected) = self.link.connected_mut() {
            connected.on_beat_due(context, due);
        }
    }

    /// C5: asks for a sign of life, and drops the connection if none comes soon.
    pub(crate) fn probe(&mut self, context: &mut Context<'_>) {
        if let Some(connected) = self.link.connected_mut() {
            connected.probe(context);
        }
    }

    /// C5, I9: the bound on silence rang.
    pub(crate) fn on_silence_due(&mut self, context: &mut Context<'_>) -> Pulse {
        self.link
            .connected_mut()
            .map_or(Pulse::Unsure, |connected| connected.on_silence_due(context))
    }

    /// C5: the time to answer the probe is over.
    pub(crate) fn on_probe_due(&mut self, context: &mut Context<'_>) -> Pulse {
        self.link
            .connected_mut()
            .map_or(Pulse::Unsure, |connected| connected.on_probe_due(context))
    }

    /// The backoff, or the wait for `nbf`, is over.
    pub(crate) fn on_wait_over(&mut self, context: &mut Context<'_>) -> News {
        context.cite(match self.link {
            Link::BackingOff if context.kit.network == Network::Offline => Rule::C15,
            Link::BackingOff => Rule::C6,
            Link::AwaitingNotBefore => Rule::S7,
            Link::Idle
            | Link::Dialing { .. }
            | Link::Authenticating { .. }
            | Link::Connected(_) => return News::Nothing,
        });
        self.link = Link::Idle;
        News::DialDue
    }

    /// C15: the network is gone: a wait that has begun is as long as it gets.
    pub(crate) fn on_offline(&mut self, context: &mut Context<'_>) {
        if self.link == Link::BackingOff {
            self.await_network(context, "the network is gone".into());
        }
    }

    /// C15: the network is back: no need to wait, but not more often than once a second.
    pub(crate) fn on_online(&mut self, context: &mut Context<'_>) -> News {
        if self.link != Link::BackingOff {
            return News::Nothing;
        }
        context.cite(Rule::C15);
        if !self.may_skip(context) {
            self.hasten(context, Timer::Backoff);
            return News::Nothing;
        }
        context.disarm(Timer::Backoff);
        self.on_wait_over(context)
    }

    /// C15: whether a wait may be skipped now; the next one not before a second has passed.
    pub(crate) fn may_skip(&mut self, context: &Context<'_>) -> bool {
        let now = context.now();
        let soon = self
            .skipped_at
            .is_some_and(|at| now.since(at) < context.limits().skip_interval);
        if !soon {
            self.skipped_at = Some(now);
        }
        !soon
    }

    /// C15: a wait that may not be skipped yet ends when it may.
    pub(crate) fn hasten(&self, context: &mut Context<'_>, timer: Timer) {
        if let (Some(skipped_at), Some(due)) = (self.skipped_at, context.kit.timers.deadline(timer))
        {
            let next_skip = skipped_at.plus(context.limits().skip_interval);
            context.arm_at(timer, due.min(next_skip));
        }
    }

    /// S7: the token is not valid yet by the gateway's clock; the same one is tried again a little later.
    pub(crate) fn await_not_before(&mut self, context: &mut Context<'_>) {
        self.drop_link(context);
        self.link = Link::AwaitingNotBefore;
        context.arm(Timer::NotBefore, context.limits().not_before_retry);
        self.publish(context);
    }

    /// S8: no dial while a refresh is in flight; the run dials when it is over.
    pub(crate) fn await_token(&mut self, context: &mut Context<'_>) {
        self.drop_link(context);
        self.publish(context);
    }

    /// The next attempt waits for a step of the backoff (C6), without a network for as long as it gets (C15). It spends
    /// nothing of the budget: that one fresh token follows another is no failed attempt (S9).
    pub(crate) fn pace(&mut self, context: &mut Context<'_>, cause: Box<str>) {
        if context.kit.network == Network::Offline {
            return self.await_network(context, cause);
        }
        context.cite(Rule::C6);
        let limits = &context.kit.config.limits;
        let delay = self.backoff.next_delay(limits, &mut context.kit.jitter);
        self.back_off(context, cause, delay);
    }

    /// The end: no socket, no attempt (I2, I3).
    pub(crate) fn shut(&mut self, context: &mut Context<'_>) {
        self.drop_link(context);
        context.publish(ConnectionStatus::Disconnected);
    }

    /// The socket is gone, and the run has a reason not to dial for now; or a stored state was woken.
    pub(crate) fn on_gone(&mut self, context: &mut Context<'_>) {
        self.unlink(context);
        self.publish(context);
    }

    /// An inbound frame of any kind, whatever it says, is a sign of life, and so is a part of one (C5).
    pub(crate) fn heard(&mut self, now: Timestamp) {
        if let Some(connected) = self.link.connected_mut() {
            connected.hear(now);
        }
    }

    /// The clocks stood still for `span`: so did the silence (C5).
    pub(crate) fn stood_still(&mut self, span: Millis, now: Timestamp) {
        if let Some(connected) = self.link.connected_mut() {
            connected.stood_still(span, now);
        }
    }

    /// An event was handed on: that is progress (C6).
    pub(crate) fn progress(&mut self) {
        self.backoff.reset();
    }

    /// The dial whose facts count now (C13).
    pub(crate) fn current(&self) -> Option<DialId> {
        self.link.current()
    }

    /// The dial whose socket is authenticated.
    pub(crate) fn connected(&self) -> Option<DialId> {
        self.link.connected().map(|connected| connected.dial)
    }

    /// Whether there is no socket and no attempt due by itself.
    pub(crate) fn is_idle(&self) -> bool {
        self.link == Link::Idle
    }

    pub(crate) fn has_dialled(&self) -> bool {
        self.dialled
    }

    /// Whether the socket has been authenticated long enough to count as progress (C6).
    pub(crate) fn is_proven(&self, context: &Context<'_>) -> bool {
        let connected = self.link.connected();
        connected.is_some_and(|connected| connected.is_proven(context))
    }

    pub(crate) fn status(&self) -> ConnectionStatus {
        match &self.link {
            Link::Dialing { .. } if !self.authenticated_once => ConnectionStatus::Connecting,
            Link::Idle | Link::BackingOff | Link::AwaitingNotBefore if !self.dialled => {
                ConnectionStatus::Connecting
            }
            Link::Idle | Link::BackingOff | Link::AwaitingNotBefore | Link::Dialing { .. } => {
                ConnectionStatus::Reconnecting
            }
            Link::Authenticating { .. } => ConnectionStatus::Authenticating,
            Link::Connected(_) => ConnectionStatus::Connected,
        }
    }

    pub(crate) fn canonicalize(&mut self, canon: &mut Canon<'_>) {
        self.link.canonicalize(canon);
        self.backoff.canonicalize(canon, self.budget(canon.limits));
        canon.since_or_never(&mut self.skipped_at, canon.limits.skip_interval);
        // It only decides what the receipt counts.
        self.opened_once = self.dialled;
    }

    /// Which timers this room's state implies; `check()` holds the table against it.
    pub(crate) fn expects(&self, probes: bool) -> TimerSet {
        self.link.expects(probes)
    }

    /// The socket is gone or never came: another attempt after a delay, if the budget allows one (C6).
    fn fail(&mut self, context: &mut Context<'_>, cause: Box<str>) -> News {
        let budget = self.budget(context.limits());
        if context.kit.network == Network::Online && !self.backoff.spend(budget) {
            context.cite(Rule::C6);
            return News::GivenUp(Outcome::ConnectionLost {
                cause: give_up_text(&cause, budget),
            });
        }
        self.pace(context, cause);
        News::Lost
    }

    /// C15: without a network, attempts go at the cap and are not counted.
    fn await_network(&mut self, context: &mut Context<'_>, cause: Box<str>) {
        context.cite(Rule::C15);
        let delay = context.limits().backoff_cap;
        self.back_off(context, cause, delay);
    }

    fn back_off(&mut self, context: &mut Context<'_>, cause: Box<str>, retry_in: Millis) {
        self.link = Link::BackingOff;
        context.arm(Timer::Backoff, retry_in);
        self.publish(context);
        context.notify(Notification::ReconnectScheduled { cause, retry_in });
    }

    /// Failed attempts allowed (C6).
    fn budget(&self, limits: &Limits) -> Option<u32> {
        if self.authenticated_once {
            limits.later_attempts
        } else {
            Some(limits.first_attempts)
        }
    }

    fn drop_link(&mut self, context: &mut Context<'_>) {
        self.close_socket(context, CloseCode::NORMAL);
        self.unlink(context);
    }

    /// No socket and no timer; one that was authenticated long enough was progress (C6).
    fn unlink(&mut self, context: &mut Context<'_>) {
        if self.is_proven(context) {
            self.backoff.reset();
        }
        clear_timers(context);
        self.link = Link::Idle;
    }

    fn close_socket(&mut self, context: &mut Context<'_>, code: CloseCode) {
        if let Some(dial) = self.current() {
            context.push(Effect::CloseConnection { dial, code });
        }
    }

    fn publish(&self, context: &mut Context<'_>) {
        context.publish(self.status());
    }
}

fn give_up_text(cause: &str, budget: Option<u32>) -> Box<str> {
    match budget {
        Some(budget) => format!("{cause}; gave up after {budget} attempts").into(),
        None => cause.into(),
    }
}

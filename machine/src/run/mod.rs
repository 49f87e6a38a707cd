//! One run, from the command to the end that is told once (R1–R10).
//!
//! ```text
//!         execute                       dial due
//!  Idle ───────────▶ Starting ──────────────────────▶ Streaming
//!    │    attach                        dial due          │
//!    └─────────────▶ Attaching ───────────────────────────┤
//!                        │ any end                         │ any end
//!                        ▼                                 ▼
//!                    Settling ──nothing outstanding──▶ Ended
//! ```
//!
//! Each phase owns what only it has, so what cannot be cannot be spelled. `RunEnded` is told on the way out of the
//! first four, and there is no way back in.

mod attaching;
mod authentication;
mod conclusion;
mod due;
pub(crate) mod live;
mod settling;
mod starting;
mod stop;
mod stream;

use alloc::boxed::Box;

use agent_gateway_protocol::{InputRequestId, OperationId, ServerFrame, ToolCallId, TopicId};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::cursor::Cursor;
use crate::effect::Effect;
use crate::event::{Attach, Close, DialFailure, Execute, FrameProblem, Network, ToolAnswer};
use crate::fences::{DialId, RequestId};
use crate::ignored::Ignored;
use crate::notification::Warning;
use crate::outcome::Outcome;
use crate::request::Reply;
use crate::rule::Rule;
use crate::time::Timestamp;
use crate::timers::Timer;
use crate::token::TokenGrant;
use crate::transition::{route_frame, route_timer};
use attaching::Attaching;
use live::{Identity, Live};
use settling::Settling;
use starting::Starting;

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Phase {
    #[default]
    Idle,
    Starting(Box<Starting>),
    Attaching(Box<Attaching>),
    Streaming(Box<Live>),
    Settling(Box<Settling>),
    Ended(Box<Ended>),
}

/// A run that is over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) identity: Option<Identity>,
    pub(crate) cursor: Cursor,
    pub(crate) outcome: Outcome,
}

/// The end of a live run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    outcome: Outcome,
    server_side: ServerSide,
}

/// What the end says of the server's own run (R6, I18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerSide {
    /// The server itself said that it is over.
    Over,
    /// Nobody said: it is asked once before its marker is touched.
    Unknown,
    /// It goes on, or is no business of ours.
    LeftAlone,
}

impl End {
    /// The server's own end. A parked run is not over: its marker stays (S9b).
    pub(crate) fn by_server(outcome: Outcome) -> Self {
        let server_side = if outcome == Outcome::Parked {
            ServerSide::LeftAlone
        } else {
            ServerSide::Over
        };
        Self {
            outcome,
            server_side,
        }
    }

    /// We have to give up, and the server has not said anything.
    pub(crate) fn unexplained(outcome: Outcome) -> Self {
        Self {
            outcome,
            server_side: ServerSide::Unknown,
        }
    }

    /// We leave; the run is not ours to touch.
    pub(crate) fn left_alone(outcome: Outcome) -> Self {
        Self {
            outcome,
            server_side: ServerSide::LeftAlone,
        }
    }
}

impl Ended {
    fn before_streaming(identity: Option<Identity>, outcome: Outcome) -> Self {
        Self {
            identity,
            cursor: Cursor::start(),
            outcome,
        }
    }

    pub(crate) fn operation(&self) -> Option<&OperationId> {
        self.identity.as_ref().map(|identity| &identity.operation)
    }

    pub(crate) fn topic(&self) -> Option<&TopicId> {
        self.identity.as_ref()?.topic.as_ref()
    }
}

/// Commands.
impl Phase {
    pub(crate) fn execute(self, context: &mut Context<'_>, execute: Execute) -> Self {
        match self {
            Self::Idle => Starting::begin(context, execute),
            Self::Starting(_)
            | Self::Attaching(_)
            | Self::Streaming(_)
            | Self::Settling(_)
            | Self::Ended(_) => self.ignore(context, Ignored::AlreadyBegun),
        }
    }

    pub(crate) fn attach(self, context: &mut Context<'_>, attach: Attach) -> Self {
        match self {
            Self::Idle => Attaching::begin(context, attach),
            Self::Starting(_)
            | Self::Attaching(_)
            | Self::Streaming(_)
            | Self::Settling(_)
            | Self::Ended(_) => self.ignore(context, Ignored::AlreadyBegun),
        }
    }

    pub(crate) fn stop(self, context: &mut Context<'_>) -> Self {
        match self {
            Self::Idle => self.ignore(context, Ignored::NotBegun),
            Self::Starting(starting) => starting.stop(context),
            Self::Attaching(attaching) => attaching.stop(context),
            Self::Streaming(mut live) => {
                let end = live.stop(context);
                Self::follow(live, context, end)
            }
            Self::Settling(_) | Self::Ended(_) => self.ignore(context, Ignored::AlreadyEnded),
        }
    }

    pub(crate) fn detach(self, context: &mut Context<'_>) -> Self {
        match self {
            Self::Idle => {
                context.cite(Rule::S12);
                Settling::end(context, None, Outcome::Detached)
            }
            Self::Starting(starting) => starting.detach(context),
            Self::Attaching(attaching) => attaching.detach(context),
            Self::Streaming(live) => {
                context.cite(Rule::S12);
                Self::follow(live, context, Some(End::left_alone(Outcome::Detached)))
            }
            Self::Settling(_) | Self::Ended(_) => self.ignore(context, Ignored::AlreadyEnded),
        }
    }

    /// S13: the seed's call; today's gateways ignore the frame.
    pub(crate) fn interrupt(self, context: &mut Context<'_>) -> Self {
        self.with_live(context, |live, context| {
            context.cite(Rule::S13);
            match live.open_socket() {
                Some(dial) => context.push(Effect::SendFrame {
                    dial,
                    frame: agent_gateway_protocol::ClientFrame::Interrupt,
                }),
                None => context.ignore(Ignored::NotAuthenticated),
            }
            None
        })
    }

    pub(crate) fn answer_tool(
        self,
        context: &mut Context<'_>,
        call: ToolCallId,
        answer: ToolAnswer,
    ) -> Self {
        self.answer(context, Rule::T6, |live, context| {
            let socket = live.open_socket();
            live.outbox.answer_tool(context, call, answer, socket);
        })
    }

    pub(crate) fn answer_confirmation(
        self,
        context: &mut Context<'_>,
        call: ToolCallId,
        approved: bool,
    ) -> Self {
        self.answer(context, Rule::T7, |live, context| {
            let socket = live.open_socket();
            live.outbox
                .answer_confirmation(context, call, approved, socket);
        })
    }

    pub(crate) fn answer_input(
        self,
        context: &mut Context<'_>,
        request: InputRequestId,
        content: Box<str>,
    ) -> Self {
        self.answer(context, Rule::T7, |live, context| {
            let socket = live.open_socket();
            live.outbox.answer_input(context, request, content, socket);
        })
    }

    /// An answer to what the run asks its caller; after the end it is not heard, by the rule `late`.
    fn answer(
        self,
        context: &mut Context<'_>,
        late: Rule,
        act: impl FnOnce(&mut Live, &mut Context<'_>),
    ) -> Self {
        if matches!(self, Self::Settling(_) | Self::Ended(_)) {
            context.cite(late);
        }
        self.with_live(context, |live, context| {
            act(live, context);
            None
        })
    }
}

/// Facts.
impl Phase {
    pub(crate) fn on_opened(self, context: &mut Context<'_>, dial: DialId) -> Self {
        self.on_dial(context, dial, Live::on_opened)
    }

    pub(crate) fn on_dial_failed(
        self,
        context: &mut Context<'_>,
        dial: DialId,
        failure: DialFailure,
    ) -> Self {
        self.on_dial(context, dial, |live, context| {
            live.on_dial_failed(context, failure)
        })
    }

    pub(crate) fn on_closed(self, context: &mut Context<'_>, dial: DialId, close: Close) -> Self {
        self.on_dial(context, dial, |live, context| {
            live.on_closed(context, close)
        })
    }

    #[inline]
    pub(crate) fn on_frame(
        self,
        context: &mut Context<'_>,
        dial: DialId,
        frame: ServerFrame,
    ) -> Self {
        let Self::Streaming(mut live) = self else {
            return self.ignore(context, Ignored::StaleDial(dial));
        };
        if live.connection.current() != Some(dial) {
            return Self::Streaming(live).ignore(context, Ignored::StaleDial(dial));
        }
        live.connection.heard(context.now());
        let answers_auth = matches!(
            frame,
            ServerFrame::AuthSuccess | ServerFrame::AuthFailed(_) | ServerFrame::AuthExpired
        );
        if !answers_auth && live.connection.connected().is_none() {
            return Self::Streaming(live).ignore(context, Ignored::BeforeAuthentication);
        }
        let end = route_frame(&mut live, context, frame);
        Self::follow(live, context, end)
    }

    /// C5.
    pub(crate) fn on_frame_arriving(self, context: &mut Context<'_>, dial: DialId) -> Self {
        self.on_dial(context, dial, Live::on_frame_arriving)
    }

    pub(crate) fn on_frame_rejected(
        self,
        context: &mut Context<'_>,
        dial: DialId,
        problem: FrameProblem,
    ) -> Self {
        self.on_dial(context, dial, |live, context| {
            live.connection.heard(context.now());
            context.warn(Warning::FrameRejected(problem));
            None
        })
    }

    /// Each answer goes to the request it answers; any other changes nothing (C13).
    pub(crate) fn on_reply(
        self,
        context: &mut Context<'_>,
        request: RequestId,
        reply: Reply,
    ) -> Self {
        match self {
            Self::Idle | Self::Ended(_) => self.ignore(context, Ignored::StaleRequest(request)),
            Self::Starting(starting) => starting.on_reply(context, request, reply),
            Self::Attaching(attaching) => attaching.on_reply(context, request, reply),
            Self::Settling(settling) => settling.on_reply(context, request, reply),
            Self::Streaming(mut live) => {
                let end = live.on_reply(context, request, reply);
                Self::follow(live, context, end)
            }
        }
    }

    /// C15.
    pub(crate) fn on_network_changed(self, context: &mut Context<'_>, network: Network) -> Self {
        context.cite(Rule::C15);
        if core::mem::replace(&mut context.kit.network, network) == network {
            return self.ignore(context, Ignored::NoChange);
        }
        match (self, network) {
            (Self::Streaming(mut live), Network::Online) => {
                let end = live.on_online(context);
                Self::follow(live, context, end)
            }
            (Self::Attaching(mut attaching), Network::Online) => {
                attaching.live.retry_token_online(context);
                Self::Attaching(attaching)
            }
            (Self::Streaming(mut live), Network::Offline) => {
                live.on_offline(context);
                Self::Streaming(live)
            }
            (Self::Attaching(mut attaching), Network::Offline) => {
                attaching.live.on_offline(context);
                Self::Attaching(attaching)
            }
            (phase, Network::Online | Network::Offline) => phase,
        }
    }

    /// C5: the caller reads slowly: silence is ours, not the peer's.
    pub(crate) fn on_reading_paused(self, context: &mut Context<'_>) -> Self {
        context.cite(Rule::C5);
        if context.kit.timers.is_paused() {
            return self.ignore(context, Ignored::NoChange);
        }
        let now = context.now();
        context.kit.timers.pause(now);
        self
    }

    pub(crate) fn on_reading_resumed(mut self, context: &mut Context<'_>) -> Self {
        context.cite(Rule::C5);
        if !context.kit.timers.is_paused() {
            return self.ignore(context, Ignored::NoChange);
        }
        let now = context.now();
        let stood = context.kit.timers.resume(now);
        if let Self::Streaming(live) = &mut self {
            live.connection.stood_still(stood, now);
            live.session.sequence.stood_still(stood, now);
            live.session.inquiry.on_reading_resumed(context);
        }
        self
    }

    pub(crate) fn on_restored(self, context: &mut Context<'_>, token: Option<TokenGrant>) -> Self {
        match self {
            Self::Idle | Self::Ended(_) => self,
            Self::Starting(starting) => starting.on_restored(context, token),
            Self::Attaching(attaching) => attaching.on_restored(context, token),
            Self::Settling(settling) => settling.on_restored(context),
            Self::Streaming(mut live) => {
                let end = live.on_restored(context, token);
                Self::follow(live, context, end)
            }
        }
    }

    /// One due timer; `due` is when it should have rung.
    pub(crate) fn on_timer(self, context: &mut Context<'_>, timer: Timer, due: Timestamp) -> Self {
        match (self, timer) {
            (Self::Starting(starting), Timer::StartDeadline) => starting.on_start_deadline(context),
            (Self::Starting(starting), Timer::StopGrace) => starting.on_stop_grace_over(context),
            (Self::Starting(starting), Timer::MessagesDeadline) => {
                starting.on_messages_deadline(context)
            }
            (Self::Attaching(attaching), Timer::MarkerDeadline) => {
                attaching.on_marker_deadline(context)
            }
            (Self::Attaching(attaching), timer) => attaching.on_live_timer(context, timer),
            (Self::Settling(settling), Timer::StopGrace) => settling.on_stop_grace_over(context),
            (Self::Settling(settling), Timer::Settle) => settling.on_settle_due(context),
            (Self::Streaming(mut live), timer) => {
                let end = route_timer(&mut live, context, timer, due);
                Self::follow(live, context, end)
            }
            (phase @ (Self::Idle | Self::Starting(_) | Self::Settling(_) | Self::Ended(_)), _) => {
                phase
            }
        }
    }

    /// A live run goes on, or ends: told first, then settled (R6).
    #[inline]
    pub(crate) fn follow(live: Box<Live>, context: &mut Context<'_>, end: Option<End>) -> Self {
        match end {
            None => Self::Streaming(live),
            Some(end) => live.end(context, end),
        }
    }

    /// What only means something to a run that streams; a fact about a socket that is not the current one changes
    /// nothing (C13).
    fn on_dial(
        self,
        context: &mut Context<'_>,
        dial: DialId,
        act: impl FnOnce(&mut Live, &mut Context<'_>) -> Option<End>,
    ) -> Self {
        match self {
            Self::Streaming(mut live) if live.connection.current() == Some(dial) => {
                let end = act(&mut live, context);
                Self::follow(live, context, end)
            }
            Self::Idle
            | Self::Starting(_)
            | Self::Attaching(_)
            | Self::Streaming(_)
            | Self::Settling(_)
            | Self::Ended(_) => self.ignore(context, Ignored::StaleDial(dial)),
        }
    }

    fn with_live(
        self,
        context: &mut Context<'_>,
        act: impl FnOnce(&mut Live, &mut Context<'_>) -> Option<End>,
    ) -> Self {
        match self {
            Self::Streaming(mut live) => {
                let end = act(&mut live, context);
                Self::follow(live, context, end)
            }
            Self::Idle | Self::Starting(_) | Self::Attaching(_) => {
                self.ignore(context, Ignored::NotBegun)
            }
            Self::Settling(_) | Self::Ended(_) => self.ignore(context, Ignored::AlreadyEnded),
        }
    }

    fn ignore(self, context: &mut Context<'_>, why: Ignored) -> Self {
        context.ignore(why);
        self
    }
}

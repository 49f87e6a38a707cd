//! What has happened to a run, by its phase: sockets, frames, replies, timers, the network, the host.

use agent_gateway_protocol::ServerFrame;

use crate::context::Context;
use crate::event::{Close, DialFailure, FrameProblem, Network};
use crate::fences::{DialId, RequestId};
use crate::ignored::Ignored;
use crate::notification::Warning;
use crate::request::Reply;
use crate::rule::Rule;
use crate::run::Phase;
use crate::run::live::Live;
use crate::time::Timestamp;
use crate::timers::Timer;
use crate::token::TokenGrant;
use crate::transition::{route_frame, route_timer};

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
                attaching.live.ask_online(context);
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
}

//! What the caller asks of a run, by its phase.

use alloc::boxed::Box;

use agent_gateway_protocol::{ClientFrame, InputRequestId, OperationId, ToolCallId};

use crate::context::Context;
use crate::effect::Effect;
use crate::event::{Attach, Execute, ToolAnswer};
use crate::ignored::Ignored;
use crate::outcome::Outcome;
use crate::rule::Rule;
use crate::run::attaching::Attaching;
use crate::run::live::Live;
use crate::run::settling::Settling;
use crate::run::starting::Starting;
use crate::run::{End, Phase};

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
        self.leave(context, Outcome::Detached)
    }

    /// R8: as a detach, for another reason.
    pub(crate) fn supersede(self, context: &mut Context<'_>, by: Option<OperationId>) -> Self {
        self.leave(context, Outcome::Superseded { by })
    }

    /// S12: the run goes on without us.
    fn leave(self, context: &mut Context<'_>, outcome: Outcome) -> Self {
        match self {
            Self::Idle => {
                context.cite(Rule::S12);
                Settling::end(context, None, outcome)
            }
            Self::Starting(starting) => starting.leave(context, outcome),
            Self::Attaching(attaching) => attaching.leave(context, outcome),
            Self::Streaming(live) => {
                context.cite(Rule::S12);
                Self::follow(live, context, Some(End::left_alone(outcome)))
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
                    frame: ClientFrame::Interrupt,
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
        match self {
            // Calls of an earlier program may be open, and whoever remembers one may answer it (T1).
            Self::Attaching(mut attaching) => {
                act(&mut attaching.live, context);
                Self::Attaching(attaching)
            }
            phase @ (Self::Idle
            | Self::Starting(_)
            | Self::Streaming(_)
            | Self::Settling(_)
            | Self::Ended(_)) => phase.with_live(context, |live, context| {
                act(live, context);
                None
            }),
        }
    }
}

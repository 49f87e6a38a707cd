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
mod commands;
mod conclusion;
mod due;
mod end;
mod facts;
pub(crate) mod live;
mod meaning;
mod settling;
mod starting;
mod stop;
mod stream;

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::fences::DialId;
use crate::ignored::Ignored;
use attaching::Attaching;
pub(crate) use end::{End, Ended, ServerSide};
use live::Live;
pub(crate) use meaning::Meaning;
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

impl Phase {
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

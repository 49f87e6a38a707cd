//! The lifecycle of one agent run as a pure function.
//!
//! ```text
//! transition(State, Event) -> (State, Effects)
//! ```
//!
//! [`State`] is one run, plain data. An [`Event`] is a command of the caller or a fact the hands saw happen, with the
//! time it happened at. [`Effects`] is the ordered list of what to do about it. Nothing in here waits, reads a clock,
//! opens a socket or holds a secret: that is what the hands (`agent-gateway-adapters`) are for, and the simulator
//! (`agent-gateway-sim`) is another pair of hands.
//!
//! The rules it carries out are numbered in `LIFECYCLE.md` beside this crate's manifest; the code names them (`C5`,
//! `S8`) where it carries them out.
//!
//! # What may grow
//! What the machine is told and what it answers is exhaustive on purpose: [`EventKind`], [`Effect`], [`Notification`] and
//! [`Warning`], [`Outcome`], [`Ignored`], [`Call`] and [`Reply`], the registry's events and directives, the frames. A
//! new one may want something done: an effect that hands pass over leaves a run standing, a request that a program passes
//! over holds it up until its deadline, and an outcome nobody thought of is no success. So the compiler is to name every
//! place that does not know it yet, here and in programs that want it; it comes with a release that breaks, and says so.
//! Who wants to pass over what is new writes `_`. `#[non_exhaustive]` is what grows without a break: numbers ([`Limits`],
//! [`Receipt`]), what is stored ([`Bookmark`]), reasons of errors that are shown, not decided by, and the changes of a
//! [`transcript`]; and of the hands all options, errors and snapshots.
//!
//! What it deliberately does not do: it does not render anything (see [`transcript`] for that fold), it does not
//! retry what nobody asked for, and it never guesses how a run ended.

#![no_std]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::wildcard_enum_match_arm
    )
)]

extern crate alloc;

mod bookmark;
mod canonical;
mod check;
mod config;
mod connection;
mod context;
mod cursor;
mod effect;
mod effects;
mod event;
mod fences;
mod ignored;
mod jitter;
mod mutation;
mod notification;
mod outbox;
mod outcome;
mod receipt;
pub mod recording;
pub mod registry;
mod request;
mod rule;
mod run;
mod session;
mod state;
mod time;
mod timers;
mod token;
pub mod transcript;
mod transition;
mod version;

pub use bookmark::Bookmark;
pub use canonical::Renaming;
pub use config::{Config, ConfigError, Limits};
pub use cursor::{Cursor, Digest};
pub use effect::{Alarm, Effect};
pub use effects::Effects;
pub use event::{
    Attach, Close, DialFailure, DialFailureKind, Event, EventKind, Execute, FrameProblem, Network,
    ToolAnswer,
};
pub use fences::{DialId, RequestId};
pub use ignored::Ignored;
#[doc(hidden)]
pub use mutation::Mutation;
pub use notification::{
    AnswerId, AnswerRefusal, ConnectionStatus, EventReceived, Notification, RunStarted,
    StopFailure, TopicStatus, Warning,
};
pub use outcome::{AttachRefusal, Outcome, RunError, StartFailure};
pub use receipt::Receipt;
pub use request::{
    Call, HttpAnswer, Refusal, RefusalKind, Reply, RequestFailure, Started, StatusReport,
};
pub use rule::{Rule, Rules};
pub use session::SessionStatus;
pub use state::State;
pub use time::{Millis, Timestamp};
pub use timers::Timer;
pub use token::{Renewal, TokenGrant, TokenId, TokenKind};
pub use transition::transition;

//! Why an event changed nothing. A visible result, counted in the receipt and in tests.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::fences::{DialId, RequestId};
use crate::rule::Rule;

/// Why an event changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// A fact about a socket that is not the current one (C13).
    StaleDial(DialId),
    /// A reply to a request that is not outstanding (C13).
    StaleRequest(RequestId),
    /// A reply of the wrong kind for its request; the request counts as failed.
    UnexpectedReply(RequestId),
    /// A frame other than an answer to `auth` came before `auth_success` (C3).
    BeforeAuthentication,
    /// `ConnectionOpened` for a socket that is already open.
    AlreadyOpen(DialId),
    /// `auth_success` on a socket that is authenticated already.
    AlreadyAuthenticated,
    /// `Execute` or `Attach` on a state that has had one: a state is one run.
    AlreadyBegun,
    /// A command that needs a run in progress, before there is one.
    NotBegun,
    /// The run is over (S11).
    AlreadyEnded,
    /// A stop while one is already being carried out (R5).
    AlreadyStopping,
    /// An interrupt while not authenticated (S13).
    NotAuthenticated,
    /// The network, or reading, was already as the event says.
    NoChange,
    /// The end of another operation on this channel, echoed (S4).
    Echo,
    /// An end of a stretch of the run that is only waiting for an asynchronous tool (S9b).
    Suspended,
}

impl Ignored {
    /// The rule that asks for it; none for a command or fact that only says what is so already.
    pub(crate) const fn rule(&self) -> Option<Rule> {
        match self {
            Self::StaleDial(_)
            | Self::StaleRequest(_)
            | Self::UnexpectedReply(_)
            | Self::AlreadyOpen(_)
            | Self::AlreadyAuthenticated => Some(Rule::C13),
            Self::BeforeAuthentication => Some(Rule::C3),
            Self::AlreadyEnded => Some(Rule::S11),
            Self::AlreadyStopping => Some(Rule::R5),
            Self::NotAuthenticated => Some(Rule::S13),
            Self::Echo => Some(Rule::S4),
            Self::Suspended => Some(Rule::S9b),
            Self::AlreadyBegun | Self::NotBegun | Self::NoChange => None,
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaleDial(dial) => write!(formatter, "{dial} is not current"),
            Self::StaleRequest(request) => write!(formatter, "{request} is not outstanding"),
            Self::UnexpectedReply(request) => {
                write!(formatter, "not the kind of reply {request} asked for")
            }
            Self::BeforeAuthentication => formatter.write_str("before auth_success"),
            Self::AlreadyOpen(dial) => write!(formatter, "{dial} is open already"),
            Self::AlreadyAuthenticated => formatter.write_str("authenticated already"),
            Self::AlreadyBegun => formatter.write_str("this state already has a run"),
            Self::NotBegun => formatter.write_str("no run has begun"),
            Self::AlreadyEnded => formatter.write_str("the run is over"),
            Self::AlreadyStopping => formatter.write_str("a stop is being carried out"),
            Self::NotAuthenticated => formatter.write_str("not authenticated"),
            Self::NoChange => formatter.write_str("no change"),
            Self::Echo => formatter.write_str("the echo of another operation's end"),
            Self::Suspended => formatter.write_str("the run waits for an asynchronous tool"),
        }
    }
}

//! The end of a run, and a run that is over.

use agent_gateway_protocol::{OperationId, TopicId};
use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::outcome::Outcome;
use crate::run::live::Identity;

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
    pub(super) outcome: Outcome,
    pub(super) server_side: ServerSide,
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
    pub(super) fn before_streaming(identity: Option<Identity>, outcome: Outcome) -> Self {
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

//! The cursor: how far in the server's sequence everything has been handed on (C10).

use core::fmt;

use agent_gateway_protocol::EventId;
use serde::{Deserialize, Serialize};

/// The place of the last frame passed in order.
///
/// A cursor never goes back within an epoch, and no new socket resets it. Keep it to attach again later: everything up
/// to it has been received, nothing after it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor {
    /// How often the gateway's counter has been seen to start again (C9).
    pub epoch: u32,
    /// The id of the last frame passed; `None` before the first (the wire's `""`).
    pub id: Option<EventId>,
    /// What that frame was: tells its own replay from a restarted counter that happens to have the same id (C9).
    pub digest: Option<Digest>,
}

impl Cursor {
    /// The beginning: nothing passed yet.
    #[must_use]
    pub const fn start() -> Self {
        Self {
            epoch: 0,
            id: None,
            digest: None,
        }
    }

    /// Whether nothing has been passed yet.
    #[must_use]
    pub fn is_start(&self) -> bool {
        self.id.is_none()
    }

    /// The id as a number, where it is one; the beginning counts as 0. `None` for an id that is not a number.
    pub(crate) fn number(&self) -> Option<u64> {
        self.id.as_ref().map_or(Some(0), EventId::number)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch > 0 {
            write!(formatter, "{}/", self.epoch)?;
        }
        match &self.id {
            None => formatter.write_str("start"),
            Some(id) => write!(formatter, "{id}"),
        }
    }
}

/// 32 bits over a frame's id, timestamp and type (C9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub u32);

//! The frame that is asked for once more after a reconnect (C10).

use agent_gateway_protocol::EventId;

use crate::cursor::Digest;

/// A frame that has passed, and whose coming again shows whether the gateway's count goes on. A gateway that may have forgotten
/// the operation numbers from 1 again, and its new count may have gone past the cursor unseen; then another frame comes in its
/// place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overlap {
    pub(super) number: u64,
    pub(super) digest: Digest,
}

impl Overlap {
    /// What `resume` names for it to come: the frame before it. Before the first there is none, and the replay is asked for
    /// from the beginning.
    pub(super) fn named(self) -> Option<EventId> {
        let before = self.number.saturating_sub(1);
        (before > 0).then_some(EventId::Number(before))
    }
}

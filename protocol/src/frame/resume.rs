use serde::{Deserialize, Serialize};

use crate::EventId;

/// `resume`: send what came after this frame, then go on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resume {
    /// The last frame received; `None` (`""` on the wire) asks for everything the gateway still has.
    pub last_event_id: Option<EventId>,
    /// Ask for a `resume_complete` with the status.
    pub want_status: bool,
}

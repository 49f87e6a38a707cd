use serde::{Deserialize, Serialize};

use crate::{EventId, OperationStatus};

/// `status_change`: the operation's status, as the gateway keeps it, is another one now.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusChange {
    /// Its place in the sequence.
    pub id: Option<EventId>,
    /// The new status.
    pub status: OperationStatus,
}

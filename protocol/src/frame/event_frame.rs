use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{AgentEvent, EventId};

/// `agent_event`: one agent event in its place of the sequence.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EventFrame {
    /// Its place in the sequence.
    pub id: Option<EventId>,
    /// The event, shared by whoever holds the frame and by whoever it is handed on to.
    pub event: Arc<AgentEvent>,
}

use serde::{Deserialize, Serialize};

use crate::{EventId, RawJson, ToolCallId};

/// `tool_confirmation_request`: may this tool run? The gateway waits 60 s for the `tool_confirmation`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ToolConfirmationRequest {
    /// Its place in the sequence.
    pub id: Option<EventId>,
    /// What is to run, in whatever shape the server describes it.
    pub tool: Option<RawJson>,
    /// The call asked about.
    pub tool_call_id: ToolCallId,
}

impl ToolConfirmationRequest {
    /// Bytes of text held.
    pub fn size(&self) -> usize {
        self.tool.as_ref().map_or(0, RawJson::len) + self.tool_call_id.as_str().len()
    }
}

use serde::{Deserialize, Serialize};

use crate::ToolCallId;

/// `tool_confirmation`: the answer to a `tool_confirmation_request`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ToolConfirmation {
    /// The call asked about.
    pub tool_call_id: ToolCallId,
    /// Whether it may run.
    pub approved: bool,
}

use super::ToolCalling;
use crate::{MessageId, members::members};

members! {
    /// `tool_start`: a tool begins.
    #[derive(Default)]
    pub struct ToolStart {
        /// The row that asked for it; may be empty. After an approval it is the tool's own row.
        parent_message_id: optional MessageId = "parentMessageId",
        /// The call.
        tool_calling: optional ToolCalling = "toolCalling",
        /// The row of the answer.
        assistant_message_id: optional MessageId = "assistantMessageId",
        /// The tool's row exists already.
        skip_create_tool_message: optional bool = "skipCreateToolMessage",
    }
}

use alloc::boxed::Box;

use super::Subagent;
use crate::{RawJson, ToolCallId, members::members};

members! {
    /// `tool_result`, the event: the content of a finished tool. Not the client's frame of that name.
    #[derive(Default)]
    pub struct ToolResultContent {
        /// The call.
        tool_call_id: optional ToolCallId = "toolCallId",
        /// What the model reads.
        content: optional Box<str> = "content",
        /// It failed.
        is_error: optional bool = "isError",
        /// What the tool remembers.
        plugin_state: optional RawJson = "pluginState",
        /// Set if this belongs to a sub-thread.
        subagent: optional Subagent = "subagent",
    }
}

use alloc::boxed::Box;

use crate::{MessageId, RawJson, ToolCallId, members::members};

members! {
    /// One call of a tool, as the model asks for it.
    #[derive(Default)]
    pub struct ToolCalling {
        /// The call.
        id: optional ToolCallId = "id",
        /// The tool.
        identifier: optional Box<str> = "identifier",
        /// What it is to do.
        api_name: optional Box<str> = "apiName",
        /// JSON, possibly incomplete while it streams.
        arguments: optional Box<str> = "arguments",
        /// The kind of tool (`type` on the wire), such as `builtin`.
        kind: optional Box<str> = "type",
        /// Where the tool comes from.
        source: optional Box<str> = "source",
        /// `server` or `client`.
        executor: optional Box<str> = "executor",
        /// The row of its result. Once known it stays, though later lists leave it out.
        result_msg_id: optional MessageId = "result_msg_id",
    }
}

members! {
    /// Which sub-thread something belongs to.
    #[derive(Default)]
    pub struct Subagent {
        /// The call that began the sub-thread.
        parent_tool_call_id: optional ToolCallId = "parentToolCallId",
        /// The message in that sub-thread.
        subagent_message_id: optional MessageId = "subagentMessageId",
        /// What it was begun for.
        spawn_metadata: optional RawJson = "spawnMetadata",
    }
}

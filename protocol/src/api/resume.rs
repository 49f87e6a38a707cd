use alloc::boxed::Box;

use crate::{MessageId, Object, RawJson, ToolCallId, members::members, string_enum::string_enum};

string_enum! {
    /// What a person says to a call that waits for approval.
    pub enum Decision {
        /// Run it.
        Approved = "approved",
        /// Do not; the reason becomes the tool's content and the model answers.
        Rejected = "rejected",
        /// The same to the server; what applications send.
        RejectedContinue = "rejected_continue",
    }
}

members! {
    /// Goes on after approval, as a new run (R9).
    pub struct ResumeApproval {
        /// What the person says.
        decision: required Decision = "decision",
        /// The tool's own row.
        parent_message_id: required MessageId = "parentMessageId",
        /// The call.
        tool_call_id: required ToolCallId = "toolCallId",
        /// Why not.
        rejection_reason: optional Box<str> = "rejectionReason",
    }
}

members! {
    /// Goes on with a tool's result that the user gave, as a new run; nothing is executed.
    pub struct ResumeToolResult {
        /// The result.
        content: required Box<str> = "content",
        /// The tool's own row.
        parent_message_id: required MessageId = "parentMessageId",
        /// The call.
        tool_call_id: required ToolCallId = "toolCallId",
        /// What the tool remembers: an object.
        plugin_state: optional RawJson = "pluginState",
    }
}

impl ResumeApproval {
    /// The input with what it needs.
    pub fn new(
        decision: Decision,
        parent_message_id: impl Into<MessageId>,
        tool_call_id: impl Into<ToolCallId>,
    ) -> Self {
        Self {
            decision,
            parent_message_id: parent_message_id.into(),
            tool_call_id: tool_call_id.into(),
            rejection_reason: None,
            extra: Object::new(),
        }
    }
}

impl ResumeToolResult {
    /// The input with what it needs.
    pub fn new(
        content: impl Into<Box<str>>,
        parent_message_id: impl Into<MessageId>,
        tool_call_id: impl Into<ToolCallId>,
    ) -> Self {
        Self {
            content: content.into(),
            parent_message_id: parent_message_id.into(),
            tool_call_id: tool_call_id.into(),
            plugin_state: None,
            extra: Object::new(),
        }
    }
}

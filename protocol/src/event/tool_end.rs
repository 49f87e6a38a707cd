use alloc::boxed::Box;

use super::ToolCalling;
use crate::{MessageId, RawJson, ToolCallId, members::members};

members! {
    /// `tool_end`: a tool is over. Its failure is not the run's.
    #[derive(Default)]
    pub struct ToolEnd {
        /// Whether it succeeded.
        is_success: optional bool = "isSuccess",
        /// How long it took, in ms.
        execution_time: optional u64 = "executionTime",
        /// How often it was tried; 0 if it was blocked.
        attempts: optional u32 = "attempts",
        /// How often it would have been tried.
        max_attempts: optional u32 = "maxAttempts",
        /// `tool_execution`.
        phase: optional Box<str> = "phase",
        /// What was called.
        payload: optional ToolPayload = "payload",
        /// What came out.
        result: optional ToolOutcome = "result",
        /// The call, in the flat form of runs made elsewhere.
        tool_call_id: optional ToolCallId = "toolCallId",
    }
}

members! {
    /// What was called.
    #[derive(Default)]
    pub struct ToolPayload {
        /// The row that asked for it.
        parent_message_id: optional MessageId = "parentMessageId",
        /// The call.
        tool_calling: optional ToolCalling = "toolCalling",
    }
}

members! {
    /// What came out of a tool.
    #[derive(Default)]
    pub struct ToolOutcome {
        /// Whether it succeeded.
        success: optional bool = "success",
        /// What the model reads; newest servers leave it out.
        content: optional Box<str> = "content",
        /// What the tool remembers.
        state: optional RawJson = "state",
        /// Why it failed, a text or an object.
        error: optional RawJson = "error",
        /// How long it took, in ms.
        execution_time: optional u64 = "executionTime",
    }
}

impl ToolEnd {
    /// The call that is over, from either form.
    pub fn tool_call_id(&self) -> Option<ToolCallId> {
        let nested = || self.payload.as_ref()?.tool_calling.as_ref()?.id.clone();
        self.tool_call_id.clone().or_else(nested)
    }
}

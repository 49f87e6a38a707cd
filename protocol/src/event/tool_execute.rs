use alloc::boxed::Box;

use crate::{ToolCallId, members::members};

members! {
    /// `tool_execute`: a tool is to be run by the client, which owes exactly one `tool_result`.
    pub struct ToolExecute {
        /// The call to answer.
        tool_call_id: required ToolCallId = "toolCallId",
        /// The tool.
        identifier: required Box<str> = "identifier",
        /// What it is to do.
        api_name: required Box<str> = "apiName",
        /// JSON; empty means `{}`. May be broken: that is answered, not executed.
        arguments: required Box<str> = "arguments",
        /// How long the server waits, in ms. Missing, zero or below means 120,000 (T1).
        execution_timeout_ms: optional i64 = "executionTimeoutMs",
    }
}

impl ToolExecute {
    /// Bytes of text held.
    pub fn size(&self) -> usize {
        let texts = [&self.identifier, &self.api_name, &self.arguments];
        let texts: usize = texts.iter().map(|text| text.len()).sum();
        self.tool_call_id.as_str().len() + texts + self.extra.size()
    }
}

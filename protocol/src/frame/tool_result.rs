use alloc::{boxed::Box, string::String};

use serde::{Deserialize, Serialize};

use crate::{
    Object, RawJson, ToolCallId,
    json::{FromJson, JsonSlice, ObjectWriter, ToJson},
};

/// `tool_result`: the answer to a `tool_execute` event. Exactly one is due a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ToolResult {
    /// The call answered.
    pub tool_call_id: ToolCallId,
    /// What the model reads. Always written, as a string or null (T5): without it the server refuses the result.
    pub content: Option<Box<str>>,
    /// The executor's own verdict; may be false without an error.
    pub success: bool,
    /// Why it failed. Left out when absent (T5).
    pub error: Option<ToolError>,
    /// What the tool remembers: an object. Left out when absent or of another shape (T5): the server refuses both.
    pub state: Option<RawJson>,
}

/// Why a tool failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ToolError {
    /// The kind of failure (`type` on the wire), such as `client_executor_timeout`. Can be missing.
    pub kind: Option<Box<str>>,
    /// What to say of it.
    pub message: Box<str>,
    /// Whatever else came with it.
    pub extra: Object,
}

impl ToolError {
    /// An error of that kind with that message.
    pub fn new(kind: impl Into<Box<str>>, message: impl Into<Box<str>>) -> Self {
        Self {
            kind: Some(kind.into()),
            message: message.into(),
            extra: Object::new(),
        }
    }

    /// Bytes of text held.
    pub fn size(&self) -> usize {
        let kind = self.kind.as_ref().map_or(0, |kind| kind.len());
        kind + self.message.len() + self.extra.size()
    }
}

impl FromJson for ToolError {
    fn from_json(json: JsonSlice<'_>) -> Option<Self> {
        let mut extra: Object = json.read()?;
        let kind = extra.take("type");
        let message = extra.take("message").unwrap_or_default();
        Some(Self {
            kind,
            message,
            extra,
        })
    }
}

impl ToJson for ToolError {
    fn write_json(&self, out: &mut String) {
        let mut writer = ObjectWriter::new(out);
        writer.optional("type", self.kind.as_ref());
        writer.member("message", &self.message);
        self.extra.write_members(&mut writer);
        writer.finish();
    }
}

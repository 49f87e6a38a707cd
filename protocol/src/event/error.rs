use alloc::{borrow::ToOwned, boxed::Box, string::String};

use crate::{RawJson, json::JsonSlice, members::members, string_enum::string_enum};

members! {
    /// `error`: something failed. Its data has had many shapes; [`text`](Self::text) and [`kind`](Self::kind) read all.
    #[derive(Default)]
    pub struct ErrorPayload {
        /// What failed, in a sentence.
        message: optional Box<str> = "message",
        /// The same as a text, or an object with a `message` or another `error` inside.
        error: optional RawJson = "error",
        /// The kind, a text or a number.
        error_type: optional RawJson = "errorType",
        /// The kind (`type` on the wire), a text or a number.
        kind: optional RawJson = "type",
        /// Where it failed.
        phase: optional ErrorPhase = "phase",
        /// What the provider said.
        body: optional RawJson = "body",
        /// The answer that a model runtime passes on.
        response_body: optional RawJson = "_responseBody",
        /// The provider's HTTP status.
        http_status: optional u32 = "httpStatus",
    }
}

string_enum! {
    /// Where a run failed.
    pub enum ErrorPhase {
        /// Asking the model; the run ends.
        LlmExecution = "llm_execution",
        /// The step around it; the run ends.
        StepExecution = "step_execution",
        /// A tool; within a batch the run goes on.
        ToolExecution = "tool_execution",
        /// Writing a tool's row.
        ToolMessagePersist = "tool_message_persist",
    }
}

impl ErrorPayload {
    /// What failed, in a sentence: the first text that is not empty of `message`, `error`, `error.message`,
    /// `error.error.message`, the same inside `_responseBody`, `body.message`; else the type; else `Unknown error`.
    pub fn text(&self) -> String {
        let message = self
            .message
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(ToOwned::to_owned);
        message
            .or_else(|| within_error(self.error.as_ref()?.as_slice()))
            .or_else(|| {
                let response = self.response_body.as_ref()?.as_slice();
                response
                    .member("message")
                    .and_then(text)
                    .or_else(|| within_error(response.member("error")?))
            })
            .or_else(|| {
                self.body
                    .as_ref()?
                    .as_slice()
                    .member("message")
                    .and_then(text)
            })
            .or_else(|| {
                self.error_type
                    .as_ref()
                    .and_then(|kind| label(kind.as_slice()))
            })
            .unwrap_or_else(|| "Unknown error".into())
    }

    /// What failed, of an error in any shape: a text, or an object as [`text`](Self::text) reads it.
    pub fn text_of(error: JsonSlice<'_>) -> String {
        text(error).unwrap_or_else(|| error.read::<Self>().unwrap_or_default().text())
    }

    /// The kind of failure: `type` or `errorType`, a text or a number; else `AgentRuntimeError`.
    pub fn kind(&self) -> String {
        [&self.kind, &self.error_type]
            .into_iter()
            .flatten()
            .find_map(|kind| label(kind.as_slice()))
            .unwrap_or_else(|| "AgentRuntimeError".into())
    }
}

/// The text of an error that is a text, or has a `message`, or an `error` with a `message`.
fn within_error(error: JsonSlice<'_>) -> Option<String> {
    text(error)
        .or_else(|| error.member("message").and_then(text))
        .or_else(|| error.member("error")?.member("message").and_then(text))
}

fn text(json: JsonSlice<'_>) -> Option<String> {
    json.read().filter(|text: &String| !text.is_empty())
}

/// A text, or a number as it is written.
fn label(json: JsonSlice<'_>) -> Option<String> {
    let number = json
        .as_str()
        .starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if number {
        Some(json.as_str().into())
    } else {
        text(json)
    }
}

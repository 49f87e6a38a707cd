use agent_gateway_protocol::ToolCallId;
use serde::{Deserialize, Serialize};

use super::Edit;

/// What became different in a transcript: what a screen must show next. Where a change names a place, the
/// [`Transcript`](super::Transcript) holds what is there now.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// Another step began: the last one of [`steps`](super::Transcript::steps).
    StepBegan,
    /// The last step's thoughts.
    Reasoning(Edit),
    /// The last step's text.
    Text(Edit),
    /// The model failed and is asked again: what the last step had said so far is void.
    AnswerDiscarded {
        /// The attempt to come, counted from 1, where told.
        attempt: Option<u32>,
        /// How many there will be at most, where told.
        max_attempts: Option<u32>,
        /// How long until then, in ms, where told.
        delay: Option<u64>,
    },
    /// The last step's sources.
    Grounding,
    /// The last step has another picture.
    Image,
    /// A tool.
    Tool {
        /// The call; see [`tool`](super::Transcript::tool).
        call: ToolCallId,
        /// What became of it.
        change: ToolChange,
    },
    /// No more visible text will come. Not an end.
    OutputEnded,
    /// The sums of [`usage`](super::Transcript::usage).
    Usage,
    /// The conversation's title.
    Title,
    /// Something failed: the last one of [`failures`](super::Transcript::failures).
    Failed,
    /// The run ended; see [`ending`](super::Transcript::ending).
    Ended,
    /// The run was started again after its end.
    EndVoided,
}

/// What became of a tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolChange {
    /// The model asks for it; its arguments may still be incomplete.
    Asked,
    /// The model does not ask for it after all; the transcript has dropped it.
    Dropped,
    /// A person must decide, or answer a question, first.
    Waiting,
    /// It runs.
    Started,
    /// It is over.
    Settled,
    /// It was given up.
    Aborted,
    /// What the model reads of it became known, or became something else, after it was over.
    Content,
    /// What it remembers.
    State,
}

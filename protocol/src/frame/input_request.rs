use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::{EventId, InputRequestId};

/// `input_request`: a question to the user. The gateway waits for the `user_input` with the same `requestId`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct InputRequest {
    /// Its place in the sequence.
    pub id: Option<EventId>,
    /// The question.
    pub prompt: Box<str>,
    /// What the answer must name.
    pub request_id: InputRequestId,
}

impl InputRequest {
    /// Bytes of text held.
    pub fn size(&self) -> usize {
        self.prompt.len() + self.request_id.as_str().len()
    }
}

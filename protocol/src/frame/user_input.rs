use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::InputRequestId;

/// `user_input`: the answer to an `input_request`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserInput {
    /// The question answered.
    pub request_id: InputRequestId,
    /// The answer.
    pub content: Box<str>,
}

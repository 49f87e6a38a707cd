use alloc::boxed::Box;

use crate::members::members;

members! {
    /// `llm_execute`: the model is to be called by the client. Not for this one: skip it.
    #[derive(Default)]
    pub struct LlmExecute {
        /// The call.
        call_id: optional Box<str> = "callId",
    }
}

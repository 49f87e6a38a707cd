use alloc::boxed::Box;

use crate::members::members;

members! {
    /// `stream_retry`: the model failed and is asked again; this step's partial text is void.
    #[derive(Default)]
    pub struct StreamRetry {
        /// The attempt to come, from 2.
        attempt: optional u32 = "attempt",
        /// How many there will be at most.
        max_attempts: optional u32 = "maxAttempts",
        /// How long until then, in ms.
        delay_ms: optional u64 = "delayMs",
        /// What failed.
        error_type: optional Box<str> = "errorType",
        /// `retry`.
        kind: optional Box<str> = "kind",
    }
}

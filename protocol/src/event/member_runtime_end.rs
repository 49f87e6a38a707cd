use alloc::boxed::Box;

use super::EndReason;
use crate::members::members;

members! {
    /// `member_runtime_end`: another operation shown on this stream is over. Never ends this one.
    #[derive(Default)]
    pub struct MemberRuntimeEnd {
        /// Why.
        reason: optional EndReason = "reason",
        /// The same in a sentence.
        reason_detail: optional Box<str> = "reasonDetail",
    }
}

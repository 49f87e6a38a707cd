use alloc::boxed::Box;

use crate::members::members;

members! {
    /// `visible_output_end`: no more visible text will come. Not an end of anything.
    #[derive(Default)]
    pub struct VisibleOutputEnd {
        /// Why, such as `final_answer`.
        reason: optional Box<str> = "reason",
    }
}

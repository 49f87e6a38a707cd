use alloc::{boxed::Box, vec::Vec};

use super::ToolCalling;
use crate::{RawJson, members::members};

members! {
    /// `stream_end`: the model's answer is whole.
    #[derive(Default)]
    pub struct StreamEnd {
        /// The whole text. If not empty it wins over the pieces; an empty one erases nothing.
        final_content: optional Box<str> = "finalContent",
        /// The whole thoughts.
        reasoning: optional Box<str> = "reasoning",
        /// The calls asked for.
        tools_calling: optional Vec<ToolCalling> = "toolsCalling",
        /// Where the answer is taken from.
        grounding: optional RawJson = "grounding",
        /// Pictures.
        image_list: optional RawJson = "imageList",
        /// Tokens and cost.
        usage: optional RawJson = "usage",
    }
}

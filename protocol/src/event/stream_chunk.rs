use alloc::{boxed::Box, vec::Vec};

use super::{Subagent, ToolCalling};
use crate::{
    Object, RawJson, ToolCallId,
    members::{members, tagged},
    string_enum::string_enum,
};

tagged! {
    /// `stream_chunk`: a piece of the answer.
    pub enum Chunk by "chunkType" {
        /// Text.
        Text(TextChunk) = "text",
        /// Thoughts.
        Reasoning(ReasoningChunk) = "reasoning",
        /// All the calls asked for so far.
        ToolsCalling(ToolsCallingChunk) = "tools_calling",
        /// Where the answer is taken from.
        Grounding(GroundingChunk) = "grounding",
        /// What a running tool remembers.
        ToolState(ToolStateChunk) = "tool_state",
        /// Pictures, inline.
        Base64Image(Base64ImageChunk) = "base64_image",
        /// Pictures, by address.
        Image(ImageChunk) = "image",
        /// Parts of an answer that is not text alone.
        ContentPart(ContentPartChunk) = "content_part",
        /// Parts of thoughts that are not text alone.
        ReasoningPart(ReasoningPartChunk) = "reasoning_part",
    }
}

string_enum! {
    /// How a piece relates to what came before.
    pub enum SnapshotMode {
        /// It is the whole so far; drop it if its number is not above the last one applied.
        Replace = "replace",
    }
}

members! {
    /// A piece of text.
    #[derive(Default)]
    pub struct TextChunk {
        /// The text: append it, unless the mode says otherwise.
        content: optional Box<str> = "content",
        /// Absent: append.
        snapshot_mode: optional SnapshotMode = "snapshotMode",
        /// The number of a snapshot; grows.
        snapshot_seq: optional u64 = "snapshotSeq",
    }
}

members! {
    /// A piece of thought.
    #[derive(Default)]
    pub struct ReasoningChunk {
        /// The text: append it, unless the mode says otherwise.
        reasoning: optional Box<str> = "reasoning",
        /// Absent: append.
        snapshot_mode: optional SnapshotMode = "snapshotMode",
        /// The number of a snapshot; grows.
        snapshot_seq: optional u64 = "snapshotSeq",
    }
}

members! {
    /// The calls asked for so far.
    #[derive(Default)]
    pub struct ToolsCallingChunk {
        /// Always the full list: it replaces the one before. Arguments may still be incomplete JSON.
        tools_calling: optional Vec<ToolCalling> = "toolsCalling",
        /// The rows of calls that wait for approval, by call.
        tool_message_ids: optional Object = "toolMessageIds",
        /// Set if this belongs to a sub-thread.
        subagent: optional Subagent = "subagent",
    }
}

members! {
    /// Where the answer is taken from; replaces what was known.
    #[derive(Default)]
    pub struct GroundingChunk {
        /// Citations and search queries.
        grounding: optional RawJson = "grounding",
    }
}

members! {
    /// What a running tool remembers; replaces what was known of that call, until its `tool_end`.
    #[derive(Default)]
    pub struct ToolStateChunk {
        /// The call.
        tool_call_id: optional ToolCallId = "toolCallId",
        /// Its state.
        plugin_state: optional RawJson = "pluginState",
        /// Always `replace`.
        snapshot_mode: optional SnapshotMode = "snapshotMode",
        /// The number of the snapshot; grows by call.
        snapshot_seq: optional u64 = "snapshotSeq",
    }
}

members! {
    /// Pictures, inline.
    #[derive(Default)]
    pub struct Base64ImageChunk {
        /// The pictures.
        image_list: optional RawJson = "imageList",
    }
}

members! {
    /// Pictures, by address.
    #[derive(Default)]
    pub struct ImageChunk {
        /// The pictures.
        images: optional RawJson = "images",
    }
}

members! {
    /// Parts of an answer.
    #[derive(Default)]
    pub struct ContentPartChunk {
        /// The parts.
        content_parts: optional RawJson = "contentParts",
    }
}

members! {
    /// Parts of thoughts.
    #[derive(Default)]
    pub struct ReasoningPartChunk {
        /// The parts.
        reasoning_parts: optional RawJson = "reasoningParts",
    }
}

use serde::{Deserialize, Serialize};

use super::{
    AgentInterventionRequest, AgentInterventionResponse, AgentRuntimeEnd, AgentRuntimeInit, Chunk,
    ErrorPayload, EventType, LlmExecute, MemberRuntimeEnd, MessagePatch, NotifyUpdate,
    SessionTitle, StepComplete, StepStart, StreamEnd, StreamRetry, StreamStart, ToolEnd,
    ToolExecute, ToolResultContent, ToolStart, VisibleOutputEnd,
};
use crate::{
    RawJson,
    json::{FromJson, ToJson},
};

macro_rules! payloads {
    ($($kind:ident($part:ty),)*) => {
        /// What happened, read from an event's `data` by its type. Every part keeps what it does not know.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[allow(clippy::large_enum_variant, reason = "made to be looked at once, not to be stored")]
        pub enum Payload {
            $(#[doc = concat!("Of an event of type [`", stringify!($kind), "`](EventType::", stringify!($kind), ").")]
            $kind($part),)*
            /// Of an event whose type is not known, or whose data does not fit its type.
            Unknown(Option<RawJson>),
        }

        impl Payload {
            pub(super) fn read(kind: &EventType, data: Option<&RawJson>) -> Self {
                match kind {
                    $(EventType::$kind => part(data, Self::$kind),)*
                    EventType::Unknown(_) => Self::Unknown(data.cloned()),
                }
            }

            /// The data that reads as this: equal, as a value, to what it was read from. Lone surrogates in typed
            /// members were read as U+FFFD, and numbers come back in their plain form.
            pub fn to_json(&self) -> Option<RawJson> {
                match self {
                    $(Self::$kind(part) => Some(part.to_raw_json()),)*
                    Self::Unknown(data) => data.clone(),
                }
            }
        }
    };
}

payloads! {
    AgentRuntimeInit(AgentRuntimeInit),
    StepStart(StepStart),
    StreamStart(StreamStart),
    StreamChunk(Chunk),
    StreamEnd(StreamEnd),
    StreamRetry(StreamRetry),
    VisibleOutputEnd(VisibleOutputEnd),
    ToolStart(ToolStart),
    ToolExecute(ToolExecute),
    ToolEnd(ToolEnd),
    ToolResult(ToolResultContent),
    StepComplete(StepComplete),
    AgentRuntimeEnd(AgentRuntimeEnd),
    Error(ErrorPayload),
    NotifyUpdate(NotifyUpdate),
    AgentInterventionRequest(AgentInterventionRequest),
    AgentInterventionResponse(AgentInterventionResponse),
    MessagePatch(MessagePatch),
    MemberRuntimeEnd(MemberRuntimeEnd),
    SessionTitle(SessionTitle),
    LlmExecute(LlmExecute),
}

/// Missing and null data are read as `{}`: servers of every age leave data out where it says nothing.
fn part<T: FromJson>(data: Option<&RawJson>, make: fn(T) -> Payload) -> Payload {
    let read = match data {
        Some(data) if !data.is_null() => data.read(),
        _ => crate::json::JsonSlice::EMPTY_OBJECT.read(),
    };
    read.map_or_else(|| Payload::Unknown(data.cloned()), make)
}

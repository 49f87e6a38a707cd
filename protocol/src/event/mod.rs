//! Agent events: what happens inside a run. An envelope with its `data` kept raw, decoded when asked.

mod agent_event;
mod agent_intervention_request;
mod agent_intervention_response;
mod agent_runtime_end;
mod agent_runtime_init;
mod end_reason;
mod error;
mod event_type;
mod llm_execute;
mod member_runtime_end;
mod message_patch;
mod notify_update;
mod payload;
mod session_title;
mod step_complete;
mod step_start;
mod stream_chunk;
mod stream_end;
mod stream_retry;
mod stream_start;
mod tool_calling;
mod tool_end;
mod tool_execute;
mod tool_result;
mod tool_start;
mod visible_output_end;

pub use agent_event::AgentEvent;
pub use agent_intervention_request::AgentInterventionRequest;
pub use agent_intervention_response::{AgentInterventionResponse, CancelReason};
pub use agent_runtime_end::AgentRuntimeEnd;
pub use agent_runtime_init::AgentRuntimeInit;
pub use end_reason::EndReason;
pub use error::{ErrorPayload, ErrorPhase};
pub use event_type::EventType;
pub use llm_execute::LlmExecute;
pub use member_runtime_end::MemberRuntimeEnd;
pub use message_patch::{MessagePatch, MessageUpsert};
pub use notify_update::NotifyUpdate;
pub use payload::Payload;
pub use session_title::SessionTitle;
pub use step_complete::{
    ExecutionComplete, OperationHeartbeat, ResultUsage, StepComplete, StepSummary,
    SubagentProgress, TurnMetadata,
};
pub use step_start::{HumanApproval, StepBegin, StepStart, ToolsAborted};
pub use stream_chunk::{
    Base64ImageChunk, Chunk, ContentPartChunk, GroundingChunk, ImageChunk, ReasoningChunk,
    ReasoningPartChunk, SnapshotMode, TextChunk, ToolStateChunk, ToolsCallingChunk,
};
pub use stream_end::StreamEnd;
pub use stream_retry::StreamRetry;
pub use stream_start::{AssistantMessage, StreamStart};
pub use tool_calling::{Subagent, ToolCalling};
pub use tool_end::{ToolEnd, ToolOutcome, ToolPayload};
pub use tool_execute::ToolExecute;
pub use tool_result::ToolResultContent;
pub use tool_start::ToolStart;
pub use visible_output_end::VisibleOutputEnd;

pub(crate) use agent_event::EventDraft;

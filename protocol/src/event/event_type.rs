use crate::string_enum::string_enum;

string_enum! {
    /// The `type` of an agent event.
    pub enum EventType {
        /// The run begins.
        AgentRuntimeInit = "agent_runtime_init",
        /// A step begins.
        StepStart = "step_start",
        /// The model begins to answer.
        StreamStart = "stream_start",
        /// A piece of the answer.
        StreamChunk = "stream_chunk",
        /// The model's answer is whole.
        StreamEnd = "stream_end",
        /// The model failed and is asked again.
        StreamRetry = "stream_retry",
        /// No more visible text will come; not an end.
        VisibleOutputEnd = "visible_output_end",
        /// A tool begins.
        ToolStart = "tool_start",
        /// A tool is to be run by the client.
        ToolExecute = "tool_execute",
        /// A tool is over.
        ToolEnd = "tool_end",
        /// The content of a finished tool.
        ToolResult = "tool_result",
        /// A step is over, or something about it became known.
        StepComplete = "step_complete",
        /// The run is over, or parked.
        AgentRuntimeEnd = "agent_runtime_end",
        /// Something failed.
        Error = "error",
        /// Messages changed: fetch them again.
        NotifyUpdate = "notify_update",
        /// The run asks a person, and goes on meanwhile.
        AgentInterventionRequest = "agent_intervention_request",
        /// A person answered, or will not.
        AgentInterventionResponse = "agent_intervention_response",
        /// A change of the message list, numbered.
        MessagePatch = "message_patch",
        /// Another operation shown on this stream is over.
        MemberRuntimeEnd = "member_runtime_end",
        /// The conversation has a title.
        SessionTitle = "session_title",
        /// The model is to be called by the client.
        LlmExecute = "llm_execute",
    }
}

use crate::string_enum::string_enum;

string_enum! {
    /// The `reason` of an `agent_runtime_end`. No reason at all means completed.
    pub enum EndReason {
        /// Completed.
        Done = "done",
        /// Completed.
        Completed = "completed",
        /// Completed, of a run made elsewhere.
        Success = "success",
        /// Failed.
        Error = "error",
        /// Stopped.
        Interrupted = "interrupted",
        /// Stopped, of a run made elsewhere.
        Cancelled = "cancelled",
        /// Parked until a person decides; the stream is over.
        WaitingForHuman = "waiting_for_human",
        /// Parked until a tool elsewhere answers; older servers end the stream.
        WaitingForAsyncTool = "waiting_for_async_tool",
    }
}

use crate::string_enum::string_enum;

string_enum! {
    /// How far an operation is, in the gateway's `status_change` and `resume_complete` and in the server's
    /// `currentState.status`.
    pub enum OperationStatus {
        /// Created, not yet begun.
        Idle = "idle",
        /// At work.
        Running = "running",
        /// Parked until a person decides.
        WaitingForHuman = "waiting_for_human",
        /// Parked until a tool elsewhere answers.
        WaitingForAsyncTool = "waiting_for_async_tool",
        /// Over, in the server's words.
        Done = "done",
        /// Over, in the gateway's words, whatever the outcome was.
        Completed = "completed",
        /// Failed.
        Error = "error",
        /// Stopped before its end.
        Interrupted = "interrupted",
    }
}

impl OperationStatus {
    /// Whether nothing more will happen.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Done | Self::Completed | Self::Error | Self::Interrupted
        )
    }
}

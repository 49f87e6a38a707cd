use alloc::string::String;

use super::{Method, Procedure};
use crate::{
    OperationId, ThreadId, TopicId,
    json::{JsonSlice, ToJson},
    members::members,
    string_enum::string_enum,
};

members! {
    /// `aiAgent.interruptTask`: stops a run. Needs `operation_id` or `thread_id`.
    #[derive(Default)]
    pub struct InterruptTask {
        /// The run.
        operation_id: optional OperationId = "operationId",
        /// The branch whose run is meant.
        thread_id: optional ThreadId = "threadId",
        /// The conversation; not enough alone.
        topic_id: optional TopicId = "topicId",
    }
}

members! {
    /// What `aiAgent.interruptTask` answers.
    pub struct InterruptTaskReply {
        /// Whether the stop was taken; false if the run is unknown or over (newer servers say true of one that is over).
        success: required bool = "success",
        /// What became of it, from newer servers.
        cancel_state: optional CancelState = "cancelState",
        /// The run.
        operation_id: optional OperationId = "operationId",
        /// The branch.
        thread_id: optional ThreadId = "threadId",
    }
}

string_enum! {
    /// What became of a request to stop.
    pub enum CancelState {
        /// It has stopped.
        Confirmed = "confirmed",
        /// There was nothing to stop.
        None = "none",
        /// It will stop.
        Requested = "requested",
    }
}

impl Procedure for InterruptTask {
    const PATH: &'static str = "aiAgent.interruptTask";
    const METHOD: Method = Method::Mutation;
    type Reply = InterruptTaskReply;

    fn write_input(&self, out: &mut String) {
        self.write_json(out);
    }

    fn read_reply(json: JsonSlice<'_>) -> Result<InterruptTaskReply, &'static str> {
        json.read().ok_or("`success` is missing")
    }
}

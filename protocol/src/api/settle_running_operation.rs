use alloc::string::String;

use super::{Method, Procedure};
use crate::{
    Object, OperationId, OperationStatus, RawJson, TopicId,
    json::{JsonSlice, ToJson},
    members::members,
};

members! {
    /// `topic.settleRunningOperation`: clears the mark of a running operation if it is this one. Newer servers only.
    pub struct SettleRunningOperation {
        /// The topic.
        topic_id: required TopicId = "id",
        /// The operation that must be marked.
        operation_id: required OperationId = "operationId",
        /// How it ended.
        status: optional OperationStatus = "status",
    }
}

impl SettleRunningOperation {
    /// The input with what it needs.
    pub fn new(topic_id: impl Into<TopicId>, operation_id: impl Into<OperationId>) -> Self {
        Self {
            topic_id: topic_id.into(),
            operation_id: operation_id.into(),
            status: None,
            extra: Object::new(),
        }
    }
}

impl Procedure for SettleRunningOperation {
    const PATH: &'static str = "topic.settleRunningOperation";
    const METHOD: Method = Method::Mutation;
    /// Whatever the server says; nothing depends on it.
    type Reply = RawJson;

    fn write_input(&self, out: &mut String) {
        self.write_json(out);
    }

    fn read_reply(json: JsonSlice<'_>) -> Result<RawJson, &'static str> {
        Ok(json.to_raw())
    }
}

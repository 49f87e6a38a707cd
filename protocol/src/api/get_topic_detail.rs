use alloc::{boxed::Box, string::String};

use serde::{Deserialize, Serialize};

use super::{Method, Procedure};
use crate::{
    MessageId, Object, OperationId, RawJson, ThreadId, TopicId,
    json::{JsonSlice, ToJson},
    members::members,
};

members! {
    /// `topic.getTopicDetail`: a topic, for the mark of its running operation.
    pub struct GetTopicDetail {
        /// The topic.
        topic_id: required TopicId = "id",
    }
}

/// What `topic.getTopicDetail` answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TopicDetail {
    /// The operation that the topic is marked with (`metadata.runningOperation`).
    pub running_operation: Option<RunningOperation>,
    /// The whole answer; null if there is no such topic.
    pub raw: RawJson,
}

members! {
    /// The mark of a running operation.
    pub struct RunningOperation {
        /// The operation.
        operation_id: required OperationId = "operationId",
        /// The row that the answer is written to.
        assistant_message_id: optional MessageId = "assistantMessageId",
        /// What kind of place it runs in.
        scope: optional Box<str> = "scope",
        /// The branch.
        thread_id: optional ThreadId = "threadId",
    }
}

impl GetTopicDetail {
    /// The input with what it needs.
    pub fn new(topic_id: impl Into<TopicId>) -> Self {
        Self {
            topic_id: topic_id.into(),
            extra: Object::new(),
        }
    }
}

impl Procedure for GetTopicDetail {
    const PATH: &'static str = "topic.getTopicDetail";
    const METHOD: Method = Method::Query;
    type Reply = TopicDetail;

    fn write_input(&self, out: &mut String) {
        self.write_json(out);
    }

    fn read_reply(json: JsonSlice<'_>) -> Result<TopicDetail, &'static str> {
        if !json.is_object() && !json.is_null() {
            return Err("the reply is no object");
        }
        let mark = json
            .member("metadata")
            .and_then(|metadata| metadata.member("runningOperation"));
        Ok(TopicDetail {
            running_operation: mark.and_then(JsonSlice::read),
            raw: json.to_raw(),
        })
    }
}

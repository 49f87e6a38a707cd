use alloc::string::String;

use super::{Method, Procedure, app_context::set_nulls};
use crate::{
    AgentId, GroupId, RawJson, ThreadId, TopicId,
    json::{JsonSlice, ToJson},
    members::members,
};

members! {
    /// `message.getMessages`: the messages of a conversation. A group's run needs `group_id`, else the list is empty.
    #[derive(Default)]
    pub struct GetMessages {
        /// The agent.
        agent_id: optional AgentId = "agentId",
        /// The group.
        group_id: optional GroupId = "groupId",
        /// The branch.
        thread_id: optional ThreadId = "threadId",
        /// The conversation. Null, which [`with_nulls`](Self::with_nulls) says, means those without one.
        topic_id: optional TopicId = "topicId",
        /// Rows at most; 1,000 if absent.
        page_size: optional u32 = "pageSize",
    }
}

impl GetMessages {
    /// Adds members that say null, where absence says something else.
    #[must_use]
    pub fn with_nulls<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        set_nulls(&mut self.extra, names);
        self
    }
}

impl Procedure for GetMessages {
    const PATH: &'static str = "message.getMessages";
    const METHOD: Method = Method::Query;
    /// The array of messages.
    type Reply = RawJson;

    fn write_input(&self, out: &mut String) {
        self.write_json(out);
    }

    fn read_reply(json: JsonSlice<'_>) -> Result<RawJson, &'static str> {
        if json.as_str().starts_with('[') {
            Ok(json.to_raw())
        } else {
            Err("the reply is no array")
        }
    }
}

use alloc::{boxed::Box, vec::Vec};

use crate::{
    AgentId, DocumentId, GroupId, Object, RawJson, TaskId, ThreadId, TopicId, members::members,
};

members! {
    /// Where in the application a run belongs. The server takes null for all ids here; `None` leaves them out.
    #[derive(Default)]
    pub struct AppContext {
        /// The conversation; without one a new one is made.
        topic_id: optional TopicId = "topicId",
        /// The branch.
        thread_id: optional ThreadId = "threadId",
        /// The group.
        group_id: optional GroupId = "groupId",
        /// The document.
        document_id: optional DocumentId = "documentId",
        /// The task.
        task_id: optional TaskId = "taskId",
        /// What kind of place it is, such as `main` or `thread`.
        scope: optional Box<str> = "scope",
        /// Who gets the tasks that the run makes.
        default_task_assignee_agent_id: optional AgentId = "defaultTaskAssigneeAgentId",
        /// What a new conversation is made with.
        initial_topic_metadata: optional TopicMetadata = "initialTopicMetadata",
    }
}

members! {
    /// What a new conversation is made with.
    #[derive(Default)]
    pub struct TopicMetadata {
        /// The repositories it is about, as the application describes them.
        repos: optional Vec<RawJson> = "repos",
        /// The folder its tools work in.
        working_directory: optional Box<str> = "workingDirectory",
    }
}

impl AppContext {
    /// Adds members that say null, where absence says something else.
    #[must_use]
    pub fn with_nulls<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        set_nulls(&mut self.extra, names);
        self
    }
}

pub(super) fn set_nulls<'a>(extra: &mut Object, names: impl IntoIterator<Item = &'a str>) {
    for name in names {
        extra.insert(name, RawJson::null());
    }
}

use alloc::boxed::Box;

use crate::{AgentId, GroupId, MessageId, ThreadId, TopicId, members::members};

members! {
    /// `stream_start`: the model begins to answer.
    #[derive(Default)]
    pub struct StreamStart {
        /// The row that the answer is written to. With a role it can be shown at once; with an id alone the messages
        /// must be fetched first; without it, the next assistant row is meant.
        assistant_message: optional AssistantMessage = "assistantMessage",
        /// The model.
        model: optional Box<str> = "model",
        /// Who runs the model.
        provider: optional Box<str> = "provider",
        /// The name of the step in a graph run.
        step_label: optional Box<str> = "stepLabel",
        /// A run made elsewhere begins another message.
        new_step: optional bool = "newStep",
        /// The session of the program behind a run made elsewhere.
        session_id: optional Box<str> = "sessionId",
        /// The message in that program's own count.
        message_id: optional Box<str> = "messageId",
    }
}

members! {
    /// The row that an answer is written to.
    #[derive(Default)]
    pub struct AssistantMessage {
        /// The row.
        id: optional MessageId = "id",
        /// `assistant`; absent from older servers.
        role: optional Box<str> = "role",
        /// The row answered.
        parent_id: optional MessageId = "parentId",
        /// The agent answering.
        agent_id: optional AgentId = "agentId",
        /// Its group.
        group_id: optional GroupId = "groupId",
        /// The branch.
        thread_id: optional ThreadId = "threadId",
        /// The conversation.
        topic_id: optional TopicId = "topicId",
        /// The model.
        model: optional Box<str> = "model",
        /// Who runs the model.
        provider: optional Box<str> = "provider",
    }
}

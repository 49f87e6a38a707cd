use alloc::boxed::Box;

use crate::{AgentId, MessageId, OperationStatus, TopicId, UserId, members::members};

members! {
    /// `agent_runtime_init`: the run begins. The operation's metadata, in whatever form its maker has it; nothing
    /// depends on it.
    #[derive(Default)]
    pub struct AgentRuntimeInit {
        /// The operation's status.
        status: optional OperationStatus = "status",
        /// Whose run it is.
        user_id: optional UserId = "userId",
        /// The agent at work.
        agent_id: optional AgentId = "agentId",
        /// The conversation.
        topic_id: optional TopicId = "topicId",
        /// The row that the answer is written to.
        assistant_message_id: optional MessageId = "assistantMessageId",
        /// The program behind a run made elsewhere, such as `claude-code`.
        hetero_type: optional Box<str> = "heteroType",
    }
}

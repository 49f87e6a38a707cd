use alloc::{boxed::Box, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    AppContext, Method, Procedure, ResumeApproval, ResumeToolResult, UserInterventionConfig,
};
use crate::{
    AgentId, MessageId, Object, OperationId, RawJson, Token, TopicId,
    json::{JsonSlice, ToJson},
    members::members,
};

members! {
    /// `aiAgent.execAgent`: starts a run. Needs `agent_id` or `slug`.
    #[derive(Default)]
    pub struct ExecAgent {
        /// The agent.
        agent_id: optional AgentId = "agentId",
        /// The agent by its name in the URL.
        slug: optional Box<str> = "slug",
        /// What the user says; empty when a parked run goes on.
        prompt: required Box<str> = "prompt",
        /// Who asks: `chat` if absent, `cli` from a command line.
        trigger: optional Box<str> = "trigger",
        /// Where the run belongs.
        app_context: optional AppContext = "appContext",
        /// Which calls wait for a person.
        user_intervention_config: optional UserInterventionConfig = "userInterventionConfig",
        /// Begin at once; true if absent.
        auto_start: optional bool = "autoStart",
        /// Rows that exist already.
        existing_message_ids: optional Vec<MessageId> = "existingMessageIds",
        /// Files that belong to the prompt.
        file_ids: optional Vec<Box<str>> = "fileIds",
        /// The device whose tools may be used.
        device_id: optional Box<str> = "deviceId",
        /// The row answered; the tool's own row when a parked run goes on.
        parent_message_id: optional MessageId = "parentMessageId",
        /// Goes on after approval (R9).
        resume_approval: optional ResumeApproval = "resumeApproval",
        /// Goes on with a tool's result that the user gave.
        resume_tool_result: optional ResumeToolResult = "resumeToolResult",
        /// Tools chosen by the user.
        selected_tool_ids: optional Vec<Box<str>> = "selectedToolIds",
        /// Agents named in the prompt, each `{id, name}`.
        mentioned_agents: optional Vec<RawJson> = "mentionedAgents",
        /// What kind of client runs tools: `desktop` or `web`. Stripped by servers since July 2026.
        client_runtime: optional Box<str> = "clientRuntime",
        /// Skills found in the project, each `{name, description?, path}` with the path of its `SKILL.md`. Stripped by servers
        /// since July 2026.
        project_skills: optional Vec<RawJson> = "projectSkills",
    }
}

/// What `aiAgent.execAgent` answers. A soft failure is an answer too: look at `success` first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExecAgentReply {
    /// Whether the run was started.
    pub success: bool,
    /// Why it was not.
    pub error: Option<Box<str>>,
    /// The run; present after a soft failure too.
    pub operation_id: Option<OperationId>,
    /// The conversation.
    pub topic_id: Option<TopicId>,
    /// The row that the answer is written to.
    pub assistant_message_id: Option<MessageId>,
    /// The row of the prompt.
    pub user_message_id: Option<MessageId>,
    /// The agent at work.
    pub agent_id: Option<AgentId>,
    /// Opens the gateway's socket, for 300 s. Can be absent though the run was started: ask for one.
    pub token: Option<Token>,
    /// `created` or `error`.
    pub status: Option<Box<str>>,
    /// What happened, in a sentence.
    pub message: Option<Box<str>>,
    /// Whatever else came with it.
    pub extra: Object,
}

impl ExecAgent {
    /// A reply in which an id has more bytes than this is none.
    pub const LONGEST_ID: usize = 1024;

    /// Says `prompt` to the user's own assistant, in a new topic.
    #[must_use]
    pub fn inbox(prompt: impl Into<Box<str>>) -> Self {
        Self {
            slug: Some("inbox".into()),
            prompt: prompt.into(),
            ..Self::default()
        }
    }

    /// Says `prompt` to this agent, in a new topic.
    #[must_use]
    pub fn of_agent(agent: impl Into<AgentId>, prompt: impl Into<Box<str>>) -> Self {
        Self {
            agent_id: Some(agent.into()),
            prompt: prompt.into(),
            ..Self::default()
        }
    }
}

impl Procedure for ExecAgent {
    const PATH: &'static str = "aiAgent.execAgent";
    const METHOD: Method = Method::Mutation;
    const ANSWERS_WITH_TOKEN: bool = true;
    type Reply = ExecAgentReply;

    fn write_input(&self, out: &mut String) {
        self.write_json(out);
    }

    fn read_reply(json: JsonSlice<'_>) -> Result<ExecAgentReply, &'static str> {
        let mut extra: Object = json.read().ok_or("the reply is no object")?;
        let reply = ExecAgentReply {
            success: extra.take("success").ok_or("`success` is missing")?,
            error: extra.take("error"),
            operation_id: extra.take("operationId"),
            topic_id: extra.take("topicId"),
            assistant_message_id: extra.take("assistantMessageId"),
            user_message_id: extra.take("userMessageId"),
            agent_id: extra.take("agentId"),
            token: extra.take("token"),
            status: extra.take("status"),
            message: extra.take("message"),
            extra,
        };
        // They are kept, shown and sent again and again.
        let ids = [
            reply.operation_id.as_ref().map(OperationId::as_str),
            reply.topic_id.as_ref().map(TopicId::as_str),
            reply.assistant_message_id.as_ref().map(MessageId::as_str),
            reply.user_message_id.as_ref().map(MessageId::as_str),
            reply.agent_id.as_ref().map(AgentId::as_str),
        ];
        if ids.iter().flatten().any(|id| id.len() > Self::LONGEST_ID) {
            return Err("an id is over 1024 bytes");
        }
        Ok(reply)
    }
}

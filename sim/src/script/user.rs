use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the user, or the program in their stead, does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UserSection {
    /// One after the other.
    pub steps: Vec<UserStep>,
    /// How tools answer, by `identifier/apiName` or `apiName`. A tool that is not here answers `executor_not_found` at
    /// once.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, ToolPolicy>,
    /// The user's own tokens, in place of those that the server gives with a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<OwnTokens>,
}

impl Default for UserSection {
    /// Says "Hello" at once.
    fn default() -> Self {
        Self {
            steps: vec![UserStep {
                when: None,
                after: 0,
                act: UserAct::Execute("Hello".into()),
            }],
            tools: BTreeMap::new(),
            tokens: None,
        }
    }
}

/// One thing the user does: wait for `when`, then `after` ms, then do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserStep {
    /// A notification to wait for, such as `run_started` or `event_received`; with `:` and a number, that many of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How long to wait then, ms.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub after: u64,
    /// What to do.
    #[serde(rename = "do")]
    pub act: UserAct,
}

/// What a user can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserAct {
    /// Start a run with this prompt, in a new topic.
    Execute(String),
    /// Start a run with this prompt, in the topic `tpc_1`.
    ExecuteInTopic(String),
    /// Approve what a parked run waits for: a new run in the topic `tpc_1` carries it on.
    Approve(ApproveAct),
    /// Watch the run that is going already.
    Attach(AttachAct),
    /// End the run on the server.
    Stop,
    /// Leave the run going.
    Detach,
    /// Send the socket's own `interrupt`.
    Interrupt,
    /// Answer a tool call, asked for or not.
    AnswerTool(AnswerAct),
    /// Answer a confirmation: the call, and yes.
    Confirm(String),
    /// Answer a confirmation: the call, and no.
    Reject(String),
    /// Answer an input request.
    AnswerInput(AnswerAct),
    /// Stop reading.
    PauseReading,
    /// Read again.
    ResumeReading,
    /// The state is stored, the program ends, and another one loads it at once.
    Restore,
}

/// Approve what a parked run waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveAct {
    /// The parked run.
    pub operation: String,
    /// The tool call it waits to make.
    pub call: String,
}

/// Watch a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AttachAct {
    /// From this frame on; from the beginning if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Whether this client runs the tools.
    pub executes_tools: bool,
    /// Whether the topic is not known.
    #[serde(skip_serializing_if = "super::is_default")]
    pub without_topic: bool,
}

/// Answer a tool call or an input request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerAct {
    /// The call or request.
    pub id: String,
    /// The content.
    pub content: String,
}

/// How a tool answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolPolicy {
    /// What it gives.
    pub content: String,
    /// How long it takes, ms.
    #[serde(default)]
    pub after: u64,
    /// How often it answers: 0 never, 2 twice.
    #[serde(default = "once")]
    pub times: u32,
    /// Whether it fails, with the content as the error's message.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fails: bool,
}

/// The user's own tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OwnTokens {
    /// How long each is good, ms; 300,000 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u64>,
    /// Whether the user can be asked for a new one.
    pub renews: bool,
    /// What the user does when asked for a new one: the first time, the second, and so on. Later ones are given at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renewals: Vec<Renewal>,
}

impl Default for OwnTokens {
    fn default() -> Self {
        Self {
            lifetime: None,
            renews: true,
            renewals: Vec::new(),
        }
    }
}

/// What the user does when asked for a new token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Renewal {
    /// How long it takes, ms.
    #[serde(skip_serializing_if = "super::is_default")]
    pub after: u64,
    /// What comes of it.
    pub answer: RenewalAnswer,
}

/// What comes of asking the user for a new token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RenewalAnswer {
    /// A new token.
    #[default]
    Token,
    /// None can be had now.
    None,
    /// Nothing, ever.
    Never,
}

fn once() -> u32 {
    1
}

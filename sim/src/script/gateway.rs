use agent_gateway_protocol::OperationStatus;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Trigger;
use crate::gateway::Dialect;

/// What the gateway, and the server behind it, do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GatewaySection {
    /// Which gateway of which age it is.
    pub dialect: Dialect,
    /// A run that is going before the client comes; otherwise each `execAgent` starts one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningRun>,
    /// What every run does, one step after the other, from its start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<GatewayStep>,
    /// What is done whenever something happens, beside the steps. Without a reaction to `stop_requested`, a run that is
    /// asked to stop ends as interrupted 50 ms later.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
}

/// A run that is going already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunningRun {
    /// The run.
    pub operation: String,
    /// Its topic.
    pub topic: String,
}

/// One thing done: wait for `when`, then `after` ms, then do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayStep {
    /// What to wait for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Trigger>,
    /// How long to wait then, ms.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub after: u64,
    /// What to do.
    #[serde(rename = "do")]
    pub act: Act,
}

/// Something done whenever something happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reaction {
    /// What it answers.
    pub on: Trigger,
    /// How often at most; without end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// What is done, one step after the other.
    pub steps: Vec<GatewayStep>,
}

/// One thing the gateway or the server behind it does.
///
/// In texts and in the data of events, `{prompt}`, `{approved}` (the tool call that the run was started with the approval
/// of), `{operation}`, `{topic}` and `{tool_result}` (the content of the latest tool result) are filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Push a `stream_chunk` of text.
    Text(String),
    /// Push a `stream_chunk` of reasoning.
    Reasoning(String),
    /// Push a text in pieces, as a model types it.
    Type(TypeAct),
    /// Push any event.
    Event(EventAct),
    /// Ask the client to run a tool.
    ToolExecute(ToolExecuteAct),
    /// Push the `tool_end` of a call.
    ToolEnd(ToolEndAct),
    /// Push `agent_runtime_end`: the run is over, for the server too.
    End(EndAct),
    /// Tell the gateway a status (`update-status`), and let the server believe it.
    UpdateStatus(StatusAct),
    /// Ask the user to confirm a call.
    RequestConfirmation(PromptAct),
    /// Ask the user for input.
    RequestInput(PromptAct),
    /// Send any frame, unnumbered, on every socket of the run.
    SendFrame(Value),
    /// Send any text, on every socket of the run.
    SendText(String),
    /// Send this many zero bytes as a binary message, on every socket of the run.
    SendBinary(u32),
    /// Close every socket of the run with a close frame.
    Close(Close),
    /// Cut every socket of the run without a close frame.
    Drop,
    /// The run's sockets stay open, but nothing comes from them or goes to them any more: half-open.
    GoSilent,
    /// Every token issued so far runs out, and `auth_expired` is said on the run's sockets.
    Expire,
    /// Say `auth_expired` on the run's sockets; the tokens stay good.
    AnnounceExpiry,
    /// Every token issued so far runs out, and nobody is told.
    ExpireTokens,
    /// Refuse every token issued so far with this reason.
    RefuseTokens(String),
    /// The gateway sleeps and wakes: buffers are lost.
    Hibernate,
    /// The gateway is a new process: buffers and sockets are lost.
    Restart,
    /// Keep only this many of the run's latest frames for replay.
    CutBuffer(usize),
    /// The gateway forgets the run, as ten minutes after its end.
    Forget,
    /// The server starts the run again (`init`).
    Initialize,
    /// The server's own truth about the run changes; the gateway is not told.
    SetStatus(StatusAct),
    /// The server does not know the run any more.
    ForgetRun,
    /// The run's topic is marked with this operation.
    Mark(String),
    /// The steps of the run end here, whichever line says so.
    Halt,
    /// From now on the gateway is this one.
    BecomeDialect(Dialect),
    /// Nothing: only waits.
    Nothing,
}

/// Push a text in pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TypeAct {
    /// The text.
    pub text: String,
    /// What it is.
    #[serde(default)]
    pub kind: TypedKind,
    /// Letters a piece, about: pieces end at spaces.
    pub letters: usize,
    /// Between two pieces, ms.
    pub every: u64,
}

/// What is typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TypedKind {
    /// The answer.
    #[default]
    Text,
    /// What the model thinks.
    Reasoning,
}

/// Push any event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventAct {
    /// Its type, such as `step_start`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Its step; the latest one said if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// Its operation, if it is another one's, mirrored onto this channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

/// Ask the client to run a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolExecuteAct {
    /// The call.
    pub call: String,
    /// The tool, as `identifier/apiName`.
    pub tool: String,
    /// Its arguments. A string goes out as it is, broken JSON included.
    #[serde(default)]
    pub arguments: Value,
    /// How long the server waits, ms; left out of the event if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
}

/// Push the `tool_end` of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolEndAct {
    /// The call.
    pub call: String,
    /// The tool, as `identifier/apiName`.
    pub tool: String,
    /// Whether it went well; if absent, as the client's latest result says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<bool>,
    /// What came of it; if absent, the content of the client's latest result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// Push `agent_runtime_end`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndAct {
    /// Why; left out of the event if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What kind of failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_type: Option<String>,
}

/// A status, and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusAct {
    /// The status.
    #[schemars(with = "String")]
    pub status: OperationStatus,
    /// What goes into `session_complete`, or the server's error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Ask the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptAct {
    /// The call to confirm, or the input request.
    pub id: String,
    /// The question, or what is to run.
    pub prompt: String,
    /// How long to wait, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
}

/// A close frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// Its code.
    pub code: u16,
    /// Its reason.
    #[serde(default)]
    pub reason: String,
}

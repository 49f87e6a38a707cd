use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the server's side can wait for. Each happens any number of times; a line of steps that waits for the same one
/// twice waits for the second time.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A socket was opened for the run.
    SocketOpened,
    /// A socket was authenticated.
    Authenticated,
    /// A socket's token was refused.
    Refused,
    /// `resume` came.
    Resumed,
    /// `heartbeat` came.
    Heartbeat,
    /// `tool_result` came, and the server took it.
    ToolResult,
    /// A confirmation was answered, or given up.
    Confirmation,
    /// An input request was answered, or given up.
    Input,
    /// The socket frame `interrupt` came.
    Interrupt,
    /// A socket went.
    SocketClosed,
    /// The API was asked to stop the run.
    StopRequested,
    /// The API was asked for a fresh token.
    TokenRequested,
    /// The API was asked how the run stands.
    StatusRequested,
}

impl Trigger {
    /// How many there are.
    pub const COUNT: usize = 13;
}

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something the client's clock does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockStep {
    /// When, ms from the beginning.
    pub at: u64,
    /// What.
    #[serde(rename = "do")]
    pub act: ClockAct,
}

/// What a clock can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockAct {
    /// The client's host sleeps this long, ms: the world goes on, and what comes meanwhile is read when it wakes.
    Sleep(u64),
    /// The clock is set forward by this, ms.
    JumpForward(u64),
    /// The clock is set back by this, ms.
    JumpBack(u64),
}

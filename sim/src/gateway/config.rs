use agent_gateway_machine::Millis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every number of the gateway, and its dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayConfig {
    /// Which gateway of which age this one plays.
    pub dialect: Dialect,
    /// Frames kept for replay before the buffer is cut.
    pub buffer_limit: usize,
    /// Frames left after a cut.
    pub buffer_kept: usize,
    /// A socket that has not authenticated is closed after this, ms.
    pub authentication_timeout: Millis,
    /// A socket that says nothing is closed after this, ms.
    pub heartbeat_timeout: Millis,
    /// An operation is forgotten this long after its end, ms.
    pub forgotten_after: Millis,
    /// A run that pushes nothing is reported abandoned after this, ms.
    pub idle_watchdog: Millis,
    /// The same while it streams, runs a tool or is in a step, ms.
    pub busy_watchdog: Millis,
    /// A prompt without a timeout of its own is given up after this, ms.
    pub prompt_timeout: Millis,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            buffer_limit: 1_000,
            buffer_kept: 500,
            authentication_timeout: Millis::seconds(10),
            heartbeat_timeout: Millis::seconds(90),
            forgotten_after: Millis::seconds(600),
            idle_watchdog: Millis::seconds(600),
            busy_watchdog: Millis::seconds(1_800),
            prompt_timeout: Millis::seconds(60),
        }
    }
}

/// The ways in which gateways differ, as data. The default is the newest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dialect {
    /// How a `resume` is understood.
    pub resume: ResumeStyle,
    /// Whether `resume_complete` is sent at all; gateways before September 2026 never do.
    pub answers_resume: bool,
    /// Whether the end of *any* operation on the channel, a mirrored member's included, completes the session (#16388).
    pub any_end_completes: bool,
    /// Whether the counter starts again at 1 when the gateway wakes from hibernation or restarts.
    pub counter_restarts: bool,
    /// Whether the status survives hibernation.
    pub keeps_status: bool,
    /// Whether a live socket is told `auth_expired` when its token runs out.
    pub announces_expiry: bool,
    /// How long a replay takes to begin, ms. Live frames overtake it meanwhile, and are in it once more.
    pub replay_delay: u64,
    /// A socket on which a frame of more bytes comes, without those of a token, is closed with 1009; absent: it takes any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest_frame: Option<usize>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            resume: ResumeStyle::ByNumber,
            answers_resume: true,
            any_end_completes: false,
            counter_restarts: false,
            keeps_status: true,
            announces_expiry: false,
            replay_delay: 0,
            largest_frame: None,
        }
    }
}

/// How a gateway finds the place that a `resume` names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResumeStyle {
    /// Every frame with a higher number.
    #[default]
    ByNumber,
    /// What follows the frame with exactly this id; an unknown id replays everything.
    ById,
    /// The same, and the named frame itself once more.
    ByIdInclusive,
}

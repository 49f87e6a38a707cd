//! A script: one session as data, in a documented JSON file.
//!
//! It says what the gateway does and when (or in answer to what), how the API answers, what the user does, what the
//! network and the clock do, and what to expect of it all. The gateway's and the API's part can be played by the
//! [`Server`](crate::server::Server) over real sockets as well; the rest belongs to the [`World`](crate::world::World).
//!
//! The form is described by the JSON Schema that [`schema`] gives, committed as `scripts/script.schema.json`.

mod api;
mod clock;
mod error;
mod expect;
mod gateway;
mod library;
mod locate;
mod network;
mod parse;
mod trigger;
mod user;

use agent_gateway_machine::{Event, Limits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use api::ApiSection;
pub use clock::{ClockAct, ClockStep};
pub use error::ScriptError;
pub use expect::{Count, Expect, ReceiptExpectation, Window};
pub use gateway::{
    Act, Close, EndAct, EventAct, GatewaySection, GatewayStep, PromptAct, Reaction, RunningRun,
    StatusAct, ToolEndAct, ToolExecuteAct, TypeAct, TypedKind,
};
pub use library::{LIBRARY, LibraryScript, find};
pub use locate::locate;
pub use network::{NetworkAct, NetworkSection, NetworkStep};
pub use parse::schema;
pub use trigger::Trigger;
pub use user::{
    AnswerAct, ApproveAct, AttachAct, OwnTokens, Renewal, RenewalAnswer, ToolPolicy, UserAct,
    UserSection, UserStep,
};

/// One session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Where editors find the schema; not read.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What it shows, in a sentence.
    pub about: String,
    /// The rules, invariants and defects it shows, such as `C8` or `D4`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// The seed of everything left to chance.
    #[serde(default = "one")]
    pub seed: u64,
    /// The limits of the run that differ from the defaults.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(schema_with = "parse::limits_schema")]
    pub limits: Limits,
    /// The gateway.
    #[serde(default, skip_serializing_if = "is_default")]
    pub gateway: GatewaySection,
    /// The API.
    #[serde(default, skip_serializing_if = "is_default")]
    pub api: ApiSection,
    /// The user.
    #[serde(default, skip_serializing_if = "is_default")]
    pub user: UserSection,
    /// The network between client and servers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub network: NetworkSection,
    /// The client's clock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock: Vec<ClockStep>,
    /// What the machine is told, word for word and at these times, instead of all that the sections above would bring
    /// about: the form in which `agw check` writes what it has found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<serde_json::Value>")]
    pub history: Vec<Event>,
    /// What must come of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expect: Expect,
}

fn one() -> u64 {
    1
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

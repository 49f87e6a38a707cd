use agent_gateway_protocol::trpc::TrpcCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How one call, or several in a row, are treated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Between the arrival of the call and its answer, ms.
    #[serde(skip_serializing_if = "is_zero")]
    pub delay: u64,
    /// For how many calls in a row.
    #[serde(skip_serializing_if = "is_one")]
    pub times: u32,
    /// What comes of it.
    pub answer: Plan,
    /// Whether the server does what was asked. By default it does if the answer is `usual` or `lost`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried_out: Option<bool>,
    /// The token that the answer brings, for `exec_agent` and `refresh_gateway_token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenTerms>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            delay: 0,
            times: 1,
            answer: Plan::Usual,
            carried_out: None,
            token: None,
        }
    }
}

impl Behaviour {
    /// Whether the server does what was asked.
    #[must_use]
    pub fn is_carried_out(&self) -> bool {
        self.carried_out
            .unwrap_or(matches!(self.answer, Plan::Usual | Plan::Lost))
    }
}

/// What comes of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// What a healthy server answers.
    #[default]
    Usual,
    /// This value, in place of what the procedure gives.
    Reply(Value),
    /// A soft failure of `exec_agent`, with this text: HTTP 200 and `success: false`.
    SoftFailure(String),
    /// A tRPC error.
    Refuse(Refuse),
    /// An answer without an envelope: a proxy's page.
    Page(Page),
    /// The connection is cut instead of an answer.
    Lost,
    /// Nothing, ever.
    Never,
}

/// A tRPC error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refuse {
    /// Its code, such as `UNAUTHORIZED`.
    #[schemars(with = "String")]
    pub code: TrpcCode,
    /// Its message.
    pub message: String,
    /// `Retry-After`, s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// An answer without an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Its HTTP status.
    pub status: u16,
    /// Its content type.
    #[serde(default = "html")]
    pub content_type: String,
    /// Its body.
    pub body: String,
    /// `Retry-After`, s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// The token that an answer brings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokenTerms {
    /// How long it is good, ms; 300,000 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u64>,
    /// The gateway refuses it with this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The gateway's clock is this far behind, so that it is not good yet, ms.
    #[serde(skip_serializing_if = "is_zero")]
    pub early: u64,
    /// The answer brings none, though the call succeeded.
    #[serde(skip_serializing_if = "is_false")]
    pub missing: bool,
}

fn html() -> String {
    "text/html; charset=utf-8".into()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_one(number: &u32) -> bool {
    *number == 1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

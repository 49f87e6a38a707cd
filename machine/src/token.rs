//! Tokens as the machine knows them: a name and a lifetime, never the text.
//!
//! The text lives in a vault in the hands, which fill it in when a frame leaves. So a state, a trace or a recording
//! holds nothing to leak (I17).

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// Names one token in the hands' vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(pub u64);

impl fmt::Display for TokenId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "token#{}", self.0)
    }
}

/// What sort of token the hands hold: it decides what the `auth` frame says (C3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A JWT, short-lived.
    Jwt,
    /// An API key: lives until it is revoked; the gateway asks the server whose it is.
    ApiKey,
}

/// A token that has come into the hands' vault.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenGrant {
    /// Its name in the vault.
    pub id: TokenId,
    /// What sort of token it is.
    pub kind: TokenKind,
    /// `exp − iat` in ms, if the hands could read it; otherwise the config's `token_lifetime` is assumed (S10).
    /// Ignored for an API key.
    pub lifetime: Option<Millis>,
}

/// Where a fresh token comes from when the one held is expired or missing (S8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Renewal {
    /// `aiAgent.refreshGatewayToken` of the run's topic.
    #[default]
    Server,
    /// The caller's own token source.
    Caller,
    /// Nowhere: an expired token is the end (an API key without a source).
    Never,
}

//! Who we are to the server.

use agent_gateway_machine::TokenKind;
use agent_gateway_protocol::Token;

/// What the server is shown with each request. Prints no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// `X-API-Key`: a key such as `sk-lh-…`.
    ApiKey(Token),
    /// `Oidc-Auth`: the access token of a login, raw.
    AccessToken(Token),
    /// Nothing: for a server that asks for nothing, such as the embedded one.
    #[default]
    None,
}

impl Credential {
    /// The header that shows it and its value; `None` if there is nothing to show.
    #[must_use]
    pub fn header(&self) -> Option<(&'static str, &Token)> {
        match self {
            Self::ApiKey(token) => Some(("x-api-key", token)),
            Self::AccessToken(token) => Some(("oidc-auth", token)),
            Self::None => None,
        }
    }

    /// The same as a token for the gateway's socket.
    #[must_use]
    pub fn socket_token(&self) -> Option<(Token, TokenKind)> {
        match self {
            Self::ApiKey(token) => Some((token.clone(), TokenKind::ApiKey)),
            Self::AccessToken(token) => Some((token.clone(), TokenKind::Jwt)),
            Self::None => None,
        }
    }
}

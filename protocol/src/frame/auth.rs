use serde::{Deserialize, Serialize};

use crate::{ServerUrl, Token, string_enum::string_enum};

/// `auth`: the first frame on every socket (C3); sent again after an `auth_expired`.
///
/// `T` stands for the token: its text on the wire, whatever names it elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Auth<T = Token> {
    /// The token.
    pub token: T,
    /// Its kind; absent means a JWT.
    pub token_type: Option<TokenType>,
    /// The server that knows the token; needed for an API key.
    pub server_url: Option<ServerUrl>,
}

string_enum! {
    /// The kind of a token.
    pub enum TokenType {
        /// A signed token that the gateway checks itself.
        Jwt = "jwt",
        /// A key that the gateway asks the server about.
        ApiKey = "apiKey",
    }
}

//! What each request and upgrade says beside what the protocol says: who we are, and headers of the caller's own.

use std::fmt;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use thiserror::Error;

use crate::redaction::{may_be_token, redact};

/// Who we are unless the caller says it.
const USER_AGENT: &str = concat!("agent-gateway/", env!("CARGO_PKG_VERSION"));

/// Set by HTTP, by the upgrade or by the API; and what begins with `sec-websocket-`.
const RESERVED: [&str; 19] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "oidc-auth",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-api-key",
];

/// The user agent, `agent-gateway/<version>` unless given, and headers of the caller's own, such as a company's gate in
/// front of the server wants them. Their values may be credentials: they are never printed, and taken out of the words in
/// which a server refuses us (I17).
#[derive(Clone)]
pub struct Headers {
    user_agent: HeaderValue,
    more: HeaderMap,
}

/// Why a header cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// This begins what was given as a name, and what follows is no part of one.
    #[error("what begins with {0:?} is no name of a header")]
    Name(String),
    /// The protocol sets it itself.
    #[error("the header {0} is set by the client itself")]
    Reserved(String),
    /// The value of this header holds a character that none may hold.
    #[error("the value of the header {0} holds a character that an HTTP header cannot hold")]
    Value(String),
    /// The user agent is empty, or holds a character that no header may hold.
    #[error("the user agent is empty, or holds a character that an HTTP header cannot hold")]
    UserAgent,
}

impl Headers {
    /// The default user agent, and no other header.
    #[must_use]
    pub fn new() -> Self {
        Self {
            user_agent: HeaderValue::from_static(USER_AGENT),
            more: HeaderMap::new(),
        }
    }

    /// The same with this user agent.
    ///
    /// # Errors
    /// It cannot be sent.
    pub fn with_user_agent(mut self, user_agent: &str) -> Result<Self, HeaderError> {
        self.user_agent = match HeaderValue::from_str(user_agent) {
            Ok(value) if !value.is_empty() => value,
            _ => return Err(HeaderError::UserAgent),
        };
        Ok(self)
    }

    /// The same with this header, in place of one of the same name.
    ///
    /// # Errors
    /// It cannot be sent, or is not the caller's to set.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, HeaderError> {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            // What follows may be a value, and secret.
            let end = name.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
            return Err(HeaderError::Name(name[..end.unwrap_or(0)].into()));
        };
        if RESERVED.contains(&name.as_str()) || name.as_str().starts_with("sec-websocket-") {
            return Err(HeaderError::Reserved(name.to_string()));
        }
        let Ok(mut value) = HeaderValue::from_str(value) else {
            return Err(HeaderError::Value(name.to_string()));
        };
        value.set_sensitive(true);
        self.more.insert(name, value);
        Ok(self)
    }

    pub(crate) fn user_agent(&self) -> &HeaderValue {
        &self.user_agent
    }

    /// The caller's own.
    pub(crate) fn more(&self) -> &HeaderMap {
        &self.more
    }

    /// I17: a server may show in its refusal what it was sent, or the part of it that matters.
    pub(crate) fn redact(&self, text: &mut Box<str>) {
        let values = self.more.values();
        let values = values.filter_map(|value| value.to_str().ok());
        let ends = |letter| letter == '=' || !may_be_token(letter);
        redact(text, values.flat_map(|value| value.split(ends)));
    }
}

impl Default for Headers {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.more.keys().map(HeaderName::as_str).collect();
        formatter
            .debug_struct("Headers")
            .field("user_agent", &self.user_agent)
            .field("more", &names)
            .finish()
    }
}

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
};
use core::{fmt, str::FromStr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::{Host, Url};

use crate::{ServerUrlError, url_error::BaseUrlError};

/// The base URL of a LobeHub server: `http` or `https`, any path prefix, any trailing slashes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerUrl {
    base: Box<str>,
    loopback: bool,
}

impl ServerUrl {
    /// Reads a base URL.
    ///
    /// # Errors
    /// Another scheme; a query, fragment, user name or password; no URL at all.
    pub fn parse(text: &str) -> Result<Self, ServerUrlError> {
        let url = check_base(text, &["http", "https"])?;
        Ok(Self {
            base: url.as_str().trim_end_matches('/').into(),
            loopback: is_loopback(&url),
        })
    }

    /// The URL of one tRPC procedure, without a query: `…/trpc/lambda/<path>`.
    pub fn procedure(&self, path: &str) -> String {
        format!("{}/trpc/lambda/{path}", self.base)
    }

    /// The base without trailing slashes.
    pub fn as_str(&self) -> &str {
        &self.base
    }

    /// Whether requests are encrypted.
    pub fn is_secure(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// Whether the host is this very machine: `localhost`, `127.0.0.0/8`, `[::1]`. A name below `localhost` is not known
    /// to be: browsers never look one up, as RFC 6761 asks, but many a resolver does, and so its answer is the network's.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.base, f)
    }
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        Self::parse(text)
    }
}

impl Serialize for ServerUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.base)
    }
}

impl<'de> Deserialize<'de> for ServerUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Box::<str>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// What JavaScript's `encodeURIComponent` escapes.
pub(crate) const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Reads an absolute URL that something will be appended to.
pub(crate) fn check_base(text: &str, schemes: &[&str]) -> Result<Url, BaseUrlError> {
    let url = Url::parse(text).map_err(|reason| BaseUrlError::NotAUrl {
        text: shown(text),
        reason: reason.to_string().into(),
    })?;
    if !schemes.contains(&url.scheme()) {
        let allowed = schemes.join("://, ") + "://";
        return Err(BaseUrlError::Scheme {
            scheme: url.scheme().into(),
            allowed: allowed.into(),
        });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BaseUrlError::UserInfo);
    }
    if url.query().is_some() {
        return Err(BaseUrlError::Query);
    }
    if url.fragment().is_some() {
        return Err(BaseUrlError::Fragment);
    }
    Ok(url)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// What a message may show of a text that is no URL: not much, and nothing before an `@`.
fn shown(text: &str) -> Box<str> {
    let text = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(80)
        .collect::<String>()
        .into()
}

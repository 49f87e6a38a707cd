use alloc::{boxed::Box, format, string::String};
use core::{fmt, str::FromStr};

use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

use crate::{
    GatewayUrlError, OperationId,
    server_url::{COMPONENT, check_base, is_loopback},
};

/// The base URL of an Agent Gateway (C1): `http`, `https`, `ws` or `wss`, any path prefix, any trailing slashes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GatewayUrl {
    /// With scheme `ws` or `wss`, without trailing slashes.
    base: Box<str>,
    loopback: bool,
}

impl GatewayUrl {
    /// Reads a base URL (C1).
    ///
    /// # Errors
    /// Another scheme; a query, fragment, user name or password; no URL at all.
    pub fn parse(text: &str) -> Result<Self, GatewayUrlError> {
        let url = check_base(text, &["http", "https", "ws", "wss"])?;
        let scheme = if matches!(url.scheme(), "https" | "wss") {
            "wss"
        } else {
            "ws"
        };
        let loopback = is_loopback(&url);
        Ok(Self {
            base: with_scheme(&url, scheme).into(),
            loopback,
        })
    }

    /// The URL of the socket of one operation: `ws(s)://…/ws?operationId=…` (C1).
    pub fn socket(&self, operation: &OperationId) -> Box<str> {
        const PATH: &str = "/ws?operationId=";
        let operation = operation.as_str();
        let mut url = String::with_capacity(self.base.len() + PATH.len() + operation.len());
        url.push_str(&self.base);
        url.push_str(PATH);
        url.extend(utf8_percent_encode(operation, COMPONENT));
        url.into()
    }

    /// The base without trailing slashes, its scheme `ws` or `wss`.
    pub fn as_str(&self) -> &str {
        &self.base
    }

    /// Whether the socket is encrypted.
    pub fn is_secure(&self) -> bool {
        self.base.starts_with("wss:")
    }

    /// Whether the host is this very machine, by the rule of [`ServerUrl::is_loopback`](crate::ServerUrl::is_loopback). Only
    /// then may a token go over a plain socket without being told so (C1).
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

fn with_scheme(url: &Url, scheme: &str) -> String {
    let text = url.as_str();
    let rest = text
        .get(url.scheme().len()..)
        .unwrap_or_default()
        .trim_end_matches('/');
    // `Url` leaves out a port that is the default of its own scheme; http and ws share theirs, https and wss too.
    format!("{scheme}{rest}")
}

impl fmt::Display for GatewayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl fmt::Debug for GatewayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.base, f)
    }
}

impl FromStr for GatewayUrl {
    type Err = GatewayUrlError;

    fn from_str(text: &str) -> Result<Self, GatewayUrlError> {
        Self::parse(text)
    }
}

impl Serialize for GatewayUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.base)
    }
}

impl<'de> Deserialize<'de> for GatewayUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Box::<str>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

/// A gateway's base URL that cannot be used (C1).
pub type GatewayUrlError = BaseUrlError;

/// A server's base URL that cannot be used.
pub type ServerUrlError = BaseUrlError;

/// A base URL that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// The text is no absolute URL.
    #[error("`{text}` is not an absolute URL: {reason}")]
    NotAUrl {
        /// What was given.
        text: Box<str>,
        /// What the URL parser says.
        reason: Box<str>,
    },
    /// Another scheme than those allowed.
    #[error("a base URL must begin with {allowed}, not `{scheme}://`")]
    Scheme {
        /// The scheme given.
        scheme: Box<str>,
        /// The schemes allowed.
        allowed: Box<str>,
    },
    /// It names a user or a password; its text is not shown, since it may hold a secret.
    #[error("a base URL must not hold a user name or password")]
    UserInfo,
    /// It has a query, which the request's own would displace.
    #[error("a base URL must not have a query (`?…`)")]
    Query,
    /// It has a fragment.
    #[error("a base URL must not have a fragment (`#…`)")]
    Fragment,
}

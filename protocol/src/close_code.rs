use core::fmt;

use serde::{Deserialize, Serialize};

/// The code with which a WebSocket was closed (RFC 6455, section 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CloseCode(pub u16);

/// What a close means for whoever wants to go on (C7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CloseVerdict {
    /// Dial again; codes not known here say the same.
    Reconnect,
    /// 1008: the gateway refuses, mostly after an `auth_failed` that says why.
    PolicyViolation,
    /// One side broke the protocol, or a frame was over the limit: once more, then it is over.
    ProtocolViolation,
}

impl CloseCode {
    /// 1000: said for a heartbeat timeout, an expired session and a normal end alike.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the server goes away.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: protocol error.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a kind of data the other side does not take.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: closed without a code; never sent.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the connection was lost; never sent.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: refused by policy.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message over the limit.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: an extension is missing.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: the server failed.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the server restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 4401: authentication refused by the hub of protocol 2.
    pub const UNAUTHORIZED: Self = Self(4401);

    /// What this close means for whoever wants to go on (C7).
    pub fn verdict(self) -> CloseVerdict {
        match self {
            Self::POLICY_VIOLATION => CloseVerdict::PolicyViolation,
            Self::PROTOCOL_ERROR
            | Self::UNSUPPORTED_DATA
            | Self::INVALID_PAYLOAD
            | Self::MESSAGE_TOO_BIG
            | Self::MANDATORY_EXTENSION => CloseVerdict::ProtocolViolation,
            _ => CloseVerdict::Reconnect,
        }
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

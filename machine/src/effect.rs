//! What the machine wants done.

use agent_gateway_protocol::{ClientFrame, CloseCode};
use alloc::boxed::Box;
use serde::{Deserialize, Serialize};

use crate::fences::{DialId, RequestId};
use crate::ignored::Ignored;
use crate::notification::Notification;
use crate::request::Call;
use crate::time::Timestamp;
use crate::timers::Timer;
use crate::token::TokenId;

/// One imperative. The hands perform them in the order of the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Open a WebSocket. Answered by `ConnectionOpened` or `DialFailed`.
    OpenConnection {
        /// The dial's fence.
        dial: DialId,
        /// The whole URL; holds no token.
        url: Box<str>,
    },
    /// Send one text frame on this dial's socket, after those already given.
    SendFrame {
        /// Which socket.
        dial: DialId,
        /// The frame; where it carries a token, the hands fill in its text.
        frame: ClientFrame<TokenId>,
    },
    /// Close this dial's socket, or give the dial up. Nothing of it matters any more.
    CloseConnection {
        /// Which dial.
        dial: DialId,
        /// The code of our close frame.
        code: CloseCode,
    },
    /// Send an HTTP request. Answered by `ReplyReceived`.
    SendRequest {
        /// The request's fence.
        request: RequestId,
        /// What to ask.
        call: Call,
    },
    /// Give a request up: its answer does not matter any more.
    CancelRequest {
        /// Which request.
        request: RequestId,
    },
    /// Ring at this time, and at no other; `None`: there is nothing to wait for. Always the last of a list.
    SetAlarm(Option<Alarm>),
    /// Tell the caller.
    Notify(Notification),
    /// The event changed nothing, and why.
    Ignored(Ignored),
}

impl Effect {
    /// A short name for traces and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::OpenConnection { .. } => "open_connection",
            Self::SendFrame { .. } => "send_frame",
            Self::CloseConnection { .. } => "close_connection",
            Self::SendRequest { .. } => "send_request",
            Self::CancelRequest { .. } => "cancel_request",
            Self::SetAlarm(_) => "set_alarm",
            Self::Notify(_) => "notify",
            Self::Ignored(_) => "ignored",
        }
    }
}

/// When to ring, and what for (for people: the machine looks at its own table when it rings).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Alarm {
    /// When, on the hands' clock.
    pub at: Timestamp,
    /// The earliest timer.
    pub timer: Timer,
}

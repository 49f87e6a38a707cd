use core::fmt;

use agent_gateway_protocol::{ClientFrame, OperationId};
use serde::{Deserialize, Serialize};

use super::{Finalization, GatewayCall};

/// Names one socket; minted by whoever accepts sockets, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SocketId(pub u64);

impl fmt::Display for SocketId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "socket#{}", self.0)
    }
}

/// Names one HTTP call; minted by whoever takes calls, never used twice. Its answer brings it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(pub u64);

impl fmt::Display for Ticket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "call#{}", self.0)
    }
}

/// What a gateway can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayInput {
    /// A socket was opened at `/ws?operationId=`.
    SocketOpened {
        /// The socket's name from now on.
        socket: SocketId,
        /// The operation in its URL.
        operation: OperationId,
    },
    /// A frame came.
    FrameReceived {
        /// On which socket.
        socket: SocketId,
        /// The frame.
        frame: ClientFrame,
    },
    /// A text message came, not yet decoded. What is no frame is ignored.
    TextReceived {
        /// On which socket.
        socket: SocketId,
        /// The message.
        text: Box<str>,
    },
    /// The socket is gone.
    SocketClosed {
        /// Which socket.
        socket: SocketId,
    },
    /// The server calls.
    Called {
        /// What its answer will bring back.
        ticket: Ticket,
        /// What it wants.
        call: GatewayCall,
    },
    /// The server's verdict on a run reported as abandoned.
    AbandonedFinalized {
        /// The run.
        operation: OperationId,
        /// What the server made of it.
        verdict: Finalization,
    },
    /// Time has passed: something may be due.
    Ticked,
}

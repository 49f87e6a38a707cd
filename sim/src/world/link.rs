use agent_gateway_machine::{DialId, Timestamp};
use agent_gateway_protocol::OperationId;

use crate::gateway::SocketId;

/// One dial and the socket that comes of it, as the network has it.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) operation: OperationId,
    /// Whether the client still has it.
    pub(super) client: bool,
    /// Whether the gateway has it.
    pub(super) server: bool,
    /// Whether it carries nothing any more, though neither end knows.
    pub(super) is_silent: bool,
    /// When the latest thing on its way up, or down, arrives: nothing overtakes it.
    pub(super) last_up: Timestamp,
    pub(super) last_down: Timestamp,
}

impl Link {
    pub(super) fn new(operation: OperationId) -> Self {
        Self {
            operation,
            client: true,
            server: false,
            is_silent: false,
            last_up: Timestamp::ZERO,
            last_down: Timestamp::ZERO,
        }
    }
}

/// The gateway's name for a dial's socket.
pub(super) fn socket_of(dial: DialId) -> SocketId {
    SocketId(dial.0)
}

/// The dial behind a socket.
pub(super) fn dial_of(socket: SocketId) -> DialId {
    DialId(socket.0)
}

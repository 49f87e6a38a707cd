use agent_gateway_machine::{DialId, Timestamp};
use agent_gateway_protocol::OperationId;

use super::run::World;
use crate::gateway::SocketId;
use crate::server::ServerInput;

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

impl World<'_> {
    pub(super) fn server_loses(&mut self, dial: DialId) {
        let Some(link) = self.hands.links.get_mut(&dial) else {
            return;
        };
        if core::mem::take(&mut link.server) {
            let socket = socket_of(dial);
            self.tell_server(ServerInput::SocketClosed { socket });
        }
    }

    pub(super) fn client_loses(&mut self, dial: DialId) {
        if let Some(link) = self.hands.links.get_mut(&dial) {
            link.client = false;
        }
    }

    pub(super) fn client_has(&self, dial: DialId) -> bool {
        self.hands.links.get(&dial).is_some_and(|link| link.client)
    }

    /// Whether the client is told what comes of this dial.
    pub(super) fn client_hears(&self, dial: DialId) -> bool {
        self.network.tells_late || self.client_has(dial)
    }

    /// Whether what is on its way down a link arrives.
    pub(super) fn arrives(&self, dial: DialId) -> bool {
        let late = self.network.tells_late;
        let link = self.hands.links.get(&dial);
        link.map_or(late, |link| (late || link.client) && !link.is_silent)
    }

    pub(super) fn is_silent(&self, dial: DialId) -> bool {
        self.hands
            .links
            .get(&dial)
            .is_some_and(|link| link.is_silent)
    }

    /// The latest dial, if what leaves on it now arrives, and by when at the latest.
    pub(super) fn carries_up(&self) -> Option<(DialId, Timestamp)> {
        let (&dial, link) = self.hands.links.last()?;
        let arrives = link.client && self.carries(dial) && self.server.hears(socket_of(dial));
        arrives.then(|| (dial, self.network.latest_arrival(self.now, link.last_up)))
    }

    /// Whether what is on its way up a link arrives.
    pub(super) fn carries(&self, dial: DialId) -> bool {
        self.hands
            .links
            .get(&dial)
            .is_some_and(|link| link.server && !link.is_silent)
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

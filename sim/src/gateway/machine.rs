use agent_gateway_machine::Timestamp;
use agent_gateway_protocol::frame::AuthFailed;
use agent_gateway_protocol::{ClientFrame, CloseCode, OperationId, OperationStatus, ServerFrame};
use litemap::LiteMap;

use crate::deadline::earlier;

use super::operation::Operation;
use super::socket::Socket;
use super::{
    Dialect, Finalization, GatewayConfig, GatewayInput, GatewayOutput, SocketId, TokenBook,
};

/// A gateway as a pure machine.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub(super) config: GatewayConfig,
    pub(super) tokens: TokenBook,
    /// Boxed, as the sockets: they move when one is entered before them or goes, and a map makes room for several.
    pub(super) operations: LiteMap<OperationId, Box<Operation>>,
    pub(super) sockets: LiteMap<SocketId, Box<Socket>>,
    pub(super) prompts_asked: u64,
}

impl Gateway {
    /// A gateway that knows no operation and has no socket.
    #[must_use]
    pub fn new(config: GatewayConfig, tokens: TokenBook) -> Self {
        Self {
            config,
            tokens,
            operations: LiteMap::new(),
            sockets: LiteMap::new(),
            prompts_asked: 0,
        }
    }

    /// What `input`, come at `now`, makes it do.
    pub fn handle(&mut self, now: Timestamp, input: GatewayInput) -> Vec<GatewayOutput> {
        let mut out = Vec::new();
        self.tick(now, &mut out);
        self.take(now, input, &mut out);
        out
    }

    /// The same where nothing is due, or what is due has been ticked.
    pub(crate) fn take(
        &mut self,
        now: Timestamp,
        input: GatewayInput,
        out: &mut Vec<GatewayOutput>,
    ) {
        match input {
            GatewayInput::SocketOpened { socket, operation } => {
                let opened = Socket::new(operation, now, self.config.authentication_timeout);
                self.sockets.insert(socket, Box::new(opened));
            }
            GatewayInput::FrameReceived { socket, frame } => {
                self.on_frame(now, socket, frame, out);
            }
            GatewayInput::TextReceived { socket, text } => match ClientFrame::decode(&text) {
                Ok(frame) => self.on_frame(now, socket, frame, out),
                Err(_) => self.on_noise(now, socket),
            },
            GatewayInput::SocketClosed { socket } => {
                self.sockets.remove(&socket);
            }
            GatewayInput::Called { ticket, call } => {
                if let Some(answer) = self.call(now, ticket, call, out) {
                    out.push(GatewayOutput::Answer { ticket, answer });
                }
            }
            GatewayInput::AbandonedFinalized { operation, verdict } => {
                let status = match verdict {
                    Finalization::Finalized => OperationStatus::Error,
                    Finalization::NotAbandoned => OperationStatus::Completed,
                };
                self.update_status(now, &operation, status, None, out);
            }
            GatewayInput::Ticked => {}
        }
    }

    /// When it wants to be ticked; `None`: nothing will ever be due by itself.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let sockets = self
            .sockets
            .values()
            .map(|socket| socket.deadline(&self.config));
        let operations = self.operations.values();
        let operations = operations.filter_map(|operation| operation.deadline());
        earlier(sockets.min(), operations.min())
    }

    /// The tokens it accepts.
    #[must_use]
    pub fn tokens(&self) -> &TokenBook {
        &self.tokens
    }

    /// The tokens it accepts, to issue and to revoke some.
    pub fn tokens_mut(&mut self) -> &mut TokenBook {
        &mut self.tokens
    }

    /// The sockets of an operation, authenticated or not.
    pub fn sockets_of(&self, operation: &OperationId) -> impl Iterator<Item = SocketId> {
        self.sockets
            .iter()
            .filter(move |(_, socket)| socket.operation == *operation)
            .map(|(id, _)| *id)
    }

    /// Whether frames flow on a socket.
    #[must_use]
    pub fn is_authenticated(&self, socket: SocketId) -> bool {
        self.sockets
            .get(&socket)
            .is_some_and(|socket| socket.user().is_some())
    }

    /// From now on it is that gateway.
    pub fn become_dialect(&mut self, dialect: Dialect) {
        self.config.dialect = dialect;
    }

    /// Forgets a socket without a word: it was cut.
    pub fn drop_socket(&mut self, socket: SocketId) {
        self.sockets.remove(&socket);
    }

    /// Says `auth_expired` on every authenticated socket of an operation; each stays open for another `auth`.
    pub fn announce_expiry(&mut self, operation: &OperationId) -> Vec<GatewayOutput> {
        let mut out = Vec::new();
        for (id, socket) in &mut self.sockets {
            if socket.operation == *operation {
                socket.expire(*id, &mut out);
            }
        }
        out
    }

    /// Closes every socket of an operation.
    pub fn close_sockets(
        &mut self,
        operation: &OperationId,
        code: CloseCode,
        reason: &str,
    ) -> Vec<GatewayOutput> {
        let sockets: Vec<SocketId> = self.sockets_of(operation).collect();
        let mut out = Vec::new();
        for socket in sockets {
            self.close(socket, code, reason, &mut out);
        }
        out
    }

    /// Goes to sleep and wakes: every buffer is lost; the counters and statuses are as the dialect says. Sockets stay.
    pub fn hibernate(&mut self) -> Vec<GatewayOutput> {
        for (_, operation) in self.operations.iter_mut() {
            operation.buffer.clear();
            if self.config.dialect.counter_restarts {
                operation.sequence = 0;
            }
            if !self.config.dialect.keeps_status {
                operation.status = None;
            }
        }
        let restarts = self.config.dialect.counter_restarts;
        restarts
            .then_some(GatewayOutput::CountRestarted)
            .into_iter()
            .collect()
    }

    /// Is a new process: everything is forgotten but whose the operations are and, if the dialect says so, their
    /// counters and statuses. Every socket is closed with 1012.
    pub fn restart(&mut self) -> Vec<GatewayOutput> {
        let mut out = self.hibernate();
        for socket in self.sockets.keys().copied().collect::<Vec<_>>() {
            self.close(socket, CloseCode::SERVICE_RESTART, "restart", &mut out);
        }
        out
    }

    /// Drops all but the latest frames of an operation's buffer.
    pub fn cut_buffer(&mut self, operation: &OperationId, kept: usize) {
        if let Some(operation) = self.operations.get_mut(operation) {
            operation.keep(kept);
        }
    }

    /// Forgets an operation, as ten minutes after its end: its sockets are closed with 1000.
    pub fn forget(&mut self, operation: &OperationId) -> Vec<GatewayOutput> {
        self.operations.remove(operation);
        let mut out = vec![GatewayOutput::CountRestarted];
        out.extend(self.close_sockets(operation, CloseCode::NORMAL, "Session expired"));
        out
    }

    /// Everything that is due.
    pub(crate) fn tick(&mut self, now: Timestamp, out: &mut Vec<GatewayOutput>) {
        let due: Vec<SocketId> = self
            .sockets
            .iter()
            .filter(|(_, socket)| socket.deadline(&self.config) <= now)
            .map(|(id, _)| *id)
            .collect();
        for socket in due {
            self.tick_socket(now, socket, out);
        }
        let due: Vec<OperationId> = self
            .operations
            .iter()
            .filter(|(_, operation)| operation.deadline().is_some_and(|at| at <= now))
            .map(|(id, _)| id.clone())
            .collect();
        for operation in due {
            self.tick_operation(now, &operation, out);
        }
    }

    /// Says why, then closes with 1008.
    pub(super) fn refuse(&mut self, id: SocketId, reason: &str, out: &mut Vec<GatewayOutput>) {
        let frame = ServerFrame::AuthFailed(AuthFailed {
            reason: reason.into(),
        });
        out.push(GatewayOutput::SendFrame { socket: id, frame });
        self.close(id, CloseCode::POLICY_VIOLATION, reason, out);
    }

    pub(super) fn close(
        &mut self,
        id: SocketId,
        code: CloseCode,
        reason: &str,
        out: &mut Vec<GatewayOutput>,
    ) {
        if self.sockets.remove(&id).is_some() {
            out.push(GatewayOutput::Close {
                socket: id,
                code,
                reason: reason.into(),
            });
        }
    }
}

use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::frame::Resume;
use agent_gateway_protocol::{OperationId, ServerFrame, UserId};

use super::{GatewayConfig, GatewayOutput, SocketId};

/// One open socket.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    pub(super) operation: OperationId,
    pub(super) phase: Phase,
    /// When anything last came.
    pub(super) last_heard: Timestamp,
    /// A replay that has been asked for and is not sent yet.
    pub(super) replay: Option<Replay>,
}

/// A replay that takes its time.
#[derive(Clone, Debug)]
pub(super) struct Replay {
    pub(super) at: Timestamp,
    pub(super) resume: Resume,
    /// Heartbeats that have come since: a gateway handles what one client sends in order.
    pub(super) heartbeats: usize,
}

/// How far a socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing but `auth` is read.
    Open {
        /// When it is closed for want of it.
        deadline: Timestamp,
    },
    /// Frames flow.
    Authenticated {
        /// Whose token it was.
        user: UserId,
        /// When that token runs out.
        expires: Option<Timestamp>,
    },
    /// Frames flow, and another `auth` is read: `auth_expired` was said.
    Expired {
        /// Whose token it was.
        user: UserId,
    },
}

impl Socket {
    pub(super) fn new(operation: OperationId, now: Timestamp, timeout: Millis) -> Self {
        Self {
            operation,
            phase: Phase::Open {
                deadline: now.plus(timeout),
            },
            last_heard: now,
            replay: None,
        }
    }

    /// Whose socket it is; `None` while it has not authenticated.
    pub(super) fn user(&self) -> Option<&UserId> {
        match &self.phase {
            Phase::Open { .. } => None,
            Phase::Authenticated { user, .. } | Phase::Expired { user } => Some(user),
        }
    }

    /// The earliest moment at which something is due.
    pub(super) fn deadline(&self, config: &GatewayConfig) -> Timestamp {
        let silence = self.last_heard.plus(config.heartbeat_timeout);
        let phase = match &self.phase {
            Phase::Open { deadline } => return *deadline,
            Phase::Authenticated {
                expires: Some(expires),
                ..
            } if config.dialect.announces_expiry => silence.min(*expires),
            Phase::Authenticated { .. } | Phase::Expired { .. } => silence,
        };
        match &self.replay {
            Some(replay) => phase.min(replay.at),
            None => phase,
        }
    }

    /// Says `auth_expired`, if there is a token to expire.
    pub(super) fn expire(&mut self, id: SocketId, out: &mut Vec<GatewayOutput>) {
        if let Phase::Authenticated { user, .. } = &self.phase {
            self.phase = Phase::Expired { user: user.clone() };
            out.push(GatewayOutput::SendFrame {
                socket: id,
                frame: ServerFrame::AuthExpired,
            });
        }
    }
}

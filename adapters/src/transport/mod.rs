//! Opening a socket, and what a socket is to the driver. [`WebSocketTransport`] is the real one; a test double, a proxy
//! or a shell that owns the sockets can stand in its place.

mod connect;
mod eyeballs;
mod failure;
mod head;
mod inbound;
mod link;
mod outbound;
#[cfg(test)]
mod tests;
mod tunnel;
mod upgrade;
mod web_socket;

use std::task::{Context, Poll};

use agent_gateway_machine::{Close, DialFailure, FrameProblem};
use agent_gateway_protocol::{CloseCode, FrameError, OperationId, ServerFrame};
use async_trait::async_trait;

pub use connect::{TransportOptions, WebSocketTransport};

/// Opens sockets.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Opens a WebSocket to this URL, which holds no token. Dropping the future gives the dial up; how long it may take
    /// is the machine's business (C2).
    ///
    /// # Errors
    /// Why it came to nothing, with host and port.
    async fn open(&self, url: &str) -> Result<Box<dyn Socket>, DialFailure>;
}

/// One open socket, polled by the task that owns it. Receiving and sending never wait for each other.
pub trait Socket: Send {
    /// The operation whose events it will bring, told once it is open, so that the name need not be made anew for each.
    fn expect_operation(&mut self, _operation: &OperationId) {}

    /// The next thing that came. Not called any more once it said [`Received::Closed`].
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received>;

    /// Nothing is received for some time, since the caller does not keep up: lets go of the room that what has come
    /// already does not take.
    fn rest(&mut self) {}

    /// Takes a text frame, to go out after those already taken. Never waits; [`Socket::poll_flush`] brings it out.
    fn send(&mut self, text: String);

    /// Takes an answer (T3), which may be large: what [`Socket::send`] takes meanwhile goes out before it.
    fn send_answer(&mut self, text: String) {
        self.send(text);
    }

    /// Ready when everything taken is out, or never will be: then [`Socket::poll_receive`] tells why.
    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// Starts closing. Frames already taken are sent as far as the socket accepts them at once; the rest is dropped, for the
    /// machine has given it up, and may have said so (T3). Nothing is received any more.
    fn start_close(&mut self, code: CloseCode);

    /// Ready when the closing handshake is over, or failed. The driver bounds it and drops the socket then.
    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<()>;
}

/// What came on a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// Part of a message, and the rest is not there yet; or the peer has taken part of one that had to wait. Told, if at
    /// all, once for what has come or gone: a message that does so in one go needs none (C5).
    Arriving,
    /// A text message that is a frame.
    Frame(ServerFrame),
    /// A message that is none (C12).
    Rejected(FrameProblem),
    /// The socket is gone (C7).
    Closed(Close),
}

impl Received {
    /// What a text message is.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::read(ServerFrame::decode(text), text)
    }

    /// What a text message was read as.
    #[inline]
    fn read(read: Result<ServerFrame, FrameError>, text: &str) -> Self {
        match read {
            Ok(frame) => Self::Frame(frame),
            Err(error) => {
                // The error itself may quote the frame.
                let at = match &error {
                    FrameError::NotJson { error, .. } => Some(error.at),
                    FrameError::NotAnObject | FrameError::NoType => None,
                };
                tracing::debug!(at, bytes = text.len(), "frame_rejected");
                Self::Rejected(FrameProblem::Malformed)
            }
        }
    }
}

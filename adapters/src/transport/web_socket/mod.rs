//! A WebSocket. The library (tungstenite) does all of the protocol but two things: a *plain* frame, a whole text message as
//! the gateway sends them, is read where it lies, and text is sent without its knowing ([`Outbound`]). The first is most of
//! the speed of receiving; and the library's state, with the buffers it would keep for as long as the socket lives, is
//! needed only while there is something for it to do.
//!
//! `reading` is what comes, `sending` what goes; here is what the driver sees of both.

mod reading;
mod sending;

use std::task::{Context, Poll, ready};

use agent_gateway_machine::Close;
use agent_gateway_protocol::frame::Decoder;
use agent_gateway_protocol::{CloseCode, OperationId};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};

use self::reading::{Reading, Step};
use self::sending::Closing;
use super::failure::close_of;
use super::link::{ByteStream, Lent, Link};
use super::outbound::Outbound;
use super::{Received, Socket, TransportOptions};

/// The library's read buffer, bytes, while it has something to read.
const LIBRARY_BUFFER: usize = 4 << 10;

/// Steps in one go that bring nothing to tell (reads, parts of messages, pings), or whatever a closing socket brings: then
/// the driver's other work has its turn.
const STEPS: usize = 128;

pub(super) struct WebSocket<S> {
    link: Link<S>,
    reading: Reading,
    decoder: Decoder,
    /// The frames so far of the message that the library has begun and that goes on.
    parts: usize,
    /// Something has come of what is not a whole message yet, and was not told.
    arriving: bool,
    library: Option<Box<WebSocketContext>>,
    /// A frame or message over this many bytes is a violation.
    limit: usize,
    outbound: Outbound,
    /// The library holds bytes (a pong, a close frame) that are not with the kernel yet.
    unflushed: bool,
    closing: Option<Closing>,
    /// Why the peer closes, in its words.
    reason: Box<str>,
    /// Sending failed. Told by `poll_receive` once everything that came before has been read, or at once where the socket
    /// is given up.
    broken: Option<Close>,
}

/// How the library is to be.
pub(super) fn config(limit: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(LIBRARY_BUFFER)
        // Every frame goes out at once: they are few, and someone waits for each.
        .write_buffer_size(0)
        .max_frame_size(Some(limit))
        .max_message_size(Some(limit))
}

impl<S: ByteStream> WebSocket<S> {
    /// A socket whose upgrade is done.
    pub(super) fn new(link: Link<S>, options: TransportOptions) -> Self {
        Self {
            link,
            reading: Reading::Between,
            decoder: Decoder::default(),
            parts: 0,
            arriving: false,
            library: None,
            limit: options.frame_limit,
            outbound: Outbound::new(options.outbound_limit),
            unflushed: false,
            closing: None,
            reason: Box::default(),
            broken: None,
        }
    }

    /// Lets go of the library where it has nothing to remember.
    fn settle(&mut self) {
        if self.library.is_some()
            && matches!(self.reading, Reading::Between)
            && self.parts == 0
            && self.closing.is_none()
        {
            self.library = None;
        }
    }

    fn with_library<T>(
        &mut self,
        context: &mut Context<'_>,
        act: impl FnOnce(&mut WebSocketContext, &mut Lent<'_, '_, S>) -> T,
    ) -> T {
        let library = self.library.get_or_insert_with(|| {
            Box::new(WebSocketContext::new(
                Role::Client,
                Some(config(self.limit)),
            ))
        });
        let left = match &mut self.reading {
            Reading::Library { left } => left,
            Reading::Between
            | Reading::Long { .. }
            | Reading::Needless { .. }
            | Reading::GivenUp => &mut 0,
        };
        let may_write = !self.outbound.is_amid_frame();
        act(library, &mut self.link.lend(left, may_write, context))
    }
}

impl<S: ByteStream> Socket for WebSocket<S> {
    fn expect_operation(&mut self, operation: &OperationId) {
        self.decoder.expect_operation(operation.clone());
    }

    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        for _ in 0..STEPS {
            match self.poll_step(context) {
                Poll::Ready(Step::Received(received)) => return Poll::Ready(received),
                Poll::Ready(Step::Over(close)) => return Poll::Ready(Received::Closed(close)),
                Poll::Ready(Step::GoOn) => {}
                Poll::Pending => return self.unfinished().map_or(Poll::Pending, Poll::Ready),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn rest(&mut self) {
        self.link.rest();
    }

    fn send(&mut self, text: String) {
        if self.broken.is_none() {
            self.outbound.push(text);
        }
    }

    fn send_answer(&mut self, text: String) {
        if self.broken.is_none() {
            self.outbound.push_answer(text);
        }
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let close = match self.poll_send(context) {
            Poll::Ready(Ok(())) => return Poll::Ready(()),
            Poll::Ready(Err(error)) => close_of(&error),
            Poll::Pending => {
                let Some(bytes) = self.outbound.surplus() else {
                    return Poll::Pending;
                };
                // It may be busy sending, without an end.
                self.reading = Reading::GivenUp;
                Close::Lost {
                    text: format!("the peer does not take what is sent: {bytes} bytes wait").into(),
                }
            }
        };
        self.outbound.clear();
        self.unflushed = false;
        self.broken.get_or_insert(close);
        // `poll_receive` may be waiting for a byte that never comes.
        context.waker().wake_by_ref();
        Poll::Ready(())
    }

    fn start_close(&mut self, code: CloseCode) {
        if self.closing == Some(Closing::ByPeer) {
            // The library has its answer ready.
            self.outbound.give_up();
            self.unflushed = true;
            return;
        }
        self.closing = Some(Closing::Wanted(code));
    }

    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(Closing::Wanted(code)) = self.closing {
            // What the socket takes now was sent before the close. The rest is given up, and must not come later.
            if matches!(self.poll_send(context), Poll::Ready(Err(_))) {
                return Poll::Ready(());
            }
            self.outbound.give_up();
            self.closing = Some(Closing::Due(code));
        }
        // Sending and reading go on side by side: a peer that is busy writing reads our close frame only when we read.
        let sent = self.poll_send(context);
        if matches!(sent, Poll::Ready(Err(_))) {
            return Poll::Ready(());
        }
        for _ in 0..STEPS {
            if let Step::Over(_) = ready!(self.poll_step(context)) {
                return Poll::Ready(());
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

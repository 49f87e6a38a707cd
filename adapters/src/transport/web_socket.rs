//! A WebSocket. The library (tungstenite) does all of the protocol but two things: a *plain* frame, a whole text message as
//! the gateway sends them, is read where it lies, and text is sent without its knowing ([`Outbound`]). The first is most of
//! the speed of receiving; and the library's state, with the buffers it would keep for as long as the socket lives, is
//! needed only while there is something for it to do.

use std::io::ErrorKind;
use std::pin::Pin;
use std::str::{self, Utf8Error};
use std::task::{Context, Poll, ready};

use agent_gateway_machine::{Close, FrameProblem};
use agent_gateway_protocol::frame::Decoder;
use agent_gateway_protocol::{CloseCode, OperationId};
use simdutf8::basic;
use tokio_tungstenite::tungstenite::protocol::{
    CloseFrame, Role, WebSocketConfig, WebSocketContext,
};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::failure::close_of;
use super::head::Head;
use super::inbound::Inbound;
use super::link::{ByteStream, Lent, Link};
use super::outbound::Outbound;
use super::{Received, Socket, TransportOptions};

/// The room such a frame begins with at most, bytes; it grows as the frame comes, whatever length was announced.
const FIRST_ROOM: usize = 1 << 20;

/// The library's read buffer, bytes, while it has something to read.
const LIBRARY_BUFFER: usize = 4 << 10;

/// Steps in one go that bring nothing to tell (reads, parts of messages, pings), or whatever a closing socket brings: then
/// the driver's other work has its turn.
const STEPS: usize = 128;

/// Frames that one message may come in. Their bytes have a bound; but they may be empty, and then such a message would have
/// no end.
const PARTS: usize = 64 << 10;

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
    /// Sending failed. Told by `poll_receive` once everything that came before has been read, or at once where the socket
    /// is given up.
    broken: Option<Close>,
}

/// Where in the stream of frames the next byte is.
enum Reading {
    /// Between two frames.
    Between,
    /// In a plain frame that has room of its own.
    Long { text: Vec<u8>, length: usize },
    /// In a frame that is the library's, which may read this much more of it.
    Library { left: u64 },
    /// In a frame that nobody needs, of which there is this much more.
    Needless { left: u64 },
    /// Nowhere any more: the socket is given up.
    GivenUp,
}

/// Who said first that the socket closes. Either way the library does it.
#[derive(PartialEq, Eq)]
enum Closing {
    ByPeer,
    Wanted(CloseCode),
    /// Nothing but the close frame is still to come.
    Due(CloseCode),
    ByUs,
}

/// One step of reading.
enum Step {
    Received(Received),
    /// The socket has ended, in whatever way.
    Over(Close),
    /// Nothing to tell, and there may be more to read at once.
    GoOn,
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
            broken: None,
        }
    }

    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        match &mut self.reading {
            Reading::Between => self.poll_frame(context),
            Reading::Long { text, length } if text.len() == *length => {
                let text = std::mem::take(text);
                self.reading = Reading::Between;
                Poll::Ready(match utf8(&text) {
                    Ok(text) => Step::Received(received(&mut self.decoder, text)),
                    Err(error) => Step::Over(close_of(&error.into())),
                })
            }
            Reading::Long { text, length } => {
                let missing = *length - text.len();
                if text.len() == text.capacity() {
                    text.reserve_exact(missing.min(text.len()));
                }
                let read = ready!(self.link.poll_read_into(text, missing, context));
                self.arriving = true;
                Poll::Ready(self.more(read))
            }
            Reading::Library { .. } => self.poll_library(context),
            Reading::Needless { left: 0 } => {
                self.reading = Reading::Between;
                Poll::Ready(Step::GoOn)
            }
            Reading::Needless { left } => {
                let there = self.link.bytes().len() as u64;
                if there == 0 {
                    let read = ready!(self.link.poll_fill(1, context));
                    return Poll::Ready(self.more(read));
                }
                let count = there.min(*left);
                *left -= count;
                // It fits: so much is in memory.
                self.link
                    .consume(usize::try_from(count).unwrap_or(usize::MAX));
                Poll::Ready(Step::GoOn)
            }
            Reading::GivenUp => self
                .broken
                .take()
                .map_or(Poll::Pending, |close| Poll::Ready(Step::Over(close))),
        }
    }

    /// Reads the next frame, or says whose it is.
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let bytes = self.link.bytes();
        let (whole, goes_on) = match Head::read(bytes) {
            Head::Cut => {
                let read = ready!(self.link.poll_fill(1, context));
                return Poll::Ready(self.more(read));
            }
            Head::Plain { start, length } if self.parts == 0 && length <= self.limit as u64 => {
                // It fits: it is at most the limit.
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let whole = start + length;
                match bytes.get(start..whole).map(utf8) {
                    Some(Ok(text)) => {
                        let received = received(&mut self.decoder, text);
                        self.link.consume(whole);
                        return Poll::Ready(Step::Received(received));
                    }
                    // The library says what is wrong with it.
                    Some(Err(_)) => (whole as u64, None),
                    None => {
                        let missing = whole - bytes.len();
                        if whole <= Inbound::CAPACITY
                            && let Poll::Ready(read) = self.link.poll_fill(missing, context)
                        {
                            return Poll::Ready(self.more(read));
                        }
                        self.begin_long(start, length);
                        return Poll::Ready(Step::GoOn);
                    }
                }
            }
            Head::Plain { start, length } => (length.saturating_add(start as u64), None),
            // A peer that pings and does not read is owed one pong; more would only pile up.
            Head::Ping { whole } if self.is_behind(context) => {
                self.reading = Reading::Needless { left: whole };
                return Poll::Ready(Step::GoOn);
            }
            Head::Ping { whole } => (whole, None),
            Head::Other { whole, goes_on } => (whole, goes_on),
            Head::Broken => (u64::MAX, None),
        };
        match goes_on {
            Some(true) if self.parts == PARTS => {
                return Poll::Ready(Step::Over(Close::Violation {
                    text: format!("a message in more than {PARTS} frames").into(),
                }));
            }
            Some(true) => self.parts += 1,
            Some(false) => self.parts = 0,
            None => {}
        }
        self.reading = Reading::Library { left: whole };
        Poll::Ready(Step::GoOn)
    }

    /// A plain frame that is longer than the buffer, or whose rest is not there yet, gets room of its own and is read
    /// straight into it.
    fn begin_long(&mut self, start: usize, length: usize) {
        let begun = &self.link.bytes()[start..];
        let mut text = Vec::with_capacity(length.min(FIRST_ROOM));
        text.extend_from_slice(begun);
        self.link.consume(start + text.len());
        self.arriving = true;
        self.reading = Reading::Long { text, length };
    }

    /// What a read comes to. At an end, or a failure, it is the library that says what that means where we are.
    fn more(&mut self, read: std::io::Result<usize>) -> Step {
        match read {
            Ok(0) => {
                self.reading = Reading::Library { left: u64::MAX };
                Step::GoOn
            }
            Ok(_) => Step::GoOn,
            Err(error) => Step::Over(close_of(&error.into())),
        }
    }

    /// Whether the peer has not taken the pong before, nor anything after it.
    fn is_behind(&mut self, context: &mut Context<'_>) -> bool {
        // What is wrong, if anything, is told when sending.
        let _ = self.poll_pending(context);
        self.unflushed
    }

    fn poll_library(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let (read, took) = self.with_library(context, |library, link| {
            let before = *link.left;
            (library.read(link), *link.left < before)
        });
        self.arriving |= took;
        let message = match read {
            Ok(message) => message,
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                return match self.reading {
                    // A part of a message: the next frame goes on.
                    Reading::Library { left: 0 } => {
                        self.reading = Reading::Between;
                        Poll::Ready(Step::GoOn)
                    }
                    _ => Poll::Pending,
                };
            }
            Err(error) => return Poll::Ready(Step::Over(close_of(&error))),
        };
        self.reading = Reading::Between;
        Poll::Ready(match message {
            Message::Text(text) => Step::Received(received(&mut self.decoder, &text)),
            Message::Binary(_) => Step::Received(Received::Rejected(FrameProblem::Binary)),
            Message::Close(frame) => {
                self.closing.get_or_insert(Closing::ByPeer);
                Step::Received(Received::Closed(closed(frame)))
            }
            Message::Ping(_) => {
                // The library has the pong ready.
                self.unflushed = true;
                Step::GoOn
            }
            Message::Pong(_) | Message::Frame(_) => Step::GoOn,
        })
    }

    /// What there is to tell when nothing more can be read for now.
    fn unfinished(&mut self) -> Option<Received> {
        // A write that failed is a connection that is gone, even if reading has not noticed.
        if let Some(close) = self.broken.take() {
            return Some(Received::Closed(close));
        }
        let amid = self.parts > 0 || !matches!(self.reading, Reading::Between);
        (std::mem::take(&mut self.arriving) && amid).then_some(Received::Arriving)
    }

    /// Brings out what is begun.
    fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.outbound.poll_write(Pin::new(&mut self.link), context))?;
        if self.unflushed {
            ready!(done(
                self.with_library(context, |library, link| library.flush(link))
            ))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            ready!(self.poll_pending(context))?;
            if self.outbound.begin() {
                continue;
            }
            let Some(Closing::Due(code)) = self.closing else {
                self.settle();
                return Poll::Ready(Ok(()));
            };
            self.closing = Some(Closing::ByUs);
            // What cannot go out at once is with the library.
            self.unflushed = true;
            let close = Message::Close(Some(CloseFrame {
                code: code.0.into(),
                reason: "".into(),
            }));
            let written = self.with_library(context, |library, link| library.write(link, close));
            if let Poll::Ready(written) = done(written) {
                written?;
            }
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

/// A text message's text.
#[inline]
fn utf8(bytes: &[u8]) -> Result<&str, Utf8Error> {
    // Quicker, but it does not say where the fault is.
    basic::from_utf8(bytes).or_else(|_| str::from_utf8(bytes))
}

#[inline]
fn received(decoder: &mut Decoder, text: &str) -> Received {
    Received::read(decoder.decode(text), text)
}

/// Pending where the library could not go on at once.
fn done(result: Result<(), Error>) -> Poll<Result<(), Error>> {
    match result {
        Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
        // It closed as it should.
        Err(Error::ConnectionClosed) => Poll::Ready(Ok(())),
        result => Poll::Ready(result),
    }
}

fn closed(frame: Option<CloseFrame>) -> Close {
    match frame {
        Some(CloseFrame { code, reason }) => Close::Closed {
            code: Some(CloseCode(code.into())),
            reason: reason.as_str().into(),
        },
        None => Close::Closed {
            code: None,
            reason: "".into(),
        },
    }
}

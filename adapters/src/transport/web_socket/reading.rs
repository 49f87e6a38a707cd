use std::io::ErrorKind;
use std::str::{self, Utf8Error};
use std::task::{Context, Poll, ready};

use agent_gateway_machine::{Close, FrameProblem};
use agent_gateway_protocol::CloseCode;
use agent_gateway_protocol::frame::Decoder;
use simdutf8::basic;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::WebSocket;
use super::sending::Closing;
use crate::transport::Received;
use crate::transport::failure::close_of;
use crate::transport::head::Head;
use crate::transport::inbound::Inbound;
use crate::transport::link::ByteStream;

/// The room such a frame begins with at most, bytes; it grows as the frame comes, whatever length was announced.
const FIRST_ROOM: usize = 1 << 20;

/// Frames that one message may come in. Their bytes have a bound; but they may be empty, and then such a message would have
/// no end.
const PARTS: usize = 64 << 10;

/// Where in the stream of frames the next byte is.
pub(super) enum Reading {
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

/// One step of reading.
pub(super) enum Step {
    Received(Received),
    /// The socket has ended, in whatever way.
    Over(Close),
    /// Nothing to tell, and there may be more to read at once.
    GoOn,
}

impl<S: ByteStream> WebSocket<S> {
    pub(super) fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
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
            Head::Close { whole } if bytes.len() < whole => {
                let missing = whole - bytes.len();
                let read = ready!(self.link.poll_fill(missing, context));
                return Poll::Ready(self.more(read));
            }
            Head::Close { whole } => (self.without_reason(whole), None),
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

    /// Keeps a close frame's reason, and leaves a frame without it to the library, which would log it. Gives its length.
    fn without_reason(&mut self, whole: usize) -> u64 {
        if let Some([opcode, _, high, low, reason @ ..]) = self.link.bytes().get(..whole)
            && let Ok(text) = str::from_utf8(reason)
        {
            let head = [*opcode, 2, *high, *low];
            self.reason = text.into();
            self.link.replace(whole, head);
            return head.len() as u64;
        }
        // The library says what is wrong with it.
        whole as u64
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
                let reason = std::mem::take(&mut self.reason);
                Step::Received(Received::Closed(closed(frame, reason)))
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
    pub(super) fn unfinished(&mut self) -> Option<Received> {
        // A write that failed is a connection that is gone, even if reading has not noticed.
        if let Some(close) = self.broken.take() {
            return Some(Received::Closed(close));
        }
        let amid = self.parts > 0 || !matches!(self.reading, Reading::Between);
        let moved = self.outbound.take_moved();
        (std::mem::take(&mut self.arriving) && amid || moved).then_some(Received::Arriving)
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

/// `kept`: the reason that the library was not shown. Of a frame that may not be it says so in its own words.
fn closed(frame: Option<CloseFrame>, kept: Box<str>) -> Close {
    let (code, said) = match frame {
        Some(CloseFrame { code, reason }) => (Some(CloseCode(code.into())), reason),
        None => (None, "".into()),
    };
    let reason = if said.is_empty() {
        kept
    } else {
        said.as_str().into()
    };
    Close::Closed { code, reason }
}

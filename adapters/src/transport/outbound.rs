//! What is sent but for closing and pongs: text messages, each one frame.
//!
//! The library would do it too, but it logs each frame that it sends, and one of them holds the token (I17).

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

use crate::random::random;

/// The texts that wait, of which there may be so many bytes, and the frame that is being written.
///
/// Answers may be large, and the way out slow: what is small and wanted soon, such as a heartbeat, goes before those that
/// wait (C5).
///
/// The machine bounds the answers that wait for the server's word (T3), and forgets each as it comes: a server that says
/// it has them all and takes none off the wire would otherwise have them pile up here (I13).
pub(super) struct Outbound {
    texts: VecDeque<String>,
    answers: VecDeque<String>,
    /// Of all that wait.
    bytes: usize,
    limit: usize,
    frame: Vec<u8>,
    /// So much of the frame is out.
    written: usize,
    /// A whole frame is, but the stream may hold some of it.
    unflushed: bool,
    /// The frame had to wait for the peer.
    waited: bool,
    /// More of it went out then, and this was not told.
    moved: bool,
}

impl Outbound {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            texts: VecDeque::new(),
            answers: VecDeque::new(),
            bytes: 0,
            limit,
            frame: Vec::new(),
            written: 0,
            unflushed: false,
            waited: false,
            moved: false,
        }
    }

    pub(super) fn push(&mut self, text: String) {
        self.bytes += text.len();
        self.texts.push_back(text);
    }

    pub(super) fn push_answer(&mut self, text: String) {
        self.bytes += text.len();
        self.answers.push_back(text);
    }

    /// Whether the peer has taken more of a frame that had to wait: it lives, though it may be busy reading for long.
    pub(super) fn take_moved(&mut self) -> bool {
        mem::take(&mut self.moved)
    }

    /// Bytes that wait, if they are more than may.
    pub(super) fn surplus(&self) -> Option<usize> {
        (self.bytes > self.limit).then_some(self.bytes)
    }

    /// Whether a frame is out in part: then nothing else may be written.
    pub(super) fn is_amid_frame(&self) -> bool {
        !self.frame.is_empty()
    }

    /// What waits is given up. A frame that is out in part cannot be taken back.
    pub(super) fn give_up(&mut self) {
        self.texts = VecDeque::new();
        self.answers = VecDeque::new();
        self.bytes = 0;
    }

    /// The stream is no more.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.limit);
    }

    /// Turns the text whose turn it is into a frame, if there is one.
    pub(super) fn begin(&mut self) -> bool {
        let next = self.texts.pop_front();
        let Some(text) = next.or_else(|| self.answers.pop_front()) else {
            // An idle socket holds no room.
            self.give_up();
            return false;
        };
        self.bytes -= text.len();
        let header = FrameHeader {
            opcode: OpCode::Data(Data::Text),
            mask: Some(mask()),
            ..FrameHeader::default()
        };
        // Writing to a `Vec` cannot fail.
        let _ = Frame::from_payload(header, text.into()).format(&mut self.frame);
        true
    }

    /// Brings the frame out.
    pub(super) fn poll_write(
        &mut self,
        mut stream: Pin<&mut impl AsyncWrite>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.frame.get(self.written..) {
            let Poll::Ready(written) = stream.as_mut().poll_write(context, rest) else {
                self.waited = true;
                return Poll::Pending;
            };
            let count = written?;
            if count == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.moved |= mem::take(&mut self.waited);
            self.written += count;
            self.unflushed = true;
        }
        self.frame = Vec::new();
        self.written = 0;
        if self.unflushed {
            ready!(stream.poll_flush(context))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

/// What a frame is masked with (RFC 6455, 5.3).
fn mask() -> [u8; 4] {
    let [a, b, c, d, ..] = random().to_ne_bytes();
    [a, b, c, d]
}

//! What was read from a socket and is not used yet.
//!
//! A socket needs room only while it is being read: each thread has one large buffer, lent to whoever reads and given back
//! once all in it is used. So one system call brings a burst of frames, and an idle socket holds nothing.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use crate::spare::{self, Spare};

thread_local! {
    /// This thread's buffer.
    static SPARE: Spare<Box<[u8]>> = const { Cell::new(None) };
}

#[derive(Default)]
pub(super) struct Inbound {
    /// [Lent](spare) by the thread, or as small as what it holds, or none.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Inbound {
    /// The size of a thread's buffer: a frame up to this is read where it lies. A socket left with unread bytes, because
    /// others have their turn, keeps one for as long.
    pub(super) const CAPACITY: usize = 256 << 10;

    /// What one system call brings at most, unless more of a frame is missing. More would only be cold again when its turn
    /// comes.
    const READ: usize = 128 << 10;

    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// `count` of the bytes are used.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
        if self.start == self.end {
            self.give_back();
        }
    }

    /// The next `count` bytes, four at least, become these.
    pub(super) fn replace(&mut self, count: usize, with: [u8; 4]) {
        self.start += count - with.len();
        self.buffer[self.start..][..with.len()].copy_from_slice(&with);
    }

    /// Reads more behind what there is, which must leave room for it; `missing` bytes are waited for. Ready with 0: the
    /// stream has ended.
    pub(super) fn poll_fill(
        &mut self,
        missing: usize,
        stream: Pin<&mut impl AsyncRead>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.make_room();
        let most = self.end.saturating_add(missing.max(Self::READ));
        let mut room = ReadBuf::new(&mut self.buffer[self.end..most.min(Self::CAPACITY)]);
        let read = stream.poll_read(context, &mut room);
        let count = room.filled().len();
        self.end += count;
        if count == 0 {
            self.shrink();
        }
        ready!(read)?;
        Poll::Ready(Ok(count))
    }

    /// Nothing is read for some time.
    pub(super) fn rest(&mut self) {
        if self.buffer.len() == Self::CAPACITY {
            self.shrink();
        }
    }

    /// Borrows the thread's buffer, with what there is at its front.
    fn make_room(&mut self) {
        if self.buffer.len() == Self::CAPACITY {
            self.buffer.copy_within(self.start..self.end, 0);
        } else {
            let mut buffer = spare::lend(&SPARE, || vec![0; Self::CAPACITY].into());
            let held = self.bytes();
            buffer[..held.len()].copy_from_slice(held);
            self.buffer = buffer;
        }
        self.end -= self.start;
        self.start = 0;
    }

    /// Nothing more comes for now: keeps what there is in as little as it takes.
    fn shrink(&mut self) {
        let held: Box<[u8]> = self.bytes().into();
        self.give_back();
        self.end = held.len();
        self.buffer = held;
    }

    fn give_back(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        (self.start, self.end) = (0, 0);
        if buffer.len() == Self::CAPACITY {
            spare::give_back(&SPARE, buffer);
        }
    }
}

//! The bytes under a WebSocket: TCP, or TLS over it, read through a borrowed buffer.

use std::io::{self, ErrorKind, Read, Write};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::inbound::Inbound;

/// What a WebSocket can run over.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

pub(super) struct Link<S> {
    stream: S,
    inbound: Inbound,
    /// So many of the bytes are known not to end the upgrade's head: a peer that sends it byte by byte must not have all of
    /// it looked through for each.
    searched: usize,
}

impl<S: ByteStream> Link<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            inbound: Inbound::default(),
            searched: 0,
        }
    }

    /// What was read and is not used yet.
    pub(super) fn bytes(&self) -> &[u8] {
        self.inbound.bytes()
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.inbound.consume(count);
    }

    /// The next `count` bytes become these few.
    pub(super) fn replace(&mut self, count: usize, with: [u8; 4]) {
        self.inbound.replace(count, with);
    }

    /// The length of the HTTP head, its blank line included, once it is all there.
    fn head_length(&mut self) -> Option<usize> {
        const BLANK: &[u8] = b"\r\n\r\n";
        let bytes = self.inbound.bytes();
        let from = self.searched.min(bytes.len());
        let found = bytes[from..]
            .windows(BLANK.len())
            .position(|four| four == BLANK);
        self.searched = bytes.len().saturating_sub(BLANK.len() - 1);
        Some(from + found? + BLANK.len())
    }

    /// Nothing is read for some time.
    pub(super) fn rest(&mut self) {
        self.inbound.rest();
    }

    /// Reads more behind what there is, which must be less than [`Inbound::CAPACITY`]; `missing` bytes are waited for.
    /// Ready with 0: the end.
    pub(super) fn poll_fill(
        &mut self,
        missing: usize,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.stream);
        self.inbound.poll_fill(missing, stream, context)
    }

    /// Reads at most `most` bytes straight into `target`; all that was read before must be used. Ready with 0: the end.
    pub(super) fn poll_read_into(
        &mut self,
        target: &mut Vec<u8>,
        most: usize,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut room = target.limit(most);
        pin!(self.stream.read_buf(&mut room)).poll(context)
    }

    /// The link as the library sees it: of what comes in, only the next `left` bytes; and nothing goes out unless it may.
    pub(super) fn lend<'a, 'b>(
        &'a mut self,
        left: &'a mut u64,
        may_write: bool,
        context: &'a mut Context<'b>,
    ) -> Lent<'a, 'b, S> {
        Lent {
            link: self,
            left,
            may_write,
            context,
        }
    }
}

/// For the upgrade. Of an answer that accepts it only the head is given: what follows are frames.
impl<S: ByteStream> AsyncRead for Link<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut head = self.head_length();
        while head.is_none() && self.bytes().len() < Inbound::CAPACITY {
            if ready!(self.poll_fill(1, context))? == 0 {
                break;
            }
            head = self.head_length();
        }
        self.searched = 0;
        let bytes = self.bytes();
        let head = match head {
            Some(length) if bytes.starts_with(b"HTTP/1.1 101 ") => length,
            _ => bytes.len(),
        };
        let count = head.min(target.remaining());
        target.put_slice(&bytes[..count]);
        self.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: ByteStream> AsyncWrite for Link<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// See [`Link::lend`].
pub(super) struct Lent<'a, 'b, S> {
    link: &'a mut Link<S>,
    /// How much more of what comes in may be read.
    pub(super) left: &'a mut u64,
    may_write: bool,
    context: &'a mut Context<'b>,
}

impl<S: ByteStream> Read for Lent<'_, '_, S> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if *self.left == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        if self.link.bytes().is_empty() && at_once(self.link.poll_fill(1, self.context))? == 0 {
            return Ok(0);
        }
        let bytes = self.link.bytes();
        let left = usize::try_from(*self.left).unwrap_or(usize::MAX);
        let count = bytes.len().min(target.len()).min(left);
        target[..count].copy_from_slice(&bytes[..count]);
        self.link.consume(count);
        *self.left -= count as u64;
        Ok(count)
    }
}

impl<S: ByteStream> Write for Lent<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.may_write {
            return Err(ErrorKind::WouldBlock.into());
        }
        at_once(Pin::new(&mut self.link.stream).poll_write(self.context, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        at_once(Pin::new(&mut self.link.stream).poll_flush(self.context))
    }
}

fn at_once<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}

//! The head of an upgrade on its way out: the headers of the caller's own are put in beneath the WebSocket library, which
//! logs what it sends at trace (I17).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use reqwest::header::HeaderMap;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::link::{ByteStream, Link};

/// A link during the upgrade.
pub(super) struct Upgrade<'a, S> {
    link: &'a mut Link<S>,
    /// Put in yet.
    more: Option<&'a HeaderMap>,
    head: Vec<u8>,
    written: usize,
}

impl<'a, S: ByteStream> Upgrade<'a, S> {
    pub(super) fn new(link: &'a mut Link<S>, more: &'a HeaderMap) -> Self {
        Self {
            link,
            more: Some(more),
            head: Vec::new(),
            written: 0,
        }
    }

    /// Puts the headers in before the blank line at the end of the head.
    fn complete(&mut self) {
        let Some(more) = self.more.take() else {
            return;
        };
        let blank = self.head.len().saturating_sub(2);
        let blank = self.head.split_off(blank);
        for (name, value) in more {
            let line: [&[u8]; 4] = [name.as_ref(), b": ", value.as_bytes(), b"\r\n"];
            self.head.extend(line.concat());
        }
        self.head.extend(blank);
    }
}

impl<S: ByteStream> AsyncRead for Upgrade<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.link).poll_read(context, target)
    }
}

impl<S: ByteStream> AsyncWrite for Upgrade<'_, S> {
    /// Takes all of the head; it goes out when it is flushed.
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.head.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.complete();
        while this.written < this.head.len() {
            let rest = &this.head[this.written..];
            match ready!(Pin::new(&mut *this.link).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => this.written += count,
            }
        }
        Pin::new(&mut *this.link).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.link).poll_shutdown(context)
    }
}

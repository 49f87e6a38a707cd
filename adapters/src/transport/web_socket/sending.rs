use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use agent_gateway_protocol::CloseCode;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::WebSocket;
use crate::transport::link::ByteStream;

/// Who said first that the socket closes. Either way the library does it.
#[derive(PartialEq, Eq)]
pub(super) enum Closing {
    ByPeer,
    Wanted(CloseCode),
    /// Nothing but the close frame is still to come.
    Due(CloseCode),
    ByUs,
}

impl<S: ByteStream> WebSocket<S> {
    /// Brings out what is begun.
    pub(super) fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        ready!(self.outbound.poll_write(Pin::new(&mut self.link), context))?;
        if self.unflushed {
            ready!(done(
                self.with_library(context, |library, link| library.flush(link))
            ))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
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

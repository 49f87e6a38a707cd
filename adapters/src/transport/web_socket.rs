//! A socket of tokio-tungstenite.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use agent_gateway_machine::{Close, FrameProblem};
use agent_gateway_protocol::CloseCode;
use futures_util::{Sink, Stream};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::failure::close_of;
use super::{Received, Socket};

pub(super) struct WebSocket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// What is not yet with the library. Its bound is the machine's: answers that wait (T3) and one beat per interval.
    outbound: VecDeque<Message>,
    /// The library holds bytes that are not with the kernel yet.
    unflushed: bool,
    /// The peer's close frame came: the library answers it by itself.
    closed_by_peer: bool,
    /// Sending failed. Told by `poll_receive` once everything that came before has been read.
    broken: Option<Close>,
}

impl WebSocket {
    pub(super) fn new(stream: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self {
            stream,
            outbound: VecDeque::new(),
            unflushed: false,
            closed_by_peer: false,
            broken: None,
        }
    }

    fn stream(&mut self) -> Pin<&mut WebSocketStream<MaybeTlsStream<TcpStream>>> {
        Pin::new(&mut self.stream)
    }

    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), tokio_tungstenite::tungstenite::Error>> {
        while !self.outbound.is_empty() {
            ready!(self.stream().poll_ready(context))?;
            if let Some(message) = self.outbound.pop_front() {
                self.stream().start_send(message)?;
                self.unflushed = true;
            }
        }
        if self.unflushed {
            ready!(self.stream().poll_flush(context))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl Socket for WebSocket {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        loop {
            let message = match self.stream().poll_next(context) {
                Poll::Ready(message) => message,
                // A write that failed is a connection that is gone, even if reading has not noticed.
                Poll::Pending => {
                    return match self.broken.take() {
                        Some(close) => Poll::Ready(Received::Closed(close)),
                        None => Poll::Pending,
                    };
                }
            };
            return Poll::Ready(match message {
                Some(Ok(Message::Text(text))) => Received::text(&text),
                Some(Ok(Message::Binary(_))) => Received::Rejected(FrameProblem::Binary),
                Some(Ok(Message::Close(frame))) => {
                    self.closed_by_peer = true;
                    Received::Closed(closed(frame))
                }
                // Pings are answered by the library.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Err(error)) => Received::Closed(close_of(&error)),
                None => Received::Closed(Close::Lost {
                    text: "the connection ended".into(),
                }),
            });
        }
    }

    fn send(&mut self, text: String) {
        self.outbound.push_back(Message::text(text));
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Err(error) = ready!(self.poll_send(context)) {
            self.outbound.clear();
            self.unflushed = false;
            self.broken.get_or_insert_with(|| close_of(&error));
            // `poll_receive` may be waiting for a byte that never comes.
            context.waker().wake_by_ref();
        }
        Poll::Ready(())
    }

    fn start_close(&mut self, code: CloseCode) {
        if self.closed_by_peer {
            self.outbound.clear();
            self.unflushed = true;
            return;
        }
        self.outbound.push_back(Message::Close(Some(CloseFrame {
            code: code.0.into(),
            reason: "".into(),
        })));
    }

    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // Sending and reading go on side by side: a peer that is busy writing reads our close frame only when we read.
        let sent = self.poll_send(context);
        if matches!(sent, Poll::Ready(Err(_))) {
            return Poll::Ready(());
        }
        loop {
            match ready!(self.stream().poll_next(context)) {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Poll::Ready(()),
            }
        }
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

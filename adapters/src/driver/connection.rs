//! The one current dial or socket, and the sockets that are being closed.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use agent_gateway_machine::{Close, DialFailure, DialId, EventKind};
use agent_gateway_protocol::{ClientFrame, CloseCode, OperationId};
use tokio::task::unconstrained;
use tokio::time::{Sleep, sleep};

use crate::transport::{Received, Socket};

/// A closing handshake takes at most this long: the peer may be gone.
const CLOSING: Duration = Duration::from_secs(2);

/// Boxed, and dropped once it has its socket: its own state is much larger than the socket's.
type Opening = Pin<Box<dyn Future<Output = Result<Box<dyn Socket>, DialFailure>> + Send>>;

pub(super) struct Connection {
    current: Option<(DialId, Stage)>,
    /// At most one per dial, each gone within [`CLOSING`].
    closing: Vec<Closing>,
}

struct Closing {
    socket: Box<dyn Socket>,
    bound: Pin<Box<Sleep>>,
}

enum Stage {
    Opening(Opening),
    Open(Box<dyn Socket>),
}

impl Connection {
    pub(super) fn new() -> Self {
        Self {
            current: None,
            closing: Vec::new(),
        }
    }

    pub(super) fn dial(&mut self, dial: DialId, opening: Opening) {
        self.current = Some((dial, Stage::Opening(opening)));
    }

    pub(super) fn send(&mut self, dial: DialId, frame: &ClientFrame) {
        if let Some((current, Stage::Open(socket))) = &mut self.current
            && *current == dial
        {
            let text = frame.encode();
            if frame.is_answer() {
                socket.send_answer(text);
            } else {
                socket.send(text);
            }
        }
    }

    pub(super) fn close(&mut self, dial: DialId, code: CloseCode) {
        if let Some((_, stage)) = self.current.take_if(|(current, _)| *current == dial)
            && let Stage::Open(socket) = stage
        {
            self.finish(socket, code);
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.current, Some((_, Stage::Open(_))))
    }

    pub(super) fn is_gone(&self) -> bool {
        self.current.is_none() && self.closing.is_empty()
    }

    /// The next thing that came of the current dial, as the machine is told of it. Wakes `socket` for what comes on a
    /// socket that is open, `context` for the opening of one.
    #[inline]
    pub(super) fn poll_event(
        &mut self,
        context: &mut Context<'_>,
        socket: &mut Context<'_>,
    ) -> Poll<EventKind> {
        let Some((dial, stage)) = &mut self.current else {
            return Poll::Pending;
        };
        let dial = *dial;
        Poll::Ready(match stage {
            Stage::Open(open) => match open.poll_receive(socket) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Received::Frame(frame)) => EventKind::FrameReceived { dial, frame },
                Poll::Ready(Received::Arriving) => EventKind::FrameArriving { dial },
                Poll::Ready(Received::Rejected(problem)) => {
                    EventKind::FrameRejected { dial, problem }
                }
                Poll::Ready(Received::Closed(close)) => {
                    if let Some((_, Stage::Open(socket))) = self.current.take() {
                        self.answer(socket, &close);
                    }
                    EventKind::ConnectionClosed { dial, close }
                }
            },
            Stage::Opening(opening) => match opening.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(opened)) => {
                    *stage = Stage::Open(opened);
                    EventKind::ConnectionOpened { dial }
                }
                Poll::Ready(Err(failure)) => {
                    self.current = None;
                    EventKind::DialFailed { dial, failure }
                }
            },
        })
    }

    /// The operation whose events the socket will bring.
    pub(super) fn expect_operation(&mut self, operation: &OperationId) {
        if let Some((_, Stage::Open(socket))) = &mut self.current {
            socket.expect_operation(operation);
        }
    }

    /// Nothing is taken for some time.
    pub(super) fn rest(&mut self) {
        if let Some((_, Stage::Open(socket))) = &mut self.current {
            socket.rest();
        }
    }

    /// Brings out what was given to `send`.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) {
        if let Some((_, Stage::Open(socket))) = &mut self.current {
            // Pending: the socket wakes us when it can take more.
            let _ = socket.poll_flush(context);
        }
    }

    pub(super) fn poll_closing(&mut self, context: &mut Context<'_>) {
        self.closing.retain_mut(|closing| {
            // Whatever the socket has read in this turn: a timer that only puts us off would never end it.
            closing.socket.poll_close(context).is_pending()
                && pin!(unconstrained(closing.bound.as_mut()))
                    .poll(context)
                    .is_pending()
        });
    }

    /// What the peer is owed after a close of its own.
    fn answer(&mut self, socket: Box<dyn Socket>, close: &Close) {
        match close {
            Close::Closed { .. } => self.finish(socket, CloseCode::NORMAL),
            Close::Violation { .. } => self.finish(socket, CloseCode::PROTOCOL_ERROR),
            Close::Lost { .. } => {}
        }
    }

    fn finish(&mut self, mut socket: Box<dyn Socket>, code: CloseCode) {
        socket.start_close(code);
        self.closing.push(Closing {
            socket,
            bound: Box::pin(sleep(CLOSING)),
        });
    }
}

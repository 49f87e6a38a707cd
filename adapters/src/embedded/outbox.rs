//! What waits for one socket's client, bounded in count and bytes: a client that does not read is cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_gateway_protocol::CloseCode;
use tokio::sync::{mpsc, oneshot};

/// Messages that may wait.
const MESSAGES: usize = 65_536;

/// Bytes of them that may wait; one that finds nothing else waiting may be larger.
const BYTES: usize = 64 << 20;

/// One message or the end of one socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Text(Box<str>),
    Binary(Box<[u8]>),
    Close(CloseCode, Box<str>),
}

impl Message {
    fn size(&self) -> usize {
        match self {
            Self::Text(text) | Self::Close(_, text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// The server's end. Dropped, the socket is cut once it has brought out what waits.
pub(super) struct Outbox {
    messages: mpsc::Sender<Message>,
    waiting: Arc<AtomicUsize>,
    /// Goes with it.
    _held: oneshot::Sender<()>,
}

/// The socket's end.
pub(super) struct Outgoing {
    messages: mpsc::Receiver<Message>,
    waiting: Arc<AtomicUsize>,
}

/// Tells the socket that the server's end has been dropped, whatever waits.
pub(super) struct Release(oneshot::Receiver<()>);

/// Both ends, with nothing in between.
pub(super) fn outbox() -> (Outbox, Outgoing, Release) {
    let (sender, receiver) = mpsc::channel(MESSAGES);
    let (held, released) = oneshot::channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let outbox = Outbox {
        messages: sender,
        waiting: waiting.clone(),
        _held: held,
    };
    let outgoing = Outgoing {
        messages: receiver,
        waiting,
    };
    (outbox, outgoing, Release(released))
}

impl Outbox {
    /// Leaves a message. `false`: there is no room for it, or the socket has gone.
    pub(super) fn leave(&self, message: Message) -> bool {
        let size = message.size();
        let waiting = self.waiting.load(Ordering::Relaxed);
        if waiting > 0 && waiting.saturating_add(size) > BYTES {
            return false;
        }
        // Counted before it can be taken.
        self.waiting.fetch_add(size, Ordering::Relaxed);
        let left = self.messages.try_send(message).is_ok();
        if !left {
            self.waiting.fetch_sub(size, Ordering::Relaxed);
        }
        left
    }
}

impl Outgoing {
    /// The next message; `None`: there is none, and none will come.
    pub(super) async fn take(&mut self) -> Option<Message> {
        let message = self.messages.recv().await?;
        self.waiting.fetch_sub(message.size(), Ordering::Relaxed);
        Some(message)
    }
}

impl Release {
    /// Waits for it.
    pub(super) async fn wait(self) {
        // Nothing is ever sent: the sender goes with the outbox.
        let _ = self.0.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(count: usize) -> Message {
        Message::Binary(vec![0; count].into())
    }

    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes() {
        let (outbox, mut outgoing, _) = outbox();
        assert!(outbox.leave(bytes(BYTES - 1)));
        assert!(outbox.leave(bytes(1)));
        assert!(!outbox.leave(bytes(1)), "full");
        assert_eq!(
            outgoing.take().await.map(|message| message.size()),
            Some(BYTES - 1)
        );
        assert!(outbox.leave(bytes(BYTES - 1)), "there is room again");
        assert!(!outbox.leave(bytes(1)));
    }

    #[tokio::test]
    async fn one_message_is_taken_whatever_its_size() {
        let (outbox, mut outgoing, _) = outbox();
        assert!(outbox.leave(bytes(BYTES + 1)));
        assert!(!outbox.leave(bytes(1)));
        assert!(outgoing.take().await.is_some());
        assert!(outbox.leave(bytes(1)));
    }

    #[tokio::test]
    async fn what_waits_is_bounded_in_count() {
        let (outbox, mut outgoing, _) = outbox();
        for _ in 0..MESSAGES {
            assert!(outbox.leave(bytes(0)));
        }
        assert!(!outbox.leave(bytes(0)));
        assert_eq!(outgoing.take().await, Some(bytes(0)));
        assert!(outbox.leave(bytes(0)));
    }

    #[tokio::test]
    async fn what_waits_comes_out_after_the_servers_end_is_gone() {
        let (outbox, mut outgoing, _) = outbox();
        assert!(outbox.leave(bytes(1)));
        drop(outbox);
        assert_eq!(outgoing.take().await, Some(bytes(1)));
        assert_eq!(outgoing.take().await, None);
    }
}

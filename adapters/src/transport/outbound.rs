//! What waits to be sent.

use std::collections::VecDeque;

use tokio_tungstenite::tungstenite::Message;

/// Messages that the library has not been given yet, and how many bytes of them there may be.
///
/// The machine bounds the answers that wait for the server's word (T3), and forgets each as it comes: a server that says
/// it has them all and takes none off the wire would otherwise have them pile up here (I13).
pub(super) struct Outbound {
    messages: VecDeque<Message>,
    bytes: usize,
    limit: usize,
}

impl Outbound {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            messages: VecDeque::new(),
            bytes: 0,
            limit,
        }
    }

    pub(super) fn push(&mut self, message: Message) {
        self.bytes += message.len();
        self.messages.push_back(message);
    }

    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.bytes -= message.len();
        Some(message)
    }

    /// Whether more waits than may.
    pub(super) fn is_over(&self) -> bool {
        self.bytes > self.limit
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// None of it goes out any more. Keeps no room either.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.limit);
    }
}

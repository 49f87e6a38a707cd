//! What one wake-up brings for the caller, and the room there is for it.

use std::collections::VecDeque;

use agent_gateway_machine::Notification;

use super::BATCH;
use super::weight::size;

/// What a wake-up has brought, to be handed over in one go.
#[derive(Default)]
pub(super) struct Brought {
    pub(super) notifications: VecDeque<Notification>,
    pub(super) bytes: usize,
    /// The run's end is among them.
    pub(super) ended: bool,
}

/// What may still be handed over before reading pauses.
#[derive(Clone, Copy, Default)]
pub(super) struct Room {
    pub(super) notifications: usize,
    pub(super) bytes: usize,
}

impl Brought {
    /// Where more than a few come at once, room for a whole batch is made in one go.
    pub(super) fn push(&mut self, notification: Notification) {
        let room = &mut self.notifications;
        if !room.is_empty() && room.len() == room.capacity() {
            room.reserve(BATCH);
        }
        self.bytes += size(&notification);
        self.ended |= matches!(notification, Notification::RunEnded { .. });
        self.notifications.push_back(notification);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Room {
    pub(super) fn is_none(self) -> bool {
        self.notifications == 0 || self.bytes == 0
    }

    /// What is left after `notification`.
    pub(super) fn less(self, notification: &Notification) -> Self {
        Self {
            notifications: self.notifications.saturating_sub(1),
            bytes: self.bytes.saturating_sub(size(notification)),
        }
    }
}

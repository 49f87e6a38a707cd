//! What one wake-up brings for the caller, and the room there is for it.

use std::cell::Cell;
use std::collections::VecDeque;
use std::mem;

use agent_gateway_machine::Notification;

use super::{BATCH, weight};
use crate::spare::{self, Spare};

thread_local! {
    /// Room for a batch.
    static SPARE: Spare<VecDeque<Notification>> = const { Cell::new(None) };
}

/// What a wake-up has brought, to be handed over in one go, and how much more may come. Room for a whole batch is
/// [lent](spare) by the thread.
#[derive(Default)]
pub(super) struct Brought {
    notifications: VecDeque<Notification>,
    bytes: usize,
    /// What is left of the caller's queue.
    room: Room,
    /// The run's end is among them.
    ended: bool,
}

/// What may still be handed over before reading pauses.
#[derive(Clone, Copy, Default)]
pub(super) struct Room {
    pub(super) notifications: usize,
    pub(super) bytes: usize,
}

impl Brought {
    #[inline]
    pub(super) fn push(&mut self, notification: Notification) {
        if self.notifications.capacity() == 0 {
            self.notifications = spare::lend(&SPARE, || VecDeque::with_capacity(BATCH));
        }
        let bytes = weight::size(&notification);
        self.room = self.room.less(bytes);
        self.bytes += bytes;
        self.ended |= matches!(notification, Notification::RunEnded { .. });
        self.notifications.push_back(notification);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// No more may be handed over until the caller reads.
    pub(super) fn is_full(&self) -> bool {
        self.room.is_none()
    }

    pub(super) fn set_room(&mut self, room: Room) {
        self.room = room;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.notifications.is_empty()
    }

    /// Whether the run's end has come.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Nobody wants it.
    pub(super) fn clear(&mut self) {
        self.notifications.clear();
        self.bytes = 0;
        self.ended = false;
    }

    /// Adds all to what waits, and says how many bytes that is.
    pub(super) fn hand_over(&mut self, waiting: &mut VecDeque<Notification>) -> usize {
        // Much is handed over with the room it is in; a little is not to keep so much room.
        if waiting.is_empty() && self.notifications.len() >= BATCH / 4 {
            give_back(mem::replace(waiting, mem::take(&mut self.notifications)));
        } else {
            waiting.append(&mut self.notifications);
        }
        mem::take(&mut self.bytes)
    }

    /// Nothing comes until others have had their turn.
    pub(super) fn rest(&mut self) {
        if self.is_empty() {
            give_back(mem::take(&mut self.notifications));
        }
    }
}

impl Room {
    pub(super) fn is_none(self) -> bool {
        self.notifications == 0 || self.bytes == 0
    }

    /// What is left after a notification of so many bytes.
    #[inline]
    pub(super) fn less(self, bytes: usize) -> Self {
        Self {
            notifications: self.notifications.saturating_sub(1),
            bytes: self.bytes.saturating_sub(bytes),
        }
    }
}

/// Takes room that is not needed any more, with nothing in it.
pub(crate) fn give_back(room: VecDeque<Notification>) {
    if (BATCH..=2 * BATCH).contains(&room.capacity()) {
        spare::give_back(&SPARE, room);
    }
}

//! What lies between a run's driver and its caller: commands one way, notifications the other, and a snapshot.
//!
//! One short lock on each side per wake-up, not one hop per frame: the driver hands over all that one wake-up brought,
//! and the reader takes all that is there.

use std::collections::VecDeque;
use std::mem;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use agent_gateway_machine::{ConnectionStatus, Notification, Receipt, State};
use agent_gateway_protocol::{OperationId, TopicId};
use serde::Serialize;
use tokio::sync::Notify;

use super::BATCH;
use super::commands::{Command, Commands};
use super::weight::size;

/// How much may wait for the caller before the socket is no longer read (I13).
///
/// The reader takes all at once, so up to twice this is held while it works; and one transition can go over it, by at
/// most what a seam holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Notifications.
    pub notifications: usize,
    /// Bytes of their texts: the data of events, the arguments of tool calls, prompts and the like.
    pub bytes: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            notifications: 1_024,
            bytes: 8 << 20,
        }
    }
}

/// What a run looks like from outside, as of its latest wake-up: all of one moment, for metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The connection's status.
    pub status: ConnectionStatus,
    /// The run's operation, once the server has told it.
    pub operation: Option<OperationId>,
    /// The run's topic, once known.
    pub topic: Option<TopicId>,
    /// What has happened so far. Counts what was handed over, read by the caller or not (S11).
    pub receipt: Receipt,
    /// Notifications that wait for the caller.
    pub waiting: usize,
    /// Bytes of their texts, as [`QueueLimits::bytes`] counts them.
    pub waiting_bytes: usize,
    /// The socket is not read, since the caller does not keep up.
    pub paused: bool,
}

/// What may still be handed over before reading pauses.
#[derive(Clone, Copy, Default)]
pub(super) struct Room {
    pub(super) notifications: usize,
    pub(super) bytes: usize,
}

pub(crate) struct Mailbox {
    limits: QueueLimits,
    inner: Mutex<Inner>,
    /// Whoever waits for the driver's task to be over.
    gone: Notify,
}

/// What a wake-up has brought, to be handed over in one go.
#[derive(Default)]
pub(super) struct Brought {
    notifications: VecDeque<Notification>,
    bytes: usize,
    /// The run's end is among them.
    ended: bool,
}

/// The driver's side. Dropped with the driver: then whoever waits is told.
pub(super) struct Seat(pub(super) Arc<Mailbox>);

/// Laid out as written, for the reason of [`Driver`](super::Driver)'s.
#[derive(Default)]
#[repr(C)]
struct Inner {
    notifications: VecDeque<Notification>,
    bytes: usize,
    reader: Option<Waker>,
    /// Nobody reads any more: what comes is dropped.
    abandoned: bool,
    /// No notification comes any more.
    closed: bool,
    /// The driver has stopped reading its socket until there is room.
    paused: bool,
    /// The driver's task is over.
    gone: bool,
    driver: Option<Waker>,
    /// Drained at every wake-up of the driver, which waits for nothing else meanwhile.
    commands: Commands,
    snapshot: Snapshot,
}

impl Mailbox {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            inner: Mutex::default(),
            gone: Notify::new(),
        }
    }

    /// Asks something of the run. `false`: the run's driver is gone.
    pub(crate) fn command(&self, command: Command) -> bool {
        let mut inner = self.lock();
        if inner.gone {
            return false;
        }
        inner.commands.push(command);
        wake(inner.driver.take(), inner);
        true
    }

    /// Takes all there is, into an empty `taken`. Ready with nothing taken: no more comes.
    pub(crate) fn poll_take(
        &self,
        context: &Context<'_>,
        taken: &mut VecDeque<Notification>,
    ) -> Poll<()> {
        let mut inner = self.lock();
        if inner.notifications.is_empty() {
            if inner.closed {
                return Poll::Ready(());
            }
            store(&mut inner.reader, context);
            return Poll::Pending;
        }
        mem::swap(&mut inner.notifications, taken);
        inner.bytes = 0;
        if inner.paused {
            inner.paused = false;
            wake(inner.driver.take(), inner);
        }
        Poll::Ready(())
    }

    /// Nobody reads any more.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        inner.abandoned = true;
        inner.paused = false;
        inner.notifications = VecDeque::new();
        inner.bytes = 0;
        wake(inner.driver.take(), inner);
    }

    /// There is no driver: this is all that is ever told.
    pub(crate) fn end(&self, last: Notification) {
        let mut brought = Brought::default();
        brought.push(last);
        self.deliver(&mut brought, None, false);
        self.leave();
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let inner = self.lock();
        Snapshot {
            waiting: inner.notifications.len(),
            waiting_bytes: inner.bytes,
            paused: inner.paused,
            ..inner.snapshot.clone()
        }
    }

    /// The driver's turn: takes the commands, and leaves word how to be woken. Says whether reading is paused still.
    pub(super) fn poll_commands(&self, context: &Context<'_>) -> (VecDeque<Command>, bool) {
        let mut inner = self.lock();
        store(&mut inner.driver, context);
        (inner.commands.take(), inner.paused)
    }

    /// Hands over what a wake-up brought, and says how much more may come. With `pause`, no room left pauses reading.
    pub(super) fn deliver(
        &self,
        brought: &mut Brought,
        state: Option<&State>,
        pause: bool,
    ) -> Room {
        let mut inner = self.lock();
        if let Some(state) = state {
            inner.snapshot.update(state);
        }
        if inner.abandoned || inner.closed {
            *brought = Brought::default();
        }
        let wanted = !brought.notifications.is_empty();
        inner.take(brought);
        let room = if inner.abandoned {
            Room {
                notifications: usize::MAX,
                bytes: usize::MAX,
            }
        } else {
            Room {
                notifications: self
                    .limits
                    .notifications
                    .saturating_sub(inner.notifications.len()),
                bytes: self.limits.bytes.saturating_sub(inner.bytes),
            }
        };
        inner.paused |= pause && room.is_none();
        if wanted {
            wake(inner.reader.take(), inner);
        }
        room
    }

    /// Takes what waits for the caller, who does not read it any more.
    pub(super) fn take_waiting(&self) -> VecDeque<Notification> {
        let mut inner = self.lock();
        inner.bytes = 0;
        mem::take(&mut inner.notifications)
    }

    /// There is no driver, or no longer: whoever waits is told.
    fn leave(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.gone = true;
        // Dropping them tells who waits for a verdict.
        let commands = inner.commands.take();
        wake(inner.reader.take(), inner);
        self.gone.notify_waiters();
        drop(commands);
    }

    /// Waits until the driver's task is over.
    pub(crate) async fn gone(&self) {
        loop {
            let gone = self.gone.notified();
            if self.lock().gone {
                return;
            }
            gone.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here can panic halfway through a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn take(&mut self, brought: &mut Brought) {
        self.closed |= brought.ended;
        self.bytes += mem::take(&mut brought.bytes);
        if self.notifications.is_empty() {
            mem::swap(&mut self.notifications, &mut brought.notifications);
        } else {
            self.notifications.append(&mut brought.notifications);
        }
    }
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

impl Deref for Seat {
    type Target = Mailbox;

    fn deref(&self) -> &Mailbox {
        &self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
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

impl Snapshot {
    fn update(&mut self, state: &State) {
        self.status = state.status();
        self.receipt = state.receipt();
        if self.operation.is_none() {
            self.operation = state.operation().cloned();
        }
        if self.topic.is_none() {
            self.topic = state.topic().cloned();
        }
    }
}

fn store(place: &mut Option<Waker>, context: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(context.waker()),
        None => *place = Some(context.waker().clone()),
    }
}

/// Wakes after letting go of the lock: the woken would only run into it.
fn wake(waker: Option<Waker>, guard: MutexGuard<'_, Inner>) {
    drop(guard);
    if let Some(waker) = waker {
        waker.wake();
    }
}

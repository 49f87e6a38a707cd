//! What lies between a run's driver and its caller: commands one way, notifications the other, and a snapshot.
//!
//! One short lock on each side per wake-up, not one hop per frame: the driver hands over all that one wake-up brought,
//! and the reader takes all that is there.

use std::collections::VecDeque;
use std::mem;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use agent_gateway_machine::{ConnectionStatus, Notification, Receipt, State};
use agent_gateway_protocol::{OperationId, TopicId};
use serde::Serialize;
use tokio::sync::Notify;

use super::brought::{Brought, Room};
use super::commands::{Command, Commands, refuse};
use super::ride::Ride;
use super::wheel::{Due, Wheel};

/// How much may wait for the caller before the socket is no longer read (I13).
///
/// The reader takes all at once, so up to twice this is held while it works; and one transition can go over it, by at
/// most what a seam holds. What a run tells without its socket, such as a reconnect, waits too; answers are not taken any
/// more where twice as many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueLimits {
    /// Notifications. Zero counts as one.
    pub notifications: usize,
    /// Bytes of their texts: the data of events, the arguments of tool calls, prompts and the like. Zero counts as one.
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

pub(crate) struct Mailbox {
    limits: QueueLimits,
    inner: Mutex<Inner>,
    /// Whoever waits for the driver to be gone.
    gone: Notify,
}

/// The driver's side. Dropped with the driver: then whoever waits is told.
pub(super) struct Seat(pub(super) Arc<Mailbox>);

/// Laid out as written, for the reason of [`Driver`](super::Driver)'s.
#[derive(Default)]
#[repr(C)]
struct Inner {
    notifications: VecDeque<Notification>,
    bytes: usize,
    /// Nobody reads any more: what comes is dropped.
    abandoned: bool,
    /// No notification comes any more.
    closed: bool,
    /// The driver has stopped reading its socket until there is room.
    paused: bool,
    /// The driver is gone.
    gone: bool,
    wheel: Wheel<Box<Ride>>,
    /// Drained at every wake-up of the driver, which waits for nothing else meanwhile.
    commands: Commands,
    snapshot: Snapshot,
}

impl Mailbox {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self {
            limits: QueueLimits {
                notifications: limits.notifications.max(1),
                bytes: limits.bytes.max(1),
            },
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
        // Each answer may bring a notification, whether the socket is read or not (I13).
        let most = self.limits.notifications.saturating_mul(2);
        if command.is_answer() && inner.notifications.len() >= most {
            drop(inner);
            refuse(command);
            return true;
        }
        inner.commands.push(command);
        wake(inner.wheel.ring(Due::Else), inner);
        true
    }

    /// Takes all there is, into an empty `taken`. Ready with nothing taken: no more comes.
    ///
    /// One that `drives` does so first, where it was woken for that. It must be polled again when it is woken, or
    /// [stop waiting](Self::stop_waiting).
    pub(crate) fn poll_take(
        &self,
        context: &Context<'_>,
        taken: &mut VecDeque<Notification>,
        drives: bool,
    ) -> Poll<()> {
        let mut inner = self.lock();
        if drives
            && inner.notifications.is_empty()
            && let Some(ride) = inner.wheel.take_for_caller()
        {
            drop(inner);
            self.drive(ride);
            inner = self.lock();
        }
        if inner.notifications.is_empty() && !inner.closed {
            wake(inner.wheel.wait(context.waker(), drives), inner);
            return Poll::Pending;
        }
        mem::swap(&mut inner.notifications, taken);
        inner.bytes = 0;
        let left = match mem::take(&mut inner.paused) {
            true => Due::Else,
            false => Due::Nothing,
        };
        wake(inner.wheel.stop_waiting(left), inner);
        Poll::Ready(())
    }

    /// Who polled [`Self::poll_take`] will not do so again for now.
    pub(crate) fn stop_waiting(&self) {
        let mut inner = self.lock();
        wake(inner.wheel.stop_waiting(Due::Nothing), inner);
    }

    /// Drives for the caller.
    fn drive(&self, mut ride: Box<Ride>) {
        // A panic ends the run, as it would in the run's task, and not its caller.
        let driven = catch_unwind(AssertUnwindSafe(move || {
            let left = match ride.drive() {
                Poll::Ready(()) => Due::Else,
                Poll::Pending => Due::Nothing,
            };
            (ride, left)
        }));
        if let Ok((ride, left)) = driven {
            self.give_back(ride, left);
        }
    }

    /// Nobody reads any more.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        inner.abandoned = true;
        inner.paused = false;
        inner.notifications = VecDeque::new();
        inner.bytes = 0;
        wake(inner.wheel.stop_waiting(Due::Else), inner);
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

    /// This is driven from now on.
    pub(super) fn begin(&self, ride: Box<Ride>) {
        self.give_back(ride, Due::Nothing);
    }

    /// The task's turn. Ready with nothing: there is nothing to drive any more.
    pub(super) fn poll_ride(&self, context: &Context<'_>) -> Poll<Option<Box<Ride>>> {
        let mut inner = self.lock();
        if inner.gone {
            return Poll::Ready(None);
        }
        match inner.wheel.take_for_task(context.waker()) {
            Some(ride) => Poll::Ready(Some(ride)),
            None => Poll::Pending,
        }
    }

    /// Whoever drove is done, with this left for others.
    pub(super) fn give_back(&self, ride: Box<Ride>, left: Due) {
        let mut inner = self.lock();
        match inner.wheel.give_back(ride, left) {
            Ok(waker) => wake(waker, inner),
            Err(ride) => {
                drop(inner);
                drop(ride);
            }
        }
    }

    /// The driver's turn: takes the commands. Says whether reading is paused still.
    pub(super) fn take_commands(&self) -> (VecDeque<Command>, bool) {
        let mut inner = self.lock();
        (inner.commands.take(), inner.paused)
    }

    /// Hands over what a wake-up brought, and tells it how much more may come. With `pause`, no room left pauses reading.
    pub(super) fn deliver(&self, brought: &mut Brought, state: Option<&State>, pause: bool) {
        let mut inner = self.lock();
        if let Some(state) = state {
            inner.snapshot.update(state);
        }
        if inner.abandoned || inner.closed {
            brought.clear();
        }
        let wanted = !brought.is_empty();
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
        brought.set_room(room);
        inner.paused |= pause && brought.is_full();
        if wanted {
            wake(inner.wheel.call(), inner);
        }
    }

    /// Takes what waits for the caller, who does not read it any more.
    pub(crate) fn take_waiting(&self) -> VecDeque<Notification> {
        let mut inner = self.lock();
        inner.bytes = 0;
        mem::take(&mut inner.notifications)
    }

    /// The task is gone, and with it what it drove.
    pub(super) fn stop_driving(&self) {
        let ride = self.lock().wheel.end();
        drop(ride);
    }

    /// There is no driver, or no longer: whoever waits is told.
    fn leave(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.gone = true;
        // Dropping them tells who waits for a verdict.
        let commands = inner.commands.take();
        let waiting = inner.wheel.call_all();
        drop(inner);
        waiting.into_iter().flatten().for_each(Waker::wake);
        self.gone.notify_waiters();
        drop(commands);
    }

    /// Waits until the driver is gone.
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
        self.closed |= brought.has_ended();
        self.bytes += brought.hand_over(&mut self.notifications);
    }
}

impl Wake for Mailbox {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    /// There is something on the socket.
    fn wake_by_ref(self: &Arc<Self>) {
        let mut inner = self.lock();
        wake(inner.wheel.ring(Due::Socket), inner);
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

/// Wakes after letting go of the lock: the woken would only run into it.
fn wake(waker: Option<Waker>, guard: MutexGuard<'_, Inner>) {
    drop(guard);
    if let Some(waker) = waker {
        waker.wake();
    }
}

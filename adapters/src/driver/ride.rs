//! A driver on its way, and the task that sees to it that it gets there.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tracing::Span;

use super::Driver;
use super::mailbox::Mailbox;
use super::wheel::Due;

/// A driver with all that whoever is at the wheel must have of it.
pub(super) struct Ride {
    /// Wakes the task.
    task: Waker,
    /// Wakes whoever is to drive for what comes on the socket.
    socket: Waker,
    span: Span,
    /// Last, so that all else of the ride is gone when it tells that the run is settled.
    driver: Driver,
}

impl Ride {
    /// Drives until there is nothing to do. Ready: nor will there ever be; the end itself is the task's.
    pub(super) fn drive(&mut self) -> Poll<()> {
        let _entered = self.span.enter();
        let mut context = Context::from_waker(&self.task);
        let mut socket = Context::from_waker(&self.socket);
        self.driver.drive(&mut context, &mut socket)
    }
}

/// The task of one run: drives whenever there is something to do and no caller that does it.
pub(crate) struct Task(Arc<Mailbox>);

impl Task {
    pub(crate) fn new(driver: Driver, span: Span) -> Self {
        let mailbox = driver.mailbox.0.clone();
        mailbox.begin(Box::new(Ride {
            task: Waker::noop().clone(),
            socket: mailbox.clone().into(),
            span,
            driver,
        }));
        Self(mailbox)
    }
}

impl Future for Task {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(mut ride) = ready!(self.0.poll_ride(context)) else {
            return Poll::Ready(());
        };
        ride.task.clone_from(context.waker());
        if ride.drive().is_pending() {
            self.0.give_back(ride, Due::Nothing);
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl Drop for Task {
    /// The runtime is shutting down, or it is the end.
    fn drop(&mut self) {
        self.0.stop_driving();
    }
}

//! Waiting for the next notification, and driving the run meanwhile.

use std::pin::Pin;
use std::task::{Context, Poll};

use agent_gateway_machine::Notification;

use super::Run;

/// What [`Run::next`] awaits.
pub(super) struct Next<'a> {
    run: &'a mut Run,
    /// It may be woken to drive.
    waits: bool,
}

impl<'a> Next<'a> {
    pub(super) fn of(run: &'a mut Run) -> Self {
        Self { run, waits: false }
    }
}

impl Future for Next<'_> {
    type Output = Option<Notification>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.run.poll_notification(context, true);
        self.waits = polled.is_pending();
        polled
    }
}

impl Drop for Next<'_> {
    /// What it was woken for and has not done is left to the run's task.
    fn drop(&mut self) {
        if self.waits {
            self.run.handle.mailbox.stop_waiting();
        }
    }
}

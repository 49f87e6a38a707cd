//! One run, as its caller holds it.

mod handle;
mod next;

use std::collections::VecDeque;
use std::mem;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use agent_gateway_machine::{Bookmark, Cursor, Notification, Outcome, Receipt, State, ToolAnswer};
use futures_util::Stream;
use thiserror::Error;
use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

use crate::client::Claim;
use crate::driver::{Mailbox, RunCommand, give_back};

pub use handle::{AnswerError, Answered, RunHandle};
use next::Next;

/// One run: a stream of [`Notification`]s. It ends with [`Notification::RunEnded`], or with the
/// [`Notification::TopicStatusChanged`] that comes right behind it, where the run has kept its topic busy.
///
/// Its driver goes on by itself; this is where what it brings is picked up. Everything a [`RunHandle`] can do, a `Run`
/// can. Dropping a `Run` detaches: the run goes on on the server (S12), and [`Client::attach`](crate::Client::attach) may
/// pick it up again at once.
///
/// Nobody reading means nobody being told: past a bound (see [`QueueLimits`](crate::QueueLimits)) the socket is not read
/// any more, and the run waits. So call [`Run::next`] or [`Run::outcome`] until the end.
#[must_use = "dropping a run leaves it: nobody reads what it tells"]
#[derive(Debug)]
pub struct Run {
    handle: RunHandle,
    taken: VecDeque<Notification>,
    /// How far the caller has come, once the run has an operation.
    bookmark: Option<Bookmark>,
    ended: Option<(Outcome, Receipt)>,
    /// The runtime the run belongs to.
    home: Option<runtime::Id>,
}

impl Run {
    /// With its end, if that was told before it was stored.
    pub(crate) fn new(
        mailbox: Arc<Mailbox>,
        bookmark: Option<Bookmark>,
        ended: Option<(Outcome, Receipt)>,
        claim: Claim,
    ) -> Self {
        Self {
            handle: RunHandle { mailbox, claim },
            taken: VecDeque::new(),
            bookmark,
            ended,
            home: here(),
        }
    }

    /// The next notification; `None` after the last, or where nobody watches the run any more, which [`Run::outcome`] tells
    /// apart. Cancel-safe: what is not returned is still there.
    ///
    /// While it waits it is woken for what comes on the socket, and sees to it itself: so poll the future when it is woken,
    /// or drop it. One that is only held leaves the socket unread until the next alarm or command, a heartbeat interval at
    /// most. As a [`Stream`] a run is driven by its task alone, a little slower.
    pub async fn next(&mut self) -> Option<Notification> {
        Next::of(self).await
    }

    /// Waits for the end, and drops every notification until then. A tool call among them is answered at once: nobody
    /// executes it (`executor_not_found`); use [`Run::next`] where tools are executed. Cancel-safe, and can be asked again.
    ///
    /// The end is told at once; [`RunHandle::settled`] waits for what the client still tidies up on the server.
    ///
    /// # Errors
    /// Nobody will tell: the run's task is gone.
    pub async fn outcome(&mut self) -> Result<(Outcome, Receipt), Unwatched> {
        let mut calls = VecDeque::new();
        while self.ended.is_none() {
            match self.next().await {
                Some(Notification::ToolRequested { call, .. }) => calls.push_back(call),
                Some(_) => {}
                None => break,
            }
            // Where there is no room for an answer, there is when more was read. Whether it is still wanted changes nothing.
            while let Some(call) = calls.front() {
                let text = format!("nobody executes {} here", call.api_name);
                let answer = ToolAnswer::failure("executor_not_found", &text);
                let answered = self.handle.answer_tool(call.tool_call_id.clone(), answer);
                if answered.await == Err(AnswerError::NoRoom) {
                    break;
                }
                calls.pop_front();
            }
        }
        self.ended.clone().ok_or(Unwatched)
    }

    /// How far the caller has come with what [`Run::next`] returned, whatever is still queued; `None` until the run is
    /// started. Stored each time that what came was dealt with, it is all that a run takes to survive a crash of the
    /// program: [`Client::attach`](crate::Client::attach) with it goes on from there, with
    /// nothing missed and nothing seen twice (C10), and asks again for the tool calls that are open (T1).
    #[must_use]
    pub fn bookmark(&self) -> Option<&Bookmark> {
        self.bookmark.as_ref()
    }

    /// The place of the last event that [`Run::next`] returned (C10). Enough for who only watches; see
    /// [`Run::bookmark`].
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        static START: Cursor = Cursor::start();
        let bookmark = self.bookmark.as_ref();
        bookmark.map_or(&START, |bookmark| &bookmark.cursor)
    }

    /// Goes away in the middle of the run, and leaves it going: gives what was told and not read yet, and the run as plain
    /// data from there on, to be carried on by [`Client::restore`](crate::Client::restore) with nothing missed and nothing
    /// seen twice, perhaps by another program. What is open is asked again there, so no call, confirmation or input request
    /// is among the unread (T1, T7). No state once the run is over and settled, or [`Unwatched`].
    ///
    /// The state holds no token, but the run's texts that wait. Dropping the future detaches, as dropping the run does.
    pub async fn into_state(mut self) -> (Vec<Notification>, Option<State>) {
        let (leaving, left) = oneshot::channel();
        self.handle.mailbox.command(RunCommand::Leave(leaving));
        let (state, waiting) = match left.await {
            Ok((state, waiting)) => (Some(state), waiting),
            Err(_) => (None, self.handle.mailbox.take_waiting()),
        };
        let unread = self.taken.drain(..).chain(waiting);
        let unread = unread.filter(|notification| !is_request(notification));
        (unread.collect(), state)
    }

    /// A handle that can be cloned and given to whoever executes tools or stops the run.
    #[must_use]
    pub fn handle(&self) -> RunHandle {
        self.handle.clone()
    }

    /// With `drives`, it is the caller who is woken for what comes on the socket, and drives.
    fn poll_notification(
        &mut self,
        context: &Context<'_>,
        drives: bool,
    ) -> Poll<Option<Notification>> {
        if self.taken.is_empty()
            && self
                .handle
                .mailbox
                .poll_take(context, &mut self.taken, drives && self.home == here())
                .is_pending()
        {
            // An idle run keeps no room for what may come.
            give_back(mem::take(&mut self.taken));
            return Poll::Pending;
        }
        let notification = self.taken.pop_front();
        if let Some(notification) = &notification {
            self.note(notification);
        }
        Poll::Ready(notification)
    }

    /// The caller is told it now.
    fn note(&mut self, notification: &Notification) {
        if let Some(bookmark) = &mut self.bookmark {
            bookmark.note(notification);
        }
        match notification {
            Notification::RunStarted(started) => {
                self.bookmark = Some(Bookmark::of_started(started));
            }
            Notification::RunEnded { outcome, receipt } => {
                self.ended = Some((outcome.clone(), **receipt));
            }
            _ => {}
        }
    }
}

/// Whether it wants an answer.
fn is_request(notification: &Notification) -> bool {
    matches!(
        notification,
        Notification::ToolRequested { .. }
            | Notification::ConfirmationRequested(_)
            | Notification::InputRequested(_)
    )
}

/// The run's task went before the run's end: its runtime has shut down, or an [`Observer`](crate::Observer) has panicked.
/// The server was told nothing, so the run goes on there: [`Client::attach`](crate::Client::attach) with [`Run::bookmark`]
/// watches it again. [`RunHandle::receipt`] says what was handed over until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("nobody watches the run any more: its runtime has shut down, or an observer has panicked")]
pub struct Unwatched;

impl Stream for Run {
    type Item = Notification;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Notification>> {
        self.poll_notification(context, false)
    }
}

impl Deref for Run {
    type Target = RunHandle;

    fn deref(&self) -> &RunHandle {
        &self.handle
    }
}

impl Drop for Run {
    /// Detaches (S12). The operation is free at once, to be attached to again.
    fn drop(&mut self) {
        self.handle.mailbox.abandon();
        self.handle.detach();
    }
}

/// The runtime we are in.
fn here() -> Option<runtime::Id> {
    Handle::try_current().ok().map(|handle| handle.id())
}

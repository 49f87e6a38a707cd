//! Who drives a run: its task, or the caller that waits in [`Run::next`](crate::Run::next).
//!
//! A frame is for the caller. Were it the task that is woken for it, the task would only wake the caller in turn; so a
//! caller that waits is woken for what comes on the socket, and drives itself. The task is woken for all else (alarms,
//! commands, replies), and for the socket too while no caller waits: a run goes on without its caller.
//!
//! ```text
//! socket ──▶ a caller that waits, or else ─┐
//! alarms, commands, replies ───────────────┴──▶ the task
//! ```
//!
//! Nothing rung for is lost: whoever is woken drives, or passes it on when it stops waiting; while someone drives it is
//! kept for the moment when the wheel is given back. Pure: each method says who is to be woken, outside of any lock.

#[cfg(test)]
mod tests;

use std::mem;
use std::task::Waker;

/// The wheel, and `D`, which is driven.
#[cfg_attr(test, derive(Clone))]
pub(super) struct Wheel<D> {
    /// `None` while someone drives, before the beginning and after the end.
    driven: Option<D>,
    due: Due,
    /// The caller, while it waits and was not woken.
    caller: Option<Caller>,
    /// The task, while it waits and was not woken.
    task: Option<Waker>,
    /// The task is gone: nobody drives any more.
    over: bool,
}

#[cfg_attr(test, derive(Clone))]
struct Caller {
    waker: Waker,
    /// It drives when it is woken; otherwise it only takes what is there.
    drives: bool,
}

/// What there is to drive for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    #[default]
    Nothing,
    /// Something on the socket. With the wheel free, a caller was woken for it.
    Socket,
    /// Something that is the task's.
    Else,
}

impl<D> Default for Wheel<D> {
    fn default() -> Self {
        Self {
            driven: None,
            due: Due::Nothing,
            caller: None,
            task: None,
            over: false,
        }
    }
}

impl<D> Wheel<D> {
    /// Something is due.
    #[must_use]
    pub(super) fn ring(&mut self, due: Due) -> Option<Waker> {
        if self.driven.is_none() {
            self.due = self.due.max(due);
            return None;
        }
        self.pass_on(due)
    }

    /// The task's turn: it takes the wheel, or will be woken when it is free.
    pub(super) fn take_for_task(&mut self, waker: &Waker) -> Option<D> {
        store(&mut self.task, waker);
        let driven = self.driven.take();
        self.due = match driven {
            Some(_) => Due::Nothing,
            None => Due::Else,
        };
        driven
    }

    /// The caller's turn: it takes the wheel if there is something to drive for.
    pub(super) fn take_for_caller(&mut self) -> Option<D> {
        if self.due != Due::Socket {
            return None;
        }
        let driven = self.driven.take()?;
        self.due = Due::Nothing;
        Some(driven)
    }

    /// Whoever drove is done, with this left for others. Gives back what is driven if nobody will drive it any more.
    pub(super) fn give_back(&mut self, driven: D, left: Due) -> Result<Option<Waker>, D> {
        if self.over {
            return Err(driven);
        }
        self.driven = Some(driven);
        let due = mem::take(&mut self.due).max(left);
        Ok(self.pass_on(due))
    }

    /// The caller waits, to be woken when there is something to take, and, if it `drives`, to drive for.
    #[must_use]
    pub(super) fn wait(&mut self, waker: &Waker, drives: bool) -> Option<Waker> {
        match &mut self.caller {
            Some(caller) => {
                caller.waker.clone_from(waker);
                caller.drives = drives;
            }
            None => {
                let waker = waker.clone();
                self.caller = Some(Caller { waker, drives });
            }
        }
        self.pass_on_due(Due::Nothing)
    }

    /// The caller does not wait any more, and leaves this for the task.
    #[must_use]
    pub(super) fn stop_waiting(&mut self, left: Due) -> Option<Waker> {
        self.caller = None;
        self.pass_on_due(left)
    }

    /// There is something for the caller to take.
    #[must_use]
    pub(super) fn call(&mut self) -> Option<Waker> {
        self.caller.take().map(|caller| caller.waker)
    }

    /// The task is gone. What was driven, unless someone drives: then it is that one who must drop it.
    #[must_use]
    pub(super) fn end(&mut self) -> Option<D> {
        self.over = true;
        self.driven.take()
    }

    /// Nothing is driven any more: all that wait.
    #[must_use]
    pub(super) fn call_all(&mut self) -> [Option<Waker>; 2] {
        [self.call(), self.task.take()]
    }

    /// What the caller was woken for and did not drive for, and what is `left` beside.
    fn pass_on_due(&mut self, left: Due) -> Option<Waker> {
        let due = mem::take(&mut self.due).max(left);
        self.ring(due)
    }

    fn pass_on(&mut self, due: Due) -> Option<Waker> {
        match (due, &self.caller) {
            (Due::Nothing, _) => None,
            (Due::Socket, Some(Caller { drives: true, .. })) => {
                self.due = Due::Socket;
                self.call()
            }
            (Due::Socket | Due::Else, _) => {
                // The task sees to all there is.
                self.due = Due::Nothing;
                self.task.take()
            }
        }
    }
}

pub(super) fn store(place: &mut Option<Waker>, waker: &Waker) {
    match place {
        Some(place) => place.clone_from(waker),
        None => *place = Some(waker.clone()),
    }
}

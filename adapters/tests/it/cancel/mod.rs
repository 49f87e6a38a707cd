//! Every public future is polled k times and dropped, for every k until it is done: nothing may be lost or doubled.

mod runs;
mod sockets;

use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is polled at most `left` times: then it is over, with nothing.
struct Polled<F> {
    future: Pin<Box<F>>,
    left: usize,
}

impl<F: Future> Future for Polled<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        match self.future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Polls `future` up to `polls` times, each after it asked to be, and drops it. `None`: it was not done by then.
async fn polled<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let future = Polled {
        future: Box::pin(future),
        left: polls,
    };
    future.await
}

/// Calls `$attempt` with 0, 1, 2 … polls until the future in it was done.
macro_rules! for_every_number_of_polls {
    ($attempt:expr) => {{
        let mut polls = 0;
        while !$attempt(polls).await {
            polls += 1;
            assert!(polls < 1_000, "it is never done");
        }
    }};
}

use for_every_number_of_polls;

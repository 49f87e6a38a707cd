//! The requests in flight: a handful, one per purpose.

use std::pin::Pin;
use std::task::{Context, Poll};

use agent_gateway_machine::{Reply, RequestId};

type Answer = Pin<Box<dyn Future<Output = Reply> + Send>>;

#[derive(Default)]
pub(super) struct Requests {
    open: Vec<(RequestId, Answer)>,
}

impl Requests {
    pub(super) fn add(&mut self, request: RequestId, answer: Answer) {
        self.open.push((request, answer));
    }

    /// Its answer will not come.
    pub(super) fn cancel(&mut self, request: RequestId) {
        self.open.retain(|(open, _)| *open != request);
    }

    /// Keeps no room while there are none.
    pub(super) fn rest(&mut self) {
        if self.open.is_empty() {
            self.open = Vec::new();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The next answer there is.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<(RequestId, Reply)> {
        for index in 0..self.open.len() {
            let (request, answer) = &mut self.open[index];
            if let Poll::Ready(reply) = answer.as_mut().poll(context) {
                let request = *request;
                drop(self.open.remove(index));
                return Poll::Ready((request, reply));
            }
        }
        Poll::Pending
    }
}

//! A far side that keeps a closing socket busy.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use agent_gateway_adapters::{Outcome, Received, Socket, Transport};
use agent_gateway_machine::DialFailure;
use agent_gateway_protocol::CloseCode;
use async_trait::async_trait;
use tokio::task::{consume_budget, yield_now};

use crate::double::{Far, started};

/// Opens sockets whose far end never stops talking once they close.
struct Talkative(Far);

struct Busy(Box<dyn Socket>);

#[async_trait]
impl Transport for Talkative {
    async fn open(&self, url: &str) -> Result<Box<dyn Socket>, DialFailure> {
        Ok(Box::new(Busy(self.0.open(url).await?)))
    }
}

impl Socket for Busy {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        self.0.poll_receive(context)
    }

    fn send(&mut self, text: String) {
        self.0.send(text);
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll_flush(context)
    }

    fn start_close(&mut self, code: CloseCode) {
        self.0.start_close(code);
    }

    /// As reading does while there is always more: all that the runtime lets one task do in its turn is used up.
    fn poll_close(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while pin!(consume_budget()).poll(context).is_ready() {}
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn s12_a_gateway_that_never_stops_talking_is_left_in_time() {
    let far = Far::default();
    let (builder, mut sockets) = far.client();
    let client = builder
        .transport(Arc::new(Talkative(far.clone())))
        .build()
        .unwrap();
    let (mut run, mut socket) = started(&client, &mut sockets).await;
    run.detach();
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Detached);
    let mut settled = Box::pin(run.settled());
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..10 {
        yield_now().await;
        assert!(settled.as_mut().poll(&mut context).is_pending());
    }
    tokio::time::advance(Duration::from_secs(2)).await;
    for _ in 0..10 {
        yield_now().await;
    }
    assert!(settled.as_mut().poll(&mut context).is_ready());
    assert_eq!(socket.gone().await, Some(CloseCode::NORMAL));
}

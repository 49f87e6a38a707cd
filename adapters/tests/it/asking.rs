//! A server that is asked for its gateway, and does not answer.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agent_gateway_adapters::{Api, Attach, ClientError, Run, Vault};
use agent_gateway_machine::{Call, Limits, Millis, Reply, RequestFailure};
use agent_gateway_protocol::api::GlobalConfig;
use async_trait::async_trait;
use tokio::time::{Instant, sleep, timeout};

use crate::double::{Far, execute};

/// Does not answer until it is asked again after that.
#[derive(Clone, Default)]
struct Silent(Far, Arc<AtomicBool>);

#[async_trait]
impl Api for Silent {
    async fn send(&self, call: &Call, vault: &Vault) -> Reply {
        self.0.send(call, vault).await
    }

    async fn global_config(&self) -> Result<GlobalConfig, RequestFailure> {
        if !self.1.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
        self.0.global_config().await
    }
}

/// How long it took to be told that the server does not answer.
async fn given_up(begins: impl Future<Output = Result<Run, ClientError>>) -> Duration {
    let asked = Instant::now();
    let begun = timeout(Duration::from_secs(3_600), begins).await;
    let error = begun.expect("it waits for ever").unwrap_err();
    let ClientError::GatewayUnknown(RequestFailure::Lost { text }) = error else {
        panic!("{error}");
    };
    assert_eq!(&*text, "no answer within 3000ms");
    asked.elapsed()
}

#[tokio::test(start_paused = true)]
async fn r1_a_server_that_does_not_tell_its_gateway_is_not_waited_for() {
    let far = Silent::default();
    let (builder, _sockets) = far.0.asking_client();
    let mut limits = Limits::default();
    limits.request_deadline = Millis(3_000);
    let client = builder
        .api(Arc::new(far.clone()))
        .limits(limits)
        .build()
        .unwrap();
    let late = async {
        sleep(Duration::from_secs(1)).await;
        client.execute(execute()).await
    };
    // Each has the whole time and no more, whoever else has asked before.
    let (first, second, third) = tokio::join!(
        given_up(client.execute(execute())),
        given_up(client.attach(Attach::new("op_1".into(), None))),
        given_up(late),
    );
    assert_eq!(first, Duration::from_secs(3));
    assert_eq!(second, Duration::from_secs(3));
    assert_eq!(third, Duration::from_secs(4));
    // It is asked again.
    far.1.store(true, Ordering::Relaxed);
    drop(client.execute(execute()).await.unwrap());
}

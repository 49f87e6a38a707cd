//! What is over leaves no task behind.

use std::time::Duration;

use agent_gateway_adapters::{Client, Credential, Execute, Limits, Notification, Outcome};
use agent_gateway_machine::Millis;
use agent_gateway_protocol::api::ExecAgent;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::serve;

/// Waits until the runtime has no task; those of dropped connections need a turn to notice.
pub(super) async fn no_task_is_left() {
    let gone = async {
        while Handle::current().metrics().num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    };
    let left = timeout(Duration::from_secs(5), gone).await;
    assert!(
        left.is_ok(),
        "{} tasks left",
        Handle::current().metrics().num_alive_tasks()
    );
}

#[tokio::test]
async fn a_server_that_vanishes_leaves_nothing_behind() {
    let server = serve(None).await;
    let mut limits = Limits::default();
    limits.later_attempts = Some(2);
    limits.backoff_first = Millis(10);
    limits.backoff_cap = Millis(20);
    let client = Client::builder()
        .server(server.server_url().clone())
        .credential(Credential::ApiKey(server.client_token().clone()))
        .limits(limits)
        .build()
        .unwrap();
    let input = ExecAgent {
        slug: Some("inbox".into()),
        ..ExecAgent::default()
    };
    let mut run = client.execute(Execute::new(input)).await.unwrap();
    while !matches!(run.next().await, Some(Notification::RunStarted(_))) {}
    server.shutdown().await;
    let (outcome, _) = run.outcome().await.unwrap();
    assert!(
        matches!(outcome, Outcome::ConnectionLost { .. }),
        "{outcome:?}"
    );
    run.settled().await;
    drop((run, client));
    no_task_is_left().await;
}

#[tokio::test]
async fn a_client_dropped_in_the_middle_leaves_nothing_behind() {
    let server = serve(None).await;
    let client = Client::builder()
        .server(server.server_url().clone())
        .credential(Credential::ApiKey(server.client_token().clone()))
        .build()
        .unwrap();
    let input = ExecAgent {
        slug: Some("inbox".into()),
        ..ExecAgent::default()
    };
    let mut run = client.execute(Execute::new(input)).await.unwrap();
    while !matches!(run.next().await, Some(Notification::RunStarted(_))) {}
    drop((run, client));
    server.shutdown().await;
    no_task_is_left().await;
}

//! A whole run in LobeHub's own topology: Node answers the API and pushes events to the gateway, the client streams them.

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{Client, ClientError, Execute, Notification, Outcome};
use agent_gateway_machine::{Call, Reply};
use agent_gateway_protocol::Payload;
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::event::Chunk;
use tokio::net::TcpListener;

use crate::server::{NodeServer, key};

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn a_run_is_started_streamed_and_settled_against_the_real_stack() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gateway = EmbeddedServer::start(listener, None).await.unwrap();
    let options = format!(
        r#"{{"gateway":"{}","serviceToken":"{}","token":"{}"}}"#,
        gateway.server_url(),
        gateway.service_token().expose(),
        gateway.client_token().expose(),
    );
    let server = NodeServer::with(&options).await;
    let client = Client::builder()
        .server(server.behind(""))
        .credential(key())
        .build()
        .unwrap();
    let input = ExecAgent {
        slug: Some("inbox".into()),
        prompt: "Say this again".into(),
        ..ExecAgent::default()
    };
    let mut run = client.execute(Execute::new(input)).await.unwrap();
    let mut text = String::new();
    let mut messages = None;
    while let Some(notification) = run.next().await {
        match notification {
            Notification::EventReceived(received) => {
                if let Payload::StreamChunk(Chunk::Text(chunk)) = received.event.payload() {
                    text.push_str(&chunk.content.unwrap_or_default());
                }
            }
            Notification::TopicCreated {
                messages: fetched, ..
            } => messages = fetched,
            _ => {}
        }
    }
    let (outcome, receipt) = run.outcome().await.unwrap();
    assert_eq!(outcome, Outcome::Completed);
    assert_eq!(receipt.gaps, 0);
    assert_eq!(text, "Say this again ");
    let messages = messages.expect("R4");
    assert!(messages.as_str().contains("Say this again"), "R4");
    run.settled().await;
    let marker = Call::ReadMarker {
        topic: run.topic().unwrap(),
    };
    assert_eq!(server.ask("", &marker).await.0, Reply::Marker(None), "R6");
    gateway.shutdown().await;
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn g3_a_server_that_has_the_mode_off_starts_no_run_through_a_gateway() {
    let options = r#"{"gateway":"https://gateway.example","gatewayMode":false}"#;
    let server = NodeServer::with(options).await;
    let client = Client::builder()
        .server(server.behind(""))
        .credential(key())
        .build()
        .unwrap();
    let begun = client.execute(Execute::new(ExecAgent::default())).await;
    assert!(matches!(begun, Err(ClientError::GatewayModeOff)));
}

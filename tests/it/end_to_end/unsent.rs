//! Requests that are too long or never come to their end, against the embedded gateway.

use std::time::Duration;

use agent_gateway_adapters::embedded::EmbeddedServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::leftovers::no_task_is_left;
use super::serve;

/// Says this much and no more; what is said by the time the server has let go of it, and the seconds that took.
async fn say(server: &EmbeddedServer, text: &str) -> (String, u64) {
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let mut socket = connect(server, text).await;
    let mut answer = String::new();
    let read = socket.read_to_string(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(600), read).await;
    assert!(read.is_ok(), "the server waits on");
    let passed = began.elapsed().as_secs();
    tokio::time::resume();
    (answer, passed)
}

async fn connect(server: &EmbeddedServer, text: &str) -> TcpStream {
    let address = server
        .server_url()
        .as_str()
        .strip_prefix("http://")
        .unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(text.as_bytes()).await.unwrap();
    socket
}

#[tokio::test]
async fn a_head_has_half_a_minute() {
    for head in ["", "POST /api/ope", "GET /health HTTP/1.1\r\nhost: x\r\n"] {
        let server = serve(None).await;
        let (_, passed) = say(&server, head).await;
        assert_eq!(passed, 30, "{head}");
    }
}

#[tokio::test]
async fn a_body_has_a_minute() {
    let server = serve(None).await;
    let half = "POST /api/operations/init HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{";
    let (answer, passed) = say(&server, half).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(passed, 60);
}

#[tokio::test]
async fn a_long_body_is_for_those_who_show_their_token() {
    let server = serve(None).await;
    let service = format!("authorization: Bearer {}", server.service_token().expose());
    let client = format!("oidc-auth: {}", server.client_token().expose());
    // One byte too many, and no more: what is left unread could cut the answer off.
    let body = "x".repeat((64 << 10) + 1);
    for (path, header, status) in [
        ("/api/operations/init", "x: y", "413"),
        ("/api/operations/init", &client, "413"),
        ("/api/operations/init", &service, "400"),
        ("/trpc/lambda/aiAgent.execAgent", "x: y", "413"),
        ("/trpc/lambda/aiAgent.execAgent", &service, "413"),
        ("/trpc/lambda/aiAgent.execAgent", &client, "400"),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
             {header}\r\ncontent-length: 65537\r\n\r\n"
        );
        let mut socket = connect(&server, &head).await;
        socket.write_all(body.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(answer, format!("HTTP/1.1 {status}"), "{path} {header}");
    }
}

#[tokio::test]
async fn a_request_half_sent_does_not_outlive_the_server() {
    let server = serve(None).await;
    let _head = connect(&server, "GET /health HTTP/1.1\r\n").await;
    let body = "POST /api/operations/init HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{";
    let _body = connect(&server, body).await;
    server.shutdown().await;
    no_task_is_left().await;
}

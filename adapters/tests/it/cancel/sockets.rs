//! The real transport, the real API and the embedded server, over real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{
    Api, Credential, HttpApi, HttpOptions, Transport, TransportOptions, Vault, WebSocketTransport,
    tls,
};
use agent_gateway_machine::{Call, Reply};
use agent_gateway_protocol::ServerUrl;
use futures_util::StreamExt;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async;

use super::{for_every_number_of_polls, polled};

#[tokio::test]
async fn a_dial_that_is_given_up_leaves_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let open = Arc::new(AtomicUsize::new(0));
    let counted = open.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            let counted = counted.clone();
            tokio::spawn(async move {
                if let Ok(mut socket) = accept_async(stream).await {
                    while let Some(Ok(_)) = socket.next().await {}
                }
                counted.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
    let transport = WebSocketTransport::new(tls::platform().unwrap(), TransportOptions::default());
    for_every_number_of_polls!(async |polls| {
        let opened = polled(polls, transport.open(&url)).await;
        let is_done = opened.is_some();
        drop(opened.map(|opened| opened.unwrap_or_else(|failure| panic!("{failure:?}"))));
        while open.load(Ordering::Relaxed) > 0 {
            tokio::task::yield_now().await;
        }
        is_done
    });
}

/// Answers each `getOperationStatus` with the operation that it asks for as its status.
async fn echo(stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    while let Some(request) = lines.next_line().await? {
        while lines
            .next_line()
            .await?
            .is_some_and(|line| !line.is_empty())
        {}
        let (_, operation) = request.split_once("%3A%7B%22operationId%22%3A%22").unwrap();
        let (operation, _) = operation.split_once("%22").unwrap();
        let body = format!(
            r#"{{"result":{{"data":{{"json":{{"currentState":{{"status":"{operation}"}}}}}}}}}}"#
        );
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        let stream = lines.get_mut();
        stream.write_all(head.as_bytes()).await?;
        tokio::task::yield_now().await;
        stream.write_all(body.as_bytes()).await?;
    }
    Ok(())
}

/// Connections are used again: an answer that nobody waits for must not pass for the next one.
#[tokio::test]
async fn a_request_that_is_given_up_leaves_its_answer_to_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(echo(stream));
        }
    });
    let api = HttpApi::new(
        ServerUrl::parse(&url).unwrap(),
        &Credential::None,
        &tls::platform().unwrap(),
        HttpOptions::default(),
    )
    .unwrap();
    let vault = Vault::new();
    let status = async |operation: String, polls| {
        let call = Call::AskStatus {
            operation: operation.as_str().into(),
        };
        let reply = polled(polls, api.send(&call, &vault)).await?;
        let Reply::Status(Some(report)) = reply else {
            panic!("{reply:?}");
        };
        assert_eq!(report.status.as_str(), operation);
        Some(())
    };
    for_every_number_of_polls!(async |polls| {
        let given_up = status(format!("op_{polls}_given_up"), polls).await;
        let next = status(format!("op_{polls}_next"), usize::MAX).await;
        assert_eq!(next, Some(()));
        given_up.is_some()
    });
}

#[tokio::test]
async fn a_shutdown_that_is_not_waited_for_ends_the_server_all_the_same() {
    for_every_number_of_polls!(async |polls| {
        let server = EmbeddedServer::playing("good_run").await.unwrap();
        let address = server.server_url().as_str().replace("http://", "");
        let is_done = polled(polls, server.shutdown()).await.is_some();
        while TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        is_done
    });
}

//! Clients that are none of ours, against the plain embedded gateway: raw HTTP and a raw WebSocket.

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::serve;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// One HTTP exchange, by hand: the status line's code and the body.
async fn http(address: &str, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
        .write_all(format!("\r\n{body}").as_bytes())
        .await
        .unwrap();
    read_answer(stream).await
}

pub(super) async fn authorized(
    address: &str,
    token: &str,
    path: &str,
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    read_answer(stream).await
}

async fn read_answer(mut stream: TcpStream) -> (u16, String) {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

async fn next(socket: &mut Socket) -> String {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return text.as_str().to_owned(),
            Message::Ping(_) | Message::Pong(_) => {}
            message => panic!("{message:?}"),
        }
    }
}

async fn say(socket: &mut Socket, text: impl Into<String>) {
    socket.send(Message::text(text.into())).await.unwrap();
}

#[tokio::test]
async fn a_foreign_client_streams_what_is_pushed() {
    let server = serve(None).await;
    let url = server.server_url().as_str().to_owned();
    let address = url.strip_prefix("http://").unwrap();
    let service = server.service_token().expose();
    assert_eq!(http(address, "GET /health", "").await, (200, "OK".into()));

    let init = r#"{"operationId":"op_1","userId":"user_1"}"#;
    let (status, body) = authorized(address, service, "/api/operations/init", init).await;
    assert_eq!((status, body.as_str()), (200, r#"{"success":true}"#));
    assert_eq!(
        authorized(address, "wrong", "/api/operations/init", init)
            .await
            .0,
        401
    );

    let gateway = server.gateway_url().socket(&"op_1".into());
    let (mut socket, _) = connect_async(&*gateway).await.unwrap();
    let token = server.client_token().expose();
    say(
        &mut socket,
        format!(r#"{{"type":"auth","token":"{token}"}}"#),
    )
    .await;
    assert_eq!(next(&mut socket).await, r#"{"type":"auth_success"}"#);
    say(&mut socket, r#"{"type":"heartbeat"}"#).await;
    assert_eq!(next(&mut socket).await, r#"{"type":"heartbeat_ack"}"#);

    let push = r#"{"operationId":"op_1","event":{"type":"stream_chunk","stepIndex":0,"operationId":"op_1","timestamp":1,"data":{"chunkType":"text","content":"hi"}}}"#;
    assert_eq!(
        authorized(address, service, "/api/operations/push-event", push)
            .await
            .0,
        200
    );
    let frame = next(&mut socket).await;
    assert!(
        frame.contains(r#""id":"1""#) && frame.contains(r#""content":"hi""#),
        "{frame}"
    );

    say(
        &mut socket,
        r#"{"type":"resume","lastEventId":"","wantStatus":true}"#,
    )
    .await;
    assert_eq!(next(&mut socket).await, frame);
    let resumed = next(&mut socket).await;
    assert!(resumed.contains(r#""status":"running""#), "{resumed}");

    // The server goes away: the socket is closed with a close frame, and the port is free again.
    let goodbye = async {
        let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else {
            panic!("no close frame");
        };
        assert_eq!(u16::from(frame.code), 1001);
        while socket.next().await.is_some() {}
    };
    let address = address.to_owned();
    tokio::join!(goodbye, server.shutdown());
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_the_socket_closed_with_1008() {
    let server = serve(None).await;
    let gateway = server.gateway_url().socket(&"op_1".into());
    let (mut socket, _) = connect_async(&*gateway).await.unwrap();
    say(&mut socket, r#"{"type":"auth","token":"x"}"#).await;
    let refused = next(&mut socket).await;
    assert!(refused.contains(r#""type":"auth_failed""#), "{refused}");
    let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else {
        panic!("no close frame");
    };
    assert_eq!(u16::from(frame.code), 1008);
}

#[tokio::test]
async fn a_socket_without_an_operation_is_a_400() {
    let server = serve(None).await;
    let url = server.server_url().as_str().to_owned();
    let address = url.strip_prefix("http://").unwrap();
    assert_eq!(http(address, "GET /ws", "").await.0, 400);
    assert_eq!(http(address, "GET /nowhere", "").await.0, 404);
}

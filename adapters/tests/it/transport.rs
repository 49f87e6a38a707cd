//! The real transport, against a server played by hand on a real socket.

use std::future::poll_fn;
use std::sync::Arc;

use agent_gateway_adapters::{
    Received, Socket, Transport, TransportOptions, WebSocketTransport, tls,
};
use agent_gateway_machine::{Close, DialFailure, DialFailureKind, FrameProblem};
use agent_gateway_protocol::{CloseCode, ServerFrame};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

fn transport(options: TransportOptions) -> WebSocketTransport {
    WebSocketTransport::new(tls::platform().unwrap(), options)
}

/// Both ends of one socket.
async fn pair(options: TransportOptions) -> (Box<dyn Socket>, WebSocketStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws?operationId=op", listener.local_addr().unwrap());
    let accept = async {
        accept_async(listener.accept().await.unwrap().0)
            .await
            .unwrap()
    };
    let transport = transport(options);
    let (near, far) = tokio::join!(transport.open(&url), accept);
    (near.unwrap_or_else(|failure| panic!("{failure:?}")), far)
}

/// The next thing that is whole.
async fn receive(socket: &mut Box<dyn Socket>) -> Received {
    loop {
        let received = poll_fn(|context| socket.poll_receive(context)).await;
        if received != Received::Arriving {
            return received;
        }
    }
}

async fn flush(socket: &mut Box<dyn Socket>) {
    poll_fn(|context| socket.poll_flush(context)).await;
}

/// What a dial comes to when the server answers these bytes.
async fn answered(answer: &'static str) -> DialFailure {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read(&mut request).await;
    };
    let transport = transport(TransportOptions::default());
    let (near, ()) = tokio::join!(transport.open(&url), serve);
    near.err().expect("the dial must fail")
}

#[tokio::test]
async fn frames_go_both_ways_in_order() {
    let (mut near, mut far) = pair(TransportOptions::default()).await;
    for index in 0..3 {
        near.send(format!("{index}"));
    }
    flush(&mut near).await;
    for index in 0..3 {
        assert_eq!(
            far.next().await.unwrap().unwrap(),
            Message::text(format!("{index}"))
        );
    }
    far.send(Message::text(r#"{"type":"auth_success"}"#))
        .await
        .unwrap();
    far.send(Message::text("{")).await.unwrap();
    far.send(Message::binary(vec![1, 2])).await.unwrap();
    far.send(Message::Ping(vec![1].into())).await.unwrap();
    far.send(Message::text(r#"{"type":"heartbeat_ack"}"#))
        .await
        .unwrap();
    assert_eq!(
        receive(&mut near).await,
        Received::Frame(ServerFrame::AuthSuccess)
    );
    assert_eq!(
        receive(&mut near).await,
        Received::Rejected(FrameProblem::Malformed)
    );
    assert_eq!(
        receive(&mut near).await,
        Received::Rejected(FrameProblem::Binary)
    );
    assert_eq!(
        receive(&mut near).await,
        Received::Frame(ServerFrame::HeartbeatAck)
    );
}

#[tokio::test]
async fn c7_a_close_frame_is_told_with_its_code_and_answered() {
    let (mut near, mut far) = pair(TransportOptions::default()).await;
    let frame = CloseFrame {
        code: 1008.into(),
        reason: "userId mismatch".into(),
    };
    far.send(Message::Close(Some(frame))).await.unwrap();
    let close = Close::Closed {
        code: Some(CloseCode::POLICY_VIOLATION),
        reason: "userId mismatch".into(),
    };
    assert_eq!(receive(&mut near).await, Received::Closed(close));
    near.start_close(CloseCode::NORMAL);
    // The server drops the connection once it has read our answer.
    let answer = async move { while let Some(Ok(_)) = far.next().await {} };
    tokio::join!(poll_fn(|context| near.poll_close(context)), answer);
}

#[tokio::test]
async fn our_close_carries_its_code_after_what_was_sent_before() {
    let (mut near, mut far) = pair(TransportOptions::default()).await;
    near.send("last words".into());
    near.start_close(CloseCode::NORMAL);
    let read = async move {
        assert_eq!(
            far.next().await.unwrap().unwrap(),
            Message::text("last words")
        );
        let Some(Ok(Message::Close(Some(frame)))) = far.next().await else {
            panic!("no close frame");
        };
        assert_eq!(u16::from(frame.code), 1000);
        // The far end answers, and is read to its end.
        assert!(far.next().await.is_none());
    };
    tokio::join!(poll_fn(|context| near.poll_close(context)), read);
}

#[tokio::test]
async fn c7_a_connection_cut_without_a_close_frame_is_lost() {
    let (mut near, far) = pair(TransportOptions::default()).await;
    drop(far);
    let Received::Closed(Close::Lost { text }) = receive(&mut near).await else {
        panic!("not lost");
    };
    assert!(!text.is_empty());
}

#[tokio::test]
async fn c7_a_frame_over_the_limit_is_a_violation() {
    let mut options = TransportOptions::default();
    options.frame_limit = 1_000;
    let (mut near, mut far) = pair(options).await;
    far.send(Message::text("x".repeat(1_001))).await.unwrap();
    let Received::Closed(Close::Violation { text }) = receive(&mut near).await else {
        panic!("not a violation");
    };
    assert!(text.contains("1000") && text.contains("1001"), "{text}");
}

#[tokio::test]
async fn c12_a_frame_of_ten_megabytes_arrives_whole() {
    let (mut near, mut far) = pair(TransportOptions::default()).await;
    let text = format!(r#"{{"type":"huge","text":"{}"}}"#, "x".repeat(10 << 20));
    let send = async { far.send(Message::text(text.clone())).await.unwrap() };
    let (received, ()) = tokio::join!(receive(&mut near), send);
    let Received::Frame(ServerFrame::Unknown(frame)) = received else {
        panic!("not a frame");
    };
    assert_eq!(frame.raw.as_str(), text);
}

/// What is sent goes out although the peer floods us and we read none of it.
#[tokio::test]
async fn sending_does_not_wait_for_what_is_not_read() {
    let (mut near, far) = pair(TransportOptions::default()).await;
    let (mut sink, mut stream) = far.split();
    let flood = tokio::spawn(async move {
        let frame = Message::text(format!(r#"{{"type":"x","text":"{}"}}"#, "x".repeat(10_000)));
        while sink.send(frame.clone()).await.is_ok() {}
    });
    receive(&mut near).await;
    near.send("heard".into());
    flush(&mut near).await;
    assert_eq!(
        stream.next().await.unwrap().unwrap(),
        Message::text("heard")
    );
    drop((near, stream));
    flood.await.unwrap();
}

#[tokio::test]
async fn c2_a_refused_connection_is_unreachable_and_names_the_peer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = listener.local_addr().unwrap().to_string();
    drop(listener);
    let transport = transport(TransportOptions::default());
    let failure = transport
        .open(&format!("ws://{peer}/ws"))
        .await
        .err()
        .unwrap();
    assert_eq!(failure.kind, DialFailureKind::Unreachable);
    assert!(failure.text.contains(&peer), "{}", failure.text);
}

#[tokio::test]
async fn c2_an_http_answer_is_told_with_its_status() {
    let answer = "HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nnope";
    let failure = answered(answer).await;
    assert_eq!(failure.kind, DialFailureKind::Http(403));
    assert!(failure.text.contains("403 Forbidden"), "{}", failure.text);
    let failure = answered("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(failure.kind, DialFailureKind::Http(503));
}

#[tokio::test]
async fn c2_an_answer_that_is_not_http_is_a_protocol_failure() {
    let failure = answered("SSH-2.0-OpenSSH_9.6\r\n").await;
    assert_eq!(failure.kind, DialFailureKind::Protocol);
    assert!(failure.text.starts_with("127.0.0.1:"), "{}", failure.text);
}

/// What an upgrade must say (RFC 6455, 4.1), one of them missing or wrong at a time.
#[tokio::test]
async fn c2_an_upgrade_that_is_none_is_a_protocol_failure() {
    let upgrades = [
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: c2VudCB0byBzb21lYm9keSBlbHNlIQ==\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    ];
    for upgrade in upgrades {
        let failure = answered(upgrade).await;
        assert_eq!(failure.kind, DialFailureKind::Protocol, "{failure:?}");
        assert!(failure.text.starts_with("127.0.0.1:"), "{failure:?}");
    }
}

#[tokio::test]
async fn c2_a_redirect_is_told_and_not_followed() {
    let failure = answered(
        "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    assert_eq!(failure.kind, DialFailureKind::Http(302), "{failure:?}");
}

#[tokio::test]
async fn c2_an_answer_without_an_end_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 101 Switching Protocols\r\n")
            .await?;
        loop {
            stream.write_all(&b"X-Filler: x\r\n".repeat(1_000)).await?;
        }
    };
    let transport = transport(TransportOptions::default());
    let dial = async {
        let failure = transport.open(&url).await.err();
        failure.expect("the dial must fail")
    };
    let (failure, refused): (_, std::io::Result<()>) = tokio::join!(dial, serve);
    assert_eq!(failure.kind, DialFailureKind::Protocol, "{failure:?}");
    refused.expect_err("the socket must be closed");
}

#[tokio::test]
async fn c2_a_server_without_tls_is_a_tls_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{}/ws", listener.local_addr().unwrap());
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
    };
    let transport = transport(TransportOptions::default());
    let (near, ()) = tokio::join!(transport.open(&url), serve);
    assert_eq!(near.err().unwrap().kind, DialFailureKind::Tls);
}

#[tokio::test]
async fn ipv6_is_dialled() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else {
        eprintln!("skipped: this host has no IPv6 loopback");
        return;
    };
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let accept = async {
        accept_async(listener.accept().await.unwrap().0)
            .await
            .unwrap()
    };
    let transport = Arc::new(transport(TransportOptions::default()));
    let (near, _far) = tokio::join!(transport.open(&url), accept);
    assert!(near.is_ok());
}

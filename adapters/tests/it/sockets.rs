//! Runs over real sockets whose server does not do its part: everything that is waited for has an end.

use std::sync::Arc;

use agent_gateway_adapters::{Client, ClientBuilder, ClientError, Outcome};
use agent_gateway_machine::{ConnectionStatus, Limits, Millis};
use agent_gateway_protocol::GatewayUrl;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::double::{Far, end, execute};

/// A client of a gateway that a test plays by hand. It gives up after two attempts, without long waits between.
async fn client() -> (ClientBuilder, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let mut limits = Limits::default();
    limits.dial_deadline = Millis(100);
    limits.authentication_deadline = Millis(100);
    limits.first_attempts = 2;
    limits.backoff_first = Millis(1);
    let builder = Client::builder()
        .api(Arc::new(Far::default()))
        .gateway(GatewayUrl::parse(&url).unwrap())
        .limits(limits);
    (builder, listener)
}

/// The outcome of a run whose server does this with each socket, which must be two, and see both closed.
async fn outcome_with<F: Future<Output = TcpStream> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
) -> Outcome {
    let (builder, listener) = client().await;
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let mut stream = serve(listener.accept().await.unwrap().0).await;
            while stream
                .read(&mut [0; 1_024])
                .await
                .is_ok_and(|count| count > 0)
            {}
        }
    });
    let mut run = builder.build().unwrap().execute(execute()).await.unwrap();
    let (outcome, _) = run.outcome().await.unwrap();
    run.settled().await;
    server.await.unwrap();
    outcome
}

#[tokio::test]
async fn c2_a_server_that_never_upgrades_is_given_up() {
    let outcome = outcome_with(std::future::ready).await;
    assert!(
        matches!(outcome, Outcome::ConnectionLost { .. }),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn c2_a_gateway_that_never_answers_auth_is_given_up() {
    let upgrade = |stream| async { accept_async(stream).await.unwrap().into_inner() };
    let outcome = outcome_with(upgrade).await;
    assert!(
        matches!(outcome, Outcome::ConnectionLost { .. }),
        "{outcome:?}"
    );
}

/// Answers what the client says until its stream is open.
async fn play_opening(socket: &mut WebSocketStream<TcpStream>) {
    for answer in [
        r#"{"type":"auth_success"}"#,
        r#"{"type":"resume_complete","status":"running"}"#,
    ] {
        socket.next().await.unwrap().unwrap();
        socket.send(Message::text(answer)).await.unwrap();
    }
}

#[tokio::test]
async fn s12_a_gateway_that_does_not_answer_the_close_is_left() {
    let (builder, listener) = client().await;
    let client = builder.build().unwrap();
    let open = async {
        let mut run = client.execute(execute()).await.unwrap();
        while run.status() != ConnectionStatus::Connected {
            run.next().await.unwrap();
        }
        run
    };
    let serve = async {
        let mut socket = accept_async(listener.accept().await.unwrap().0)
            .await
            .unwrap();
        play_opening(&mut socket).await;
        socket.into_inner()
    };
    let (mut run, mut stream) = tokio::join!(open, serve);
    run.detach();
    assert_eq!(run.outcome().await.unwrap().0, Outcome::Detached);
    // Nobody reads the close frame. From here on only the clock goes on.
    tokio::time::pause();
    run.settled().await;
    tokio::time::resume();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest[0], 0x88, "a close frame, and then the end");
}

/// A gateway may talk before we do: what comes in the same segment as its answer to the upgrade is not lost.
#[tokio::test]
async fn c12_frames_right_behind_the_upgrade_are_read() {
    let (builder, listener) = client().await;
    let client = builder.build().unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut request).await.unwrap();
        }
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-accept: {}\r\n\r\n",
            derive_accept_key(key(&request).as_bytes()),
        )
        .into_bytes();
        for text in [
            r#"{"type":"auth_success"}"#,
            r#"{"type":"resume_complete","status":"running"}"#,
            &end(1),
        ] {
            let length = u16::try_from(text.len()).unwrap().to_be_bytes();
            answer.extend([0x81, 126, length[0], length[1]]);
            answer.extend(text.as_bytes());
        }
        stream.write_all(&answer).await.unwrap();
        stream
    };
    let run = async {
        let mut run = client.execute(execute()).await.unwrap();
        run.outcome().await.unwrap().0
    };
    let (outcome, _stream) = tokio::join!(run, serve);
    assert_eq!(outcome, Outcome::Completed);
}

/// The key in the head of an upgrade.
fn key(request: &[u8]) -> &str {
    let head = str::from_utf8(request).unwrap();
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let (_, key) = lines
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .unwrap();
    key
}

#[test]
fn c1_a_token_does_not_go_in_the_clear_to_another_machine() {
    let builder = |url: &str| {
        Client::builder()
            .api(Arc::new(Far::default()))
            .gateway(GatewayUrl::parse(url).unwrap())
    };
    for url in ["ws://gateway.example.org", "http://192.0.2.1:8787/x"] {
        let refused = builder(url).build();
        assert!(matches!(refused, Err(ClientError::Config(_))), "{url}");
        assert!(builder(url).allow_insecure(true).build().is_ok(), "{url}");
    }
    for url in [
        "ws://127.0.0.1:1",
        "ws://[::1]:1",
        "ws://localhost:1",
        "wss://example.org",
    ] {
        assert!(builder(url).build().is_ok(), "{url}");
    }
}

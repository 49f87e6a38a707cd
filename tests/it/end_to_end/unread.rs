//! Clients that do not read, against the embedded gateway: it lets go of them, and what waits for them is bounded.

use std::time::Duration;

use agent_gateway_adapters::embedded::EmbeddedServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Handle;

use super::foreign::authorized;
use super::leftovers::no_task_is_left;
use super::serve;

/// A frame of the client's under a mask of nothing; of less than 64 KiB.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let mut frame = vec![0x80 | opcode, 0x80 | 126];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// A WebSocket by hand, with little room for what comes in.
async fn open(server: &EmbeddedServer) -> TcpStream {
    let address = server
        .server_url()
        .as_str()
        .strip_prefix("http://")
        .unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut socket = socket.connect(address.parse().unwrap()).await.unwrap();
    let upgrade = "GET /ws?operationId=op_1 HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(upgrade.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    socket
}

/// The same, authenticated, with more on its way than a connection holds by itself.
async fn flooded(server: &EmbeddedServer) -> TcpStream {
    let mut socket = open(server).await;
    let token = server.client_token().expose();
    let auth = format!(r#"{{"type":"auth","token":"{token}"}}"#);
    socket.write_all(&frame(1, auth.as_bytes())).await.unwrap();
    let mut success = [0; 25];
    socket.read_exact(&mut success).await.unwrap();
    let address = server
        .server_url()
        .as_str()
        .strip_prefix("http://")
        .unwrap();
    let service = server.service_token().expose();
    let init = r#"{"operationId":"op_1","userId":"user_1"}"#;
    authorized(address, service, "/api/operations/init", init).await;
    let text = "x".repeat(16 << 20);
    let push = format!(
        r#"{{"operationId":"op_1","event":{{"type":"stream_chunk","data":{{"chunkType":"text","content":"{text}"}}}}}}"#
    );
    let (status, _) = authorized(address, service, "/api/operations/push-event", &push).await;
    assert_eq!(status, 200);
    socket
}

#[tokio::test]
async fn a_client_that_pings_and_does_not_read_is_cut() {
    let server = serve(None).await;
    let mut socket = open(&server).await;
    let pings = frame(9, &[b'p'; 125]).repeat(1_000);
    let mut sent = 0;
    while socket.write_all(&pings).await.is_ok() {
        sent += pings.len();
        assert!(sent < 256 << 20, "it takes ping after ping");
    }
}

#[tokio::test]
async fn a_client_that_pings_and_reads_is_kept() {
    let server = serve(None).await;
    let mut socket = open(&server).await;
    let pings = frame(9, b"p").repeat(100);
    let mut pongs = [0; 300];
    for _ in 0..20 {
        socket.write_all(&pings).await.unwrap();
        socket.read_exact(&mut pongs).await.unwrap();
        assert!(pongs.chunks(3).all(|pong| pong == [0x8a, 1, b'p']));
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go_once_the_server_is_done_with_it() {
    let server = serve(None).await;
    let _socket = flooded(&server).await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    tokio::time::pause();
    // The gateway closes what says nothing for 90 s; the last of what waits for its client has 10 s.
    let mut passed = 0;
    while Handle::current().metrics().num_alive_tasks() == tasks {
        assert!(passed < 110, "the socket is held on to");
        tokio::time::advance(Duration::from_secs(1)).await;
        passed += 1;
    }
    assert!(passed >= 90, "cut after {passed} s");
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_outlive_the_server() {
    let server = serve(None).await;
    let _socket = flooded(&server).await;
    server.shutdown().await;
    no_task_is_left().await;
}

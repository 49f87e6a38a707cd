//! A way through a proxy: `CONNECT` (RFC 9110, 9.3.6).

use agent_gateway_machine::{DialFailure, DialFailureKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::proxy::Proxy;

/// The head of a proxy's answer may be this long, bytes.
const HEAD: usize = 16 << 10;

/// Headers that are read of it.
const HEADERS: usize = 64;

/// Asks the proxy at the other end of `stream` for a way to `peer` (`host:port`): what goes through afterwards is
/// between us and the peer.
pub(super) async fn through(
    mut stream: TcpStream,
    proxy: &Proxy,
    peer: &str,
) -> Result<TcpStream, DialFailure> {
    let failed = |kind, what: &str| DialFailure {
        kind,
        text: format!("the proxy {}: {what}", proxy.address).into(),
    };
    let lost = |error: std::io::Error| failed(DialFailureKind::Unreachable, &error.to_string());
    stream
        .write_all(&request(proxy, peer))
        .await
        .map_err(lost)?;
    let mut head = Vec::new();
    loop {
        if stream.read_buf(&mut head).await.map_err(lost)? == 0 {
            return Err(failed(
                DialFailureKind::Unreachable,
                "it closed the connection instead of answering",
            ));
        }
        match answer(&head) {
            Answer::Partial if head.len() > HEAD => {
                return Err(failed(DialFailureKind::Protocol, "its answer has no end"));
            }
            Answer::Partial => {}
            // The peer speaks after us: what comes before is not its.
            Answer::Whole(200..300, length) if length == head.len() => return Ok(stream),
            Answer::Whole(200..300, _) | Answer::Broken => {
                return Err(failed(DialFailureKind::Protocol, "its answer is no HTTP"));
            }
            Answer::Whole(status, _) => {
                let what = format!("it answered {status} when asked for a way to {peer}");
                return Err(failed(DialFailureKind::Http(status), &what));
            }
        }
    }
}

enum Answer {
    Partial,
    /// Its status, and its length in bytes.
    Whole(u16, usize),
    Broken,
}

fn request(proxy: &Proxy, peer: &str) -> Vec<u8> {
    let mut request = format!("CONNECT {peer} HTTP/1.1\r\nHost: {peer}\r\n").into_bytes();
    if let Some(authorization) = &proxy.authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

fn answer(head: &[u8]) -> Answer {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(head) {
        Ok(httparse::Status::Partial) => Answer::Partial,
        Ok(httparse::Status::Complete(length)) => match response.code {
            Some(status) => Answer::Whole(status, length),
            None => Answer::Broken,
        },
        Err(_) => Answer::Broken,
    }
}

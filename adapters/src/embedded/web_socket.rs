//! One accepted socket, between its client and the pure server.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use agent_gateway_protocol::OperationId;
use agent_gateway_sim::gateway::SocketId;
use agent_gateway_sim::http::HttpResponse;
use agent_gateway_sim::server::ServerInput;
use axum::body::Body;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{self, CloseFrame, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::Response;
use axum::response::IntoResponse;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::host::Host;
use super::http::respond;
use super::outbox::{Message, Outgoing, Release};

/// After our close frame the client has this long to send its own. What waits when the whole server ends has as long.
const CLOSING: Duration = Duration::from_secs(1);

/// What waits when the server is done with a socket has this long to be read.
const LEAVING: Duration = Duration::from_secs(10);

/// Pings in a row that find their answers unread; one more ends the socket.
const PINGS: usize = 1_024;

/// A frame over this many bytes ends the socket.
const FRAME: usize = 64 << 20;

#[derive(Deserialize)]
pub(super) struct Parameters {
    #[serde(rename = "operationId", default)]
    operation: String,
}

pub(super) async fn upgrade(
    State(host): State<Host>,
    Query(parameters): Query<Parameters>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response<Body> {
    if parameters.operation.is_empty() {
        return respond(HttpResponse::text(400, "Missing operationId"));
    }
    match upgrade {
        Ok(upgrade) => upgrade
            .max_frame_size(FRAME)
            .max_message_size(FRAME)
            .write_buffer_size(0)
            .on_upgrade(move |socket| serve(host, parameters.operation.into(), socket)),
        Err(rejection) => rejection.into_response(),
    }
}

async fn serve(host: Host, operation: OperationId, web_socket: WebSocket) {
    let (socket, mut outgoing, release) = host.open(operation).await;
    let (sink, mut stream) = web_socket.split();
    let sink = Mutex::new(sink);
    // Two loops side by side: a client that does not read must not keep us from reading, and the other way round. It
    // must not keep us from letting go either.
    let receive = async {
        let mut unread = 0;
        while let Some(Ok(message)) = stream.next().await {
            match message {
                ws::Message::Text(text) => {
                    let text = text.as_str().into();
                    host.tell(ServerInput::TextReceived { socket, text }).await;
                }
                // The library answers, and would keep each answer that finds no room in the socket.
                ws::Message::Ping(_) => {
                    unread = if is_clear(&sink).await { 0 } else { unread + 1 };
                    if unread > PINGS {
                        return;
                    }
                }
                // The library answers a close frame as we read on: then the stream ends. The gateway knows no binary
                // frames.
                ws::Message::Close(_) | ws::Message::Binary(_) | ws::Message::Pong(_) => {}
            }
        }
    };
    let closing = tokio::select! {
        () = receive => false,
        closing = send(&mut outgoing, &sink) => closing,
        () = let_go(&host, release) => false,
    };
    if closing {
        // Dropping the socket at once could cut off what it has just been told.
        let last = async { while let Some(Ok(_)) = stream.next().await {} };
        let _ = timeout(CLOSING, last).await;
    } else {
        told(&host, socket).await;
    }
}

/// Brings out what the server says, until the socket is to be closed (`true`) or cut, or cannot be written.
async fn send(outgoing: &mut Outgoing, sink: &Mutex<impl SinkExt<ws::Message> + Unpin>) -> bool {
    while let Some(message) = outgoing.take().await {
        let closing = matches!(message, Message::Close(..));
        let message = match message {
            Message::Text(text) => ws::Message::text(String::from(text)),
            Message::Binary(bytes) => ws::Message::binary(Vec::from(bytes)),
            Message::Close(code, reason) => ws::Message::Close(Some(CloseFrame {
                code: code.0,
                reason: String::from(reason).into(),
            })),
        };
        if sink.lock().await.send(message).await.is_err() {
            return false;
        }
        if closing {
            return true;
        }
    }
    false
}

/// Whether all that was written is on its way to the client.
async fn is_clear(sink: &Mutex<impl SinkExt<ws::Message> + Unpin>) -> bool {
    // Locked: a message waits for room.
    let Ok(mut sink) = sink.try_lock() else {
        return false;
    };
    poll_fn(|context| {
        Poll::Ready(matches!(
            sink.poll_flush_unpin(context),
            Poll::Ready(Ok(()))
        ))
    })
    .await
}

/// Waits until the server is done with the socket, and what waits has had its time.
async fn let_go(host: &Host, release: Release) {
    release.wait().await;
    tokio::select! {
        () = sleep(LEAVING) => {}
        () = async {
            host.ended().await;
            sleep(CLOSING).await;
        } => {}
    }
}

/// The socket is gone. The server may have said so itself, by cutting it: then this changes nothing.
async fn told(host: &Host, socket: SocketId) {
    host.tell(ServerInput::SocketClosed { socket }).await;
}

//! One accepted socket, between its client and the pure server.

use std::time::Duration;

use agent_gateway_protocol::OperationId;
use agent_gateway_sim::gateway::SocketId;
use agent_gateway_sim::http::HttpResponse;
use agent_gateway_sim::server::ServerInput;
use axum::body::Body;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::Response;
use axum::response::IntoResponse;
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::time::timeout;

use super::host::Host;
use super::http::respond;
use super::outbox::{Outbound, Outgoing};

/// After our close frame the client has this long to send its own.
const CLOSING: Duration = Duration::from_secs(1);

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
    let (socket, mut outgoing) = host.open(operation).await;
    let (mut sink, mut stream) = web_socket.split();
    // Two loops side by side: a client that does not read must not keep us from reading, and the other way round.
    let receive = async {
        while let Some(Ok(message)) = stream.next().await {
            match message {
                Message::Text(text) => {
                    let text = text.as_str().into();
                    host.tell(ServerInput::TextReceived { socket, text }).await;
                }
                // The library answers pings, and a close frame as we read on: then the stream ends. The gateway knows
                // no binary frames.
                Message::Close(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => {}
            }
        }
    };
    let closing = tokio::select! {
        () = receive => false,
        closing = send(&mut outgoing, &mut sink) => closing,
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
async fn send(outgoing: &mut Outgoing, sink: &mut (impl SinkExt<Message> + Unpin)) -> bool {
    while let Some(message) = outgoing.take().await {
        let closing = matches!(message, Outbound::Close(..));
        let message = match message {
            Outbound::Text(text) => Message::text(String::from(text)),
            Outbound::Binary(bytes) => Message::binary(Vec::from(bytes)),
            Outbound::Close(code, reason) => Message::Close(Some(CloseFrame {
                code: code.0,
                reason: String::from(reason).into(),
            })),
        };
        if sink.send(message).await.is_err() {
            return false;
        }
        if closing {
            return true;
        }
    }
    false
}

/// The socket is gone. The server may have said so itself, by cutting it: then this changes nothing.
async fn told(host: &Host, socket: SocketId) {
    host.tell(ServerInput::SocketClosed { socket }).await;
}

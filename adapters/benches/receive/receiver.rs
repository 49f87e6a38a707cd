//! Those who receive: tokio-tungstenite that only counts, and `Client` with the whole way to the caller.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_gateway_adapters::{Api, Client, Execute, Notification, Run, Vault};
use agent_gateway_machine::{Call, Reply, RequestFailure, Started, TokenKind};
use agent_gateway_protocol::api::{ExecAgent, GlobalConfig};
use agent_gateway_protocol::{GatewayUrl, Token};
use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt, stream};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::load::Receiver;
use crate::progress::Progress;

/// Dials that are under way at once: fewer than a listener queues.
const AT_ONCE: usize = 64;

/// Opens this many sessions, each received by a task of its own.
pub(crate) async fn open(receiver: Receiver, sessions: u64, url: &str, progress: &Arc<Progress>) {
    match receiver {
        Receiver::Bare { buffer } => {
            let config = WebSocketConfig::default().read_buffer_size(buffer);
            let opened = (0..sessions).map(|n| open_bare(url, n, config));
            let mut opened = stream::iter(opened).buffer_unordered(AT_ONCE);
            while let Some(socket) = opened.next().await {
                tokio::spawn(count_frames(socket, progress.clone()));
            }
        }
        Receiver::Client => {
            let client = client(url);
            let opened = (0..sessions).map(|_| open_run(&client));
            let mut opened = stream::iter(opened).buffer_unordered(AT_ONCE);
            while let Some(run) = opened.next().await {
                tokio::spawn(count_events(run, progress.clone()));
            }
        }
        Receiver::Raw => {
            let opened = (0..sessions).map(|n| open_bare(url, n, WebSocketConfig::default()));
            let mut opened = stream::iter(opened).buffer_unordered(AT_ONCE);
            while let Some(socket) = opened.next().await {
                let MaybeTlsStream::Plain(socket) = socket.into_inner() else {
                    panic!("the server has no TLS");
                };
                tokio::spawn(count_reads(socket, progress.clone()));
            }
        }
    }
}

type Bare = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open_bare(url: &str, n: u64, config: WebSocketConfig) -> Bare {
    let url = format!("{url}/ws?operationId={}", operation(n));
    // Boxed and dropped after use: in each task it would stay.
    let dial = Box::pin(connect_async_with_config(url, Some(config), true));
    let (mut socket, _) = dial.await.unwrap();
    for text in [r#"{"type":"auth"}"#, r#"{"type":"resume"}"#] {
        socket.send(Message::text(text)).await.unwrap();
        socket.next().await.unwrap().unwrap();
    }
    socket
}

async fn count_frames(mut socket: Bare, progress: Arc<Progress>) {
    while let Some(Ok(_)) = socket.next().await {
        progress.count();
    }
}

async fn count_reads(socket: TcpStream, progress: Arc<Progress>) {
    let mut buffer = [0; 4 << 10];
    while socket.readable().await.is_ok() {
        match socket.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(_) => progress.count(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
}

fn client(url: &str) -> Client {
    Client::builder()
        .api(Arc::new(StartsAll::default()))
        .gateway(GatewayUrl::parse(url).unwrap())
        .build()
        .unwrap()
}

/// A run whose stream is open.
async fn open_run(client: &Client) -> Run {
    let input = ExecAgent {
        slug: Some("inbox".into()),
        ..ExecAgent::default()
    };
    let mut run = client.execute(Execute::new(input)).await.unwrap();
    while run.status() != agent_gateway_machine::ConnectionStatus::Connected {
        run.next().await.unwrap();
    }
    run
}

async fn count_events(mut run: Run, progress: Arc<Progress>) {
    while let Some(notification) = run.next().await {
        if let Notification::EventReceived(_) = notification {
            progress.count();
        }
    }
}

pub(crate) fn operation(n: u64) -> String {
    format!("op_1760000000000_agt_1_tpc_1_{n:08}")
}

/// An API that starts every run and answers nothing else.
#[derive(Default)]
pub(crate) struct StartsAll {
    started: AtomicU64,
}

#[async_trait]
impl Api for StartsAll {
    async fn send(&self, call: &Call, vault: &Vault) -> Reply {
        match call {
            Call::StartRun(_) => Reply::Started(Box::new(Started {
                operation: operation(self.started.fetch_add(1, Ordering::Relaxed))
                    .as_str()
                    .into(),
                topic: None,
                agent: None,
                thread: None,
                assistant_message: None,
                user_message: None,
                token: Some(vault.keep(Token::new("t"), TokenKind::Jwt)),
            })),
            _ => Reply::MarkerCleared,
        }
    }

    async fn global_config(&self) -> Result<GlobalConfig, RequestFailure> {
        Err(RequestFailure::Lost {
            text: "none".into(),
        })
    }
}

//! Test doubles of `Transport` and `Api`: the test plays the gateway by hand, without a socket.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use agent_gateway_adapters::{Api, Client, ClientBuilder, Received, Run, Socket, Transport, Vault};
use agent_gateway_machine::{
    Call, Close, DialFailure, Execute, Notification, Reply, RequestFailure, Started, TokenKind,
};
use agent_gateway_protocol::api::{AppContext, ExecAgent, GlobalConfig};
use agent_gateway_protocol::{CloseCode, GatewayUrl, RawJson, Token};
use async_trait::async_trait;
use tokio::sync::mpsc;

/// The far side: opens sockets, answers requests, and keeps count of both.
#[derive(Clone, Default)]
pub(crate) struct Far {
    sockets: Arc<Mutex<Option<mpsc::UnboundedSender<FarSocket>>>>,
    pub(crate) dials: Arc<AtomicUsize>,
    pub(crate) calls: Arc<Mutex<Vec<&'static str>>>,
}

/// The far end of one socket.
pub(crate) struct FarSocket {
    wire: Arc<Mutex<Wire>>,
    sent: mpsc::UnboundedReceiver<String>,
}

#[derive(Default)]
struct Wire {
    coming: VecDeque<Received>,
    reader: Option<Waker>,
    closed: Option<CloseCode>,
}

struct NearSocket {
    wire: Arc<Mutex<Wire>>,
    sent: mpsc::UnboundedSender<String>,
}

impl Far {
    /// A client of this far side, and where its sockets arrive.
    pub(crate) fn client(&self) -> (ClientBuilder, mpsc::UnboundedReceiver<FarSocket>) {
        let (builder, sockets) = self.asking_client();
        let gateway = GatewayUrl::parse("ws://localhost:1").unwrap();
        (builder.gateway(gateway), sockets)
    }

    /// The same, but the gateway's URL must be asked for.
    pub(crate) fn asking_client(&self) -> (ClientBuilder, mpsc::UnboundedReceiver<FarSocket>) {
        let (opened, sockets) = mpsc::unbounded_channel();
        *self.sockets.lock().unwrap() = Some(opened);
        let builder = Client::builder()
            .transport(Arc::new(self.clone()))
            .api(Arc::new(self.clone()))
            .seed(7);
        (builder, sockets)
    }

    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().clone()
    }
}

/// Starts a run, and authenticates its socket.
pub(crate) async fn started(
    client: &Client,
    sockets: &mut mpsc::UnboundedReceiver<FarSocket>,
) -> (Run, FarSocket) {
    let run = client.execute(execute()).await.unwrap();
    let mut socket = sockets.recv().await.unwrap();
    assert!(socket.sent().await.contains(r#""type":"auth""#));
    socket.text(r#"{"type":"auth_success"}"#);
    assert!(socket.sent().await.contains(r#""type":"resume""#));
    socket.text(r#"{"type":"resume_complete","status":"running"}"#);
    (run, socket)
}

pub(crate) fn execute() -> Execute {
    Execute::new(ExecAgent {
        agent_id: Some("agt_1".into()),
        prompt: "Hello".into(),
        app_context: Some(AppContext {
            topic_id: Some("tpc_1".into()),
            ..AppContext::default()
        }),
        ..ExecAgent::default()
    })
}

/// A text chunk with this id.
pub(crate) fn chunk(id: u64) -> String {
    format!(
        r#"{{"type":"agent_event","id":"{id}","event":{{"type":"stream_chunk","stepIndex":0,"operationId":"op_1","timestamp":{id},"data":{{"chunkType":"text","content":"{id}"}}}}}}"#
    )
}

/// The end with this id.
pub(crate) fn end(id: u64) -> String {
    format!(
        r#"{{"type":"agent_event","id":"{id}","event":{{"type":"agent_runtime_end","stepIndex":0,"operationId":"op_1","timestamp":{id},"data":{{"reason":"done"}}}}}}"#
    )
}

/// A tool call with this id.
pub(crate) fn tool_execute(id: u64, call: &str) -> String {
    format!(
        r#"{{"type":"agent_event","id":"{id}","event":{{"type":"tool_execute","stepIndex":0,"operationId":"op_1","timestamp":{id},"data":{{"toolCallId":"{call}","identifier":"fs","apiName":"readFile","arguments":"{{}}"}}}}}}"#
    )
}

/// Reads to the end.
pub(crate) async fn rest(run: &mut Run) -> Vec<Notification> {
    let mut all = Vec::new();
    while let Some(notification) = run.next().await {
        all.push(notification);
    }
    all
}

/// The ids of the events among these.
pub(crate) fn ids(notifications: &[Notification]) -> Vec<String> {
    notifications
        .iter()
        .filter_map(|notification| match notification {
            Notification::EventReceived(received) => Some(received.cursor.to_string()),
            _ => None,
        })
        .collect()
}

impl FarSocket {
    /// The next frame the client sent.
    pub(crate) async fn sent(&mut self) -> String {
        self.sent
            .recv()
            .await
            .expect("the client has dropped the socket")
    }

    /// The next frame the client sent, if there is one.
    pub(crate) fn try_sent(&mut self) -> Option<String> {
        self.sent.try_recv().ok()
    }

    /// Waits until the client has closed or dropped the socket, and gives the code of its close frame.
    pub(crate) async fn gone(&mut self) -> Option<CloseCode> {
        while self.sent.recv().await.is_some() {}
        self.wire.lock().unwrap().closed
    }

    pub(crate) fn text(&self, text: &str) {
        self.say(Received::text(text));
    }

    pub(crate) fn cut(&self) {
        self.say(Received::Closed(Close::Lost { text: "cut".into() }));
    }

    /// What the client has not taken yet.
    pub(crate) fn unread(&self) -> usize {
        self.wire.lock().unwrap().coming.len()
    }

    fn say(&self, received: Received) {
        let mut wire = self.wire.lock().unwrap();
        wire.coming.push_back(received);
        if let Some(reader) = wire.reader.take() {
            reader.wake();
        }
    }
}

#[async_trait]
impl Transport for Far {
    async fn open(&self, _url: &str) -> Result<Box<dyn Socket>, DialFailure> {
        self.dials.fetch_add(1, Ordering::Relaxed);
        let wire = Arc::new(Mutex::new(Wire::default()));
        let (sent, receiver) = mpsc::unbounded_channel();
        let far = FarSocket {
            wire: wire.clone(),
            sent: receiver,
        };
        let opened = self.sockets.lock().unwrap().clone();
        let _ = opened.unwrap().send(far);
        Ok(Box::new(NearSocket { wire, sent }))
    }
}

impl Socket for NearSocket {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Received> {
        let mut wire = self.wire.lock().unwrap();
        match wire.coming.pop_front() {
            Some(received) => Poll::Ready(received),
            None => {
                wire.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn send(&mut self, text: String) {
        let _ = self.sent.send(text);
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn start_close(&mut self, code: CloseCode) {
        self.wire.lock().unwrap().closed = Some(code);
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

#[async_trait]
impl Api for Far {
    async fn send(&self, call: &Call, vault: &Vault) -> Reply {
        self.calls.lock().unwrap().push(call.name());
        match call {
            Call::StartRun(_) => Reply::Started(Box::new(Started {
                operation: format!("op_{}", self.calls().len()).into(),
                topic: Some("tpc_1".into()),
                agent: Some("agt_1".into()),
                thread: None,
                assistant_message: Some("msg_2".into()),
                user_message: Some("msg_1".into()),
                token: Some(vault.keep(Token::new("a.secret.token"), TokenKind::Jwt)),
            })),
            Call::RefreshToken { .. } => {
                let token = Token::new("a.fresh.token");
                Reply::TokenIssued(vault.keep(token, TokenKind::Jwt))
            }
            Call::InterruptRun { .. } => Reply::Interrupted { success: true },
            Call::SettleMarker { .. } => Reply::MarkerCleared,
            call => Reply::Failed(RequestFailure::Lost {
                text: format!("not expected: {}", call.name()).into(),
            }),
        }
    }

    async fn global_config(&self) -> Result<GlobalConfig, RequestFailure> {
        self.calls.lock().unwrap().push("global_config");
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        Ok(GlobalConfig {
            agent_gateway_url: Some("ws://localhost:1".into()),
            enable_gateway_mode: Some(true),
            raw: RawJson::null(),
        })
    }
}

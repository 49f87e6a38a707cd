//! The task that owns the pure server: it takes what the handlers bring, and hands out what the server says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use agent_gateway_machine::Timestamp;
use agent_gateway_protocol::CloseCode;
use agent_gateway_sim::gateway::{SocketId, Ticket};
use agent_gateway_sim::http::{HttpRequest, HttpResponse};
use agent_gateway_sim::server::{Server, ServerConfig, ServerInput, ServerOutput};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::outbox::{Message, Outbox, Outgoing, Release, outbox};

/// What handlers may bring before they wait for the server.
const INPUTS: usize = 1_024;

/// The way to the server, for the handlers.
#[derive(Clone)]
pub(super) struct Host {
    brought: mpsc::Sender<Brought>,
    names: Arc<AtomicU64>,
    config: Arc<ServerConfig>,
    end: watch::Receiver<bool>,
}

/// What a handler brings.
enum Brought {
    Socket(SocketId, Outbox, ServerInput),
    Request(Ticket, oneshot::Sender<HttpResponse>, HttpRequest),
    Input(ServerInput),
}

impl Host {
    pub(super) fn start(server: Server, end: watch::Receiver<bool>) -> Self {
        let (brought, bringing) = mpsc::channel(INPUTS);
        let config = Arc::new(server.config().clone());
        let task = Task {
            server,
            started: Instant::now(),
            sockets: BTreeMap::new(),
            requests: BTreeMap::new(),
        };
        tokio::spawn(task.run(bringing, end.clone()));
        Self {
            brought,
            names: Arc::new(AtomicU64::new(1)),
            config,
            end,
        }
    }

    /// Opens a socket; what comes back for it comes out of the outgoing end, which cutting it ends, and releases it.
    pub(super) async fn open(
        &self,
        operation: agent_gateway_protocol::OperationId,
    ) -> (SocketId, Outgoing, Release) {
        let socket = SocketId(self.name());
        let (outbox, outgoing, release) = outbox();
        let input = ServerInput::SocketOpened { socket, operation };
        self.bring(Brought::Socket(socket, outbox, input)).await;
        (socket, outgoing, release)
    }

    pub(super) async fn tell(&self, input: ServerInput) {
        self.bring(Brought::Input(input)).await;
    }

    /// Whether the head of a request shows the token it needs.
    pub(super) fn admits(&self, request: &HttpRequest) -> bool {
        self.config.admits(request)
    }

    /// Asks; `None`: the connection is to be cut instead. Dropping the future tells that nobody waits any more.
    pub(super) async fn ask(&self, request: HttpRequest) -> Option<HttpResponse> {
        let ticket = Ticket(self.name());
        let (answer, answered) = oneshot::channel();
        self.bring(Brought::Request(ticket, answer, request)).await;
        let mut waiting = Waiting {
            host: self,
            ticket: Some(ticket),
        };
        let answer = answered.await.ok();
        waiting.ticket = None;
        answer
    }

    /// Waits until the server is to end.
    pub(super) async fn ended(&self) {
        super::ended(self.end.clone()).await;
    }

    async fn bring(&self, brought: Brought) {
        // The server has ended: dropping what was brought says so.
        let _ = self.brought.send(brought).await;
    }

    /// Sockets and requests are named from one count.
    fn name(&self) -> u64 {
        self.names.fetch_add(1, Ordering::Relaxed)
    }
}

/// A handler that waits for its answer.
struct Waiting<'a> {
    host: &'a Host,
    ticket: Option<Ticket>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            // Full: the server is told of the next one. It only saves it some work.
            let input = ServerInput::Abandoned { ticket };
            let _ = self.host.brought.try_send(Brought::Input(input));
        }
    }
}

struct Task {
    server: Server,
    started: Instant,
    sockets: BTreeMap<SocketId, Outbox>,
    requests: BTreeMap<Ticket, oneshot::Sender<HttpResponse>>,
}

impl Task {
    async fn run(mut self, mut bringing: mpsc::Receiver<Brought>, mut end: watch::Receiver<bool>) {
        loop {
            let deadline = self.server.next_deadline();
            tokio::select! {
                biased;
                _ = end.wait_for(|ended| *ended) => return self.close(),
                brought = bringing.recv() => match brought {
                    Some(brought) => self.take(brought),
                    None => return,
                },
                () = ring(self.started, deadline) => self.handle(ServerInput::Ticked),
            }
        }
    }

    fn take(&mut self, brought: Brought) {
        let input = match brought {
            Brought::Socket(socket, outbox, input) => {
                self.sockets.insert(socket, outbox);
                input
            }
            Brought::Request(ticket, answer, request) => {
                self.requests.insert(ticket, answer);
                ServerInput::RequestReceived { ticket, request }
            }
            Brought::Input(input) => input,
        };
        match &input {
            ServerInput::SocketClosed { socket } => {
                self.sockets.remove(socket);
            }
            ServerInput::Abandoned { ticket } => {
                self.requests.remove(ticket);
            }
            _ => {}
        }
        self.handle(input);
    }

    fn handle(&mut self, input: ServerInput) {
        let passed = self.started.elapsed().as_millis();
        let now = Timestamp::from_millis(u64::try_from(passed).unwrap_or(u64::MAX));
        for output in self.server.handle(now, input) {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: ServerOutput) {
        match output {
            ServerOutput::SendFrame { socket, frame } => {
                self.send(socket, Message::Text(frame.encode().into()));
            }
            ServerOutput::SendText { socket, text } => self.send(socket, Message::Text(text)),
            ServerOutput::SendBinary { socket, bytes } => {
                self.send(socket, Message::Binary(bytes));
            }
            ServerOutput::Close {
                socket,
                code,
                reason,
            } => {
                self.send(socket, Message::Close(code, reason));
                self.sockets.remove(&socket);
            }
            ServerOutput::Cut { socket } => {
                self.sockets.remove(&socket);
            }
            ServerOutput::Respond { ticket, response } => {
                if let Some(answer) = self.requests.remove(&ticket) {
                    // Whoever asked may have gone.
                    let _ = answer.send(response);
                }
            }
            ServerOutput::Hang { ticket } => {
                self.requests.remove(&ticket);
            }
            // Typed calls are never made here.
            ServerOutput::Answer { .. } | ServerOutput::CountRestarted => {}
            ServerOutput::RunStarted { operation, topic } => {
                tracing::debug!(%operation, %topic, "embedded_run_started");
            }
            ServerOutput::ToolResultReceived { operation, result } => {
                tracing::debug!(%operation, call = %result.tool_call_id, "embedded_tool_result_received");
            }
        }
    }

    fn send(&mut self, socket: SocketId, message: Message) {
        if let Some(outbox) = self.sockets.get(&socket)
            && !outbox.leave(message)
        {
            tracing::debug!(%socket, "embedded_socket_cut");
            self.sockets.remove(&socket);
        }
    }

    /// Says goodbye to every socket. Requests that wait are cut.
    fn close(self) {
        for outbox in self.sockets.into_values() {
            let goodbye = Message::Close(CloseCode::GOING_AWAY, "the gateway goes away".into());
            // One that has no room for it is cut without it.
            let _ = outbox.leave(goodbye);
        }
    }
}

/// Waits for `deadline`; for ever if there is none.
async fn ring(started: Instant, deadline: Option<Timestamp>) {
    match deadline {
        Some(at) => sleep_until(started + Duration::from_millis(at.as_millis())).await,
        None => std::future::pending().await,
    }
}

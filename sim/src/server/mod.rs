//! The whole far side as one pure machine: the gateway, the API, and the script they play.
//!
//! ```text
//!   sockets ──▶ ┌────────────────── Server ──────────────────┐
//!   HTTP    ──▶ │  Gateway ◀── pushes ── stages ◀── runs ─ Api │ ──▶ frames, closes, HTTP answers
//!   time    ──▶ └────────────────────────────────────────────┘
//! ```
//! [`Server::handle`] takes what came and when, and gives what goes out, in order; [`Server::next_deadline`] says when
//! it wants to be ticked. The [`World`](crate::world::World) drives it in virtual time; an embedded gateway drives the
//! very same one over real sockets.
//!
//! Each run that is started gets a *stage* of its own, on which the script's steps and reactions are played from their
//! beginning. Without a script it is a plain gateway that whoever pushes events drives.
//!
//! What it deliberately does not do: it accepts no connections and reads no clock; that is the host's part.
//!
//! # A client of one's own
//!
//! A client that has a lifecycle of its own is tested against it in virtual time: what the client does goes in, what comes
//! out is told to the client at once, and where nothing is left to do, the clock goes on to the next deadline. A socket
//! needs no more than [`ServerInput::SocketOpened`], with an id that the client makes; a call of the API is a
//! [`ServerInput::Called`] (see [`api`](crate::api) for the answers), or an HTTP request as it is on the wire.
//!
//! ```
//! use std::collections::VecDeque;
//!
//! use agent_gateway_machine::Timestamp;
//! use agent_gateway_protocol::api::ExecAgent;
//! use agent_gateway_protocol::frame::{Auth, Resume};
//! use agent_gateway_protocol::{ClientFrame, EventId, OperationId, ServerFrame, Token};
//! use agent_gateway_sim::api::{ApiAnswer, ApiCall, ApiReply};
//! use agent_gateway_sim::gateway::{SocketId, Ticket};
//! use agent_gateway_sim::script::{Script, find};
//! use agent_gateway_sim::server::{Server, ServerConfig, ServerInput, ServerOutput};
//!
//! /// The client under test: it dials until the session is complete, and resumes behind what it has seen.
//! #[derive(Default)]
//! struct Client {
//!     run: Option<(OperationId, Token)>,
//!     sockets: u64,
//!     seen: Vec<EventId>,
//!     is_done: bool,
//! }
//!
//! impl Client {
//!     fn hear(&mut self, output: ServerOutput) -> Vec<ServerInput> {
//!         match output {
//!             ServerOutput::Answer { answer, .. } => {
//!                 let ApiAnswer::Replied(ApiReply::Started { operation, token, .. }) = *answer else {
//!                     panic!("not started: {answer:?}");
//!                 };
//!                 self.run = token.map(|token| (operation, token));
//!                 self.dial()
//!             }
//!             ServerOutput::SendFrame { frame, .. } => match frame {
//!                 ServerFrame::AuthSuccess => {
//!                     let last_event_id = self.seen.last().cloned();
//!                     let resume = Resume { last_event_id, want_status: true };
//!                     vec![self.send(ClientFrame::Resume(resume))]
//!                 }
//!                 ServerFrame::AgentEvent(event) => {
//!                     self.seen.extend(event.id);
//!                     vec![]
//!                 }
//!                 ServerFrame::SessionComplete(_) => {
//!                     self.is_done = true;
//!                     vec![]
//!                 }
//!                 _ => vec![],
//!             },
//!             ServerOutput::Cut { .. } | ServerOutput::Close { .. } if !self.is_done => self.dial(),
//!             _ => vec![],
//!         }
//!     }
//!
//!     fn dial(&mut self) -> Vec<ServerInput> {
//!         let (operation, token) = self.run.clone().expect("a run with a token");
//!         self.sockets += 1;
//!         let socket = SocketId(self.sockets);
//!         let auth = Auth { token, token_type: None, server_url: None };
//!         let auth = self.send(ClientFrame::Auth(Box::new(auth)));
//!         vec![ServerInput::SocketOpened { socket, operation }, auth]
//!     }
//!
//!     fn send(&self, frame: ClientFrame) -> ServerInput {
//!         let socket = SocketId(self.sockets);
//!         ServerInput::FrameReceived { socket, frame }
//!     }
//! }
//!
//! // In it the gateway cuts the socket in the middle.
//! let script = find("cut_and_resumed").expect("a script of the library");
//! let script = Script::parse(script.name, script.text)?;
//! let mut server = Server::new(ServerConfig::default(), Some(&script));
//! let mut client = Client::default();
//!
//! // The server wants to know which agent: an id, or the slug of one that comes with it.
//! let start = ExecAgent { slug: Some("inbox".into()), prompt: "go".into(), ..ExecAgent::default() };
//! let call = ApiCall::ExecAgent(start.into());
//! let mut inputs = VecDeque::from([ServerInput::Called { ticket: Ticket(1), call }]);
//! let mut now = Timestamp::ZERO;
//! while !client.is_done {
//!     let input = inputs.pop_front().unwrap_or_else(|| {
//!         now = now.max(server.next_deadline().expect("something left to do"));
//!         ServerInput::Ticked
//!     });
//!     for output in server.handle(now, input) {
//!         inputs.extend(client.hear(output));
//!     }
//! }
//! assert_eq!(client.sockets, 2);
//! let ids: Vec<_> = client.seen.iter().filter_map(EventId::number).collect();
//! assert!(ids.is_sorted_by(|one, next| one < next), "each once and in order: {ids:?}");
//! # Ok::<_, agent_gateway_sim::script::ScriptError>(())
//! ```

mod config;
mod deed;
mod input;
mod machine;
mod perform;
mod relay;
mod stage;
mod wire;

pub use config::ServerConfig;
pub use input::{ServerInput, ServerOutput};
pub use machine::Server;

pub(crate) use stage::Play;

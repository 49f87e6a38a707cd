//! The hands of the machine: real WebSockets, real HTTP, and the [`Client`] that a program uses.
//!
//! A [`Client`] starts runs and attaches to them; each [`Run`] has a task of its own that waits, asks the pure
//! machine ([`agent_gateway_machine::transition`]) and performs what it says. Sockets are opened through [`Transport`]
//! and the server is asked through [`Api`]: both can be replaced.
//!
//! The types of a first program are re-exported by name; all others are in [`machine`] and [`protocol`].
//!
//! With the feature `embedded` there is a gateway and a LobeHub API on real sockets too, for tests and for playing. Without
//! it a program has the client alone.
//!
//! What it deliberately does not do: it decides nothing about a run. Every rule is the machine's.
//!
//! # Logs
//! Each run has a `tracing` span `run`; its events are named `dial_started`, `connection_opened`, `dial_failed`,
//! `connection_closed`, `connection_dropped`, `request_sent`, `reply_received`, `request_cancelled`, `command`,
//! `reading_paused`, `reading_resumed`, `frame_rejected`, `ignored` (all at debug) and `event`, `frame_sent` (at trace).
//! Beside a run there are `project_skills_skipped` (debug), `recording_ended` (warn) and, of the embedded server,
//! `embedded_…` (debug). They hold ids and URLs; no token at any level, and no text of a message.
//!
//! Beneath, the WebSocket library logs by the `log` crate. At trace, that is the text of a message which a gateway sends in
//! parts; and what the clients of an embedded server send, their `auth` too.

mod api;
mod cause;
mod client;
mod clock;
mod credential;
mod driver;
#[cfg(feature = "embedded")]
pub mod embedded;
mod headers;
mod lifetime;
mod observer;
mod project_skills;
mod proxy;
mod random;
mod recorder;
mod redaction;
mod run;
mod spare;
pub mod tls;
mod token_source;
mod transport;
mod vault;
mod workbench;

pub use {agent_gateway_machine as machine, agent_gateway_protocol as protocol};

/// For [`ClientBuilder::tls`] and [`WebSocketTransport::new`].
pub use rustls;

pub use agent_gateway_machine::{
    Attach, Bookmark, ConnectionStatus, Cursor, Effects, Event, EventReceived, Execute, Limits,
    Millis, Notification, Outcome, Receipt, State, ToolAnswer,
};
pub use agent_gateway_protocol::api::ExecAgent;
pub use agent_gateway_protocol::event::{Chunk, ToolExecute};
pub use agent_gateway_protocol::{
    GatewayUrl, OperationId, Payload, ServerUrl, Token, ToolCallId, TopicId,
};

pub use api::{Api, HttpApi, HttpApiError, HttpOptions};
pub use client::{Client, ClientBuilder, ClientError, RestoreError, SocketToken};
pub use credential::Credential;
pub use driver::{QueueLimits, Snapshot};
pub use headers::{HeaderError, Headers};
pub use observer::Observer;
pub use project_skills::project_skills;
pub use proxy::{ProxyError, ProxyRules};
pub use recorder::Recorder;
pub use run::{AnswerError, Answered, Run, RunHandle, Unwatched};
pub use token_source::TokenSource;
pub use transport::{Received, Socket, Transport, TransportOptions, WebSocketTransport};
pub use vault::Vault;
pub use workbench::{Done, Workbench};

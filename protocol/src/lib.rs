//! The wire of LobeHub's Agent Gateway: the frames of the socket, the agent events inside them, the server's API and
//! its tRPC envelope.
//!
//! The folders are the index of the wire: one file a noun. Everything here is plain data and pure functions: no clock,
//! no I/O, no async, only `alloc`. Reading is as lenient as JavaScript's `JSON.parse` and the clients built on it; what
//! is not known survives a round trip.
//!
//! What it deliberately does not do: it keeps no order, counts no ids and decides nothing. That is `machine`'s part.
//!
//! Whatever a hostile peer sends, nothing here panics, recurses or grows out of proportion: JSON is walked without
//! recursion, indexing that could panic is denied by lints, and objects of more than [`Object::MOST_MEMBERS`] members
//! stay raw text. How long a message may be is for whoever receives it to say.
#![no_std]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

extern crate alloc;

mod close_code;
mod event_id;
mod gateway_url;
mod id;
mod members;
mod server_url;
mod status;
mod string_enum;
mod token;
mod url_error;

pub mod api;
pub mod event;
pub mod frame;
pub mod json;
pub mod trpc;

pub use close_code::{CloseCode, CloseVerdict};
pub use event::{AgentEvent, EventType, Payload};
pub use event_id::EventId;
pub use frame::{ClientFrame, FrameError, ServerFrame};
pub use gateway_url::GatewayUrl;
pub use id::{
    AgentId, DocumentId, GroupId, InputRequestId, MessageId, OperationId, TaskId, ThreadId,
    ToolCallId, TopicId, UserId,
};
pub use json::{JsonError, Object, RawJson};
pub use server_url::ServerUrl;
pub use status::OperationStatus;
pub use token::Token;
pub use url_error::{BaseUrlError, GatewayUrlError, ServerUrlError};

//! What goes over the gateway's socket (version 1): JSON text messages, each an object with a `type`.
//!
//! ```text
//!  client ── auth, resume, heartbeat, tool_result, tool_confirmation, user_input, interrupt ──▶ gateway
//!         ◀── auth_success, auth_failed, auth_expired, heartbeat_ack, resume_complete ─────────
//!         ◀── agent_event, session_complete, status_change, tool_confirmation_request, input_request  (numbered)
//! ```
//! A frame of a type not known here, or of a known type without a member it cannot do without, is kept as
//! [`UnknownFrame`]: never an error, and its place in the sequence is kept too.

mod auth;
mod auth_failed;
mod client;
mod decoder;
mod error;
mod event_frame;
mod input_request;
mod resume;
mod resume_complete;
mod server;
mod session_complete;
mod status_change;
mod tool_confirmation;
mod tool_confirmation_request;
mod tool_result;
mod unknown;
mod user_input;
mod usual;

pub use auth::{Auth, TokenType};
pub use auth_failed::AuthFailed;
pub use client::ClientFrame;
pub use decoder::Decoder;
pub use error::FrameError;
pub use event_frame::EventFrame;
pub use input_request::InputRequest;
pub use resume::Resume;
pub use resume_complete::ResumeComplete;
pub use server::ServerFrame;
pub use session_complete::SessionComplete;
pub use status_change::StatusChange;
pub use tool_confirmation::ToolConfirmation;
pub use tool_confirmation_request::ToolConfirmationRequest;
pub use tool_result::{ToolError, ToolResult};
pub use unknown::UnknownFrame;
pub use user_input::UserInput;

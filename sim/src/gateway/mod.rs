//! The pure stand-in of the Agent Gateway: its version 1 socket, and the HTTP calls by which a LobeHub server drives it.
//!
//! ```text
//!   LobeHub server ── initialize, push, update status, ask ──▶ ┌─────────┐ ◀── auth, resume, heartbeat, results ── sockets
//!                  ◀── tool results, "finalize abandoned" ──── │ Gateway │ ──── numbered frames, replay, acks ────▶
//!                                                              └─────────┘
//! ```
//! [`Gateway::handle`] takes what came and when, and gives what goes out; [`Gateway::next_deadline`] says when it wants
//! to be ticked. It holds no socket and no clock, so one and the same gateway plays in virtual time and over real
//! sockets.
//!
//! One operation's life: *created* by an init or by its first push → *running* → *terminal* (by its end, or by a
//! status) → *forgotten* ten minutes later. A socket's life: *open* → *authenticated* ⇄ *expired* → *closed*.
//!
//! What it deliberately does not do: it keeps no order between pushes, and it does not judge events. Which gateway of
//! which age it plays is data: [`Dialect`].

mod call;
mod config;
mod http;
mod input;
mod machine;
mod operation;
mod output;
mod server_side;
mod socket;
mod socket_side;
mod tokens;

#[cfg(test)]
mod tests;

pub use call::{GatewayAnswer, GatewayCall};
pub use config::{Dialect, GatewayConfig, ResumeStyle};
pub use input::{GatewayInput, SocketId, Ticket};
pub use machine::Gateway;
pub use output::{Finalization, GatewayOutput};
pub use tokens::{TokenBook, TokenPlan};

pub(crate) use http::{is_served, parse_call, write_answer};
pub(crate) use operation::end_in;

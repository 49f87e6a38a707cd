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

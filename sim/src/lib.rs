//! Rehearses Agent Gateway sessions without a network: the gateway and the API as pure machines, scripts that say what
//! they do, a world of virtual time that plays them against the real lifecycle machine, traces, and invariants.
//!
//! Nothing in here reads a clock, opens a socket or draws a random number that its seed does not give.

pub mod api;
pub mod campaign;
pub mod gateway;
pub mod http;
pub mod invariant;
pub mod names;
pub mod random;
pub mod script;
pub mod server;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod trace;
pub mod world;

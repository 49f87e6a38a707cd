//! Rehearses Agent Gateway sessions without a network: the gateway and the API as pure machines, scripts that say what
//! they do, a world of virtual time that plays them against the real lifecycle machine, traces, and invariants.
//!
//! | to do | begin at |
//! |---|---|
//! | play one session, look at what came of it | [`world::World`], [`script::Script`] |
//! | see it as a timeline, snapshot it, record it | [`trace::Trace`] |
//! | rehearse a client's own logic, which answers, stops and leaves | [`world::Caller`], with an example |
//! | watch a client's own logic in random sessions | [`campaign::random_script`]; with the feature `proptest`, `strategy` |
//! | test a client that has a lifecycle of its own | [`server`], with an example; [`api`] has the answers |
//! | hold invariants against a history from anywhere | [`invariant::Invariants`] |
//! | look for what nobody thought of | [`campaign::Campaign`] |
//! | draw the states of the machine | [`diagram::Diagram`] |
//! | serve a scripted gateway and API over sockets of one's own | [`server::Server`] |
//!
//! Nothing in here reads a clock, opens a socket or draws a random number that its seed does not give.

pub mod api;
pub mod campaign;
mod deadline;
pub mod diagram;
pub mod explore;
pub mod gateway;
pub mod http;
pub mod invariant;
pub mod names;
mod nearest;
pub mod random;
pub mod script;
pub mod server;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod trace;
pub mod view;
pub mod world;

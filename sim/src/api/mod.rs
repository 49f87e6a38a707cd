//! The pure stand-in of the LobeHub server's API: what it answers, and when.
//!
//! It keeps the truth about runs (who started them, how they stand, which topic they hold) and issues the tokens that
//! the gateway accepts. Left alone it answers as a healthy server of September 2026; a [`Behaviour`] a call makes it
//! slow, refuse, answer with a proxy's page, or never answer at all.
//!
//! Calls and answers are typed ([`ApiCall`], [`ApiAnswer`]); [`wire`](self) has them as tRPC over HTTP.

mod answer;
mod behaviour;
mod call;
mod machine;
mod reply;
mod run;
mod wire;

pub use answer::{ApiAnswer, ApiInput, ApiOutput};
pub use behaviour::{Behaviour, Page, Plan, Refuse, TokenTerms};
pub use call::{ApiCall, ProcedureName};
pub use machine::{Api, ApiConfig};
pub use reply::ApiReply;

pub(crate) use wire::{BatchBook, WireCall, is_open};

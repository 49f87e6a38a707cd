//! Our HTTP against the real stack: `server/` is LobeHub's side on the real `@trpc/server`, `superjson` and `zod`.
//!
//! They need Node (20 or newer) and `npm ci` in `server/`, so they run only when asked to:
//! `cargo test -p agent-gateway-adapters --test trpc -- --ignored`. `.ci/run` asks.

mod network;
mod procedures;
mod refusals;
mod server;
mod whole_run;

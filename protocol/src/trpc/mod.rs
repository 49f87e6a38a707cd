//! The envelope of tRPC over HTTP, both ways: plain calls as a client makes them, and what a server answers.
//!
//! Only the plain form is written by the client: never a batch, never superjson's `meta`. Reading ignores `meta`: null
//! and absent are the same.

mod answer;
mod error;
mod incoming;
mod request;

pub use answer::{Answer, Outcome, batch_answer, decode, decode_batch};
pub use error::{ApiError, TrpcCode, TrpcError};
pub use incoming::{Call, Incoming, IncomingError};
pub use request::{HttpMethod, HttpRequest, request};

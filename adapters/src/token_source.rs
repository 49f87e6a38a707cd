//! Tokens the caller makes.

use agent_gateway_machine::{RequestFailure, TokenKind};
use agent_gateway_protocol::Token;
use async_trait::async_trait;

/// Mints fresh tokens for the gateway's socket, for callers who do not want the server's (S8).
///
/// A failure is judged as the server's own would be: [`RequestFailure::Refused`] as unauthorized, forbidden or a bad
/// request ends the run as *auth lost*, not found says the run is over, and anything else is tried again. A mint that
/// takes longer than the request deadline is dropped.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A fresh token and what sort it is.
    ///
    /// # Errors
    /// Why there is none.
    async fn mint(&self) -> Result<(Token, TokenKind), RequestFailure>;
}

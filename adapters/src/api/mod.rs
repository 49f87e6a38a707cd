//! Asking the server. [`HttpApi`] is the real one; a test double or a host with its own HTTP can stand in its place.

mod http;

use agent_gateway_machine::{Call, Reply, RequestFailure};
use agent_gateway_protocol::api::GlobalConfig;
use async_trait::async_trait;

use crate::vault::Vault;

pub use http::{HttpApi, HttpApiError, HttpOptions};

/// Sends requests.
#[async_trait]
pub trait Api: Send + Sync {
    /// Asks, and reads the answer. Every failure is a [`Reply::Failed`]: what to make of it is the machine's business,
    /// and so is how long it may take. Dropping the future gives the request up.
    ///
    /// Over an HTTP client of your own: [`Call::api_call`] is the request, and [`Reply::read`] reads its answer.
    ///
    /// A token in the answer goes into `vault`, and only its grant into the reply. `Call::MintToken` comes here only
    /// where there is no [`TokenSource`](crate::TokenSource) to answer it, and then it is a failure.
    async fn send(&self, call: &Call, vault: &Vault) -> Reply;

    /// What the server says of itself: where its gateway is, and whether new runs go through it (G3).
    ///
    /// # Errors
    /// No usable answer.
    async fn global_config(&self) -> Result<GlobalConfig, RequestFailure>;
}

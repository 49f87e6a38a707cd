use std::sync::Arc;

use agent_gateway_protocol::{Token, UserId};

use crate::api::is_open;
use crate::gateway::{GatewayConfig, is_served};
use crate::http::HttpRequest;

/// How a server is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// The gateway; a script's dialect replaces its own.
    pub gateway: GatewayConfig,
    /// Who every client is.
    pub user: UserId,
    /// The gateway's base URL, as the API tells it.
    pub gateway_url: Arc<str>,
    /// What opens the API over HTTP, as `Oidc-Auth` or `X-API-Key`. `None`: it is open.
    pub client_token: Option<Token>,
    /// What opens the gateway's own HTTP, as `Authorization: Bearer`. `None`: it is open.
    pub service_token: Option<Token>,
    /// Goes into ids and tokens.
    pub seed: u64,
    /// Milliseconds since 1970 when the clock reads zero; goes into the timestamps of events and tokens.
    pub epoch: u64,
}

impl ServerConfig {
    /// Whether the head of a request shows the token that opens what it asks for. One that does not is refused whatever
    /// its body says, so its host need not hold much of that.
    #[must_use]
    pub fn admits(&self, request: &HttpRequest) -> bool {
        if request.is_of_api() {
            is_open(request, self.client_token.as_ref())
        } else {
            is_served(request, self.service_token.as_ref().map(Token::expose))
        }
    }
}

impl Default for ServerConfig {
    /// Open to everyone, at an address that is only a name.
    fn default() -> Self {
        Self {
            gateway: GatewayConfig::default(),
            user: UserId::new("user_1"),
            gateway_url: "http://localhost:8787".into(),
            client_token: None,
            service_token: None,
            seed: 1,
            epoch: 1_783_756_800_000,
        }
    }
}

use std::sync::Arc;

use agent_gateway_protocol::{Token, UserId};

use crate::gateway::GatewayConfig;

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

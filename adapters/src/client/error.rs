use std::io;

use agent_gateway_machine::{ConfigError, RequestFailure};
use agent_gateway_protocol::{GatewayUrlError, ServerUrl};
use thiserror::Error;

use crate::api::HttpApiError;
use crate::proxy::ProxyError;
use crate::tls::TlsError;

/// Why a client cannot be made, or a run cannot begin. Everything later is an [`Outcome`](crate::Outcome).
#[derive(Debug, Error)]
pub enum ClientError {
    /// Neither a server nor an [`Api`](crate::Api) was given.
    #[error("no server is given")]
    NoServer,
    /// A credential would go over plain `http` to another machine (C1).
    #[error(
        "a credential would go in the clear to {0}: use https, or allow insecure connections if that is meant"
    )]
    InsecureServer(ServerUrl),
    /// The gateway's URL or a number cannot be as it is.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no usable TLS set-up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// There is no usable HTTP set-up.
    #[error(transparent)]
    Http(#[from] HttpApiError),
    /// The proxy that the environment names cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The server could not be asked where its gateway is.
    #[error("the server could not be asked for its gateway: {0}")]
    GatewayUnknown(RequestFailure),
    /// What the server names as its gateway is none.
    #[error("the gateway that the server names cannot be used: {0}")]
    PublishedGateway(GatewayUrlError),
    /// The server has no gateway, it does not let new runs go through it, or the user's own switch is off (G3).
    #[error("new runs do not go through a gateway: the server names none, or the mode is off")]
    GatewayModeOff,
    /// The run is to be recorded or observed, and cannot be.
    #[error("the run cannot be recorded: {0}")]
    Observer(io::Error),
}

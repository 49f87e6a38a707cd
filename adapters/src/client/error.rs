use std::io;

use agent_gateway_machine::{ConfigError, RequestFailure, State};
use agent_gateway_protocol::{GatewayUrl, GatewayUrlError, OperationId, ServerUrl};
use thiserror::Error;

use crate::api::HttpApiError;
use crate::headers::HeaderError;
use crate::proxy::ProxyError;
use crate::tls::TlsError;

/// Why a client cannot be made, or a run cannot begin. Everything later is an [`Outcome`](crate::Outcome).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Neither a server nor an [`Api`](crate::Api) was given.
    #[error("no server is given")]
    NoServer,
    /// A setting would change nothing beside the others.
    #[error("`{setting}` would do nothing: {why}")]
    Unused {
        /// Which, as the builder calls it.
        setting: &'static str,
        /// What makes it meaningless.
        why: &'static str,
    },
    /// The gateway's socket is to be opened with the client's credential, and it has none.
    #[error("`SocketToken::OfCredential` needs a credential")]
    NoCredential,
    /// The gateway's socket is to be opened with a token of the caller's own, and nothing gives one.
    #[error("`SocketToken::OfSource` needs a `token_source`")]
    NoTokenSource,
    /// A command says itself which token opens the socket, or who renews it.
    #[error(
        "which token opens the socket, and who renews it, is the client's to say: leave `token` and `renewal` as they are, \
         and build the client with `socket_token`"
    )]
    TokenGiven,
    /// A credential would go over plain `http` to another machine (C1), or to what only the resolver knows to be this one.
    #[error(
        "a credential would go in the clear to {0}, which is not `localhost` or a loopback address: use https, or allow \
         insecure connections if that is meant"
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
    /// A header cannot be sent, or is not the caller's to set.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The proxy that the environment names cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The server could not be asked where its gateway is.
    #[error("the server could not be asked for its gateway: {0}")]
    GatewayUnknown(RequestFailure),
    /// What the server names as its gateway is none.
    #[error("the gateway that the server names cannot be used: {0}")]
    PublishedGateway(GatewayUrlError),
    /// The server names no gateway (G3).
    #[error("the server names no gateway: set `agentGatewayUrl` there, or give the client its URL")]
    NoGateway,
    /// The server's switch for new runs through its gateway is off (G3).
    #[error(
        "the server lets no new run through its gateway: switch `enableGatewayMode` on there, or give the client the \
         gateway's URL"
    )]
    GatewayModeOff,
    /// The user's own switch for new runs through a gateway is off (G3).
    #[error(
        "the client's own gateway mode is off: build it with `gateway_mode(true)` to start runs"
    )]
    SwitchedOff,
    /// A live run of the same client has this operation (R7).
    #[error("a run of this client has the operation {0} already: read that one, or drop it first")]
    Owned(OperationId),
    /// A stored run goes over another gateway than this client's, which its credential is not for (C1).
    #[error("the stored run goes over {stored}, and this client's gateway is {}: attach to it, if that is meant", named(own.as_ref()))]
    OtherGateway {
        /// The run's.
        stored: GatewayUrl,
        /// The client's, if it has one.
        own: Option<GatewayUrl>,
    },
    /// A stored run is of another server than this client's: its gateway would show that one this client's credential (C1).
    #[error("the stored run is of the server {}, and this client's is {}", named(stored.as_ref()), named(own.as_ref()))]
    OtherServer {
        /// The run's, if it has one.
        stored: Option<ServerUrl>,
        /// The client's, if it has one.
        own: Option<ServerUrl>,
    },
    /// The run is to be recorded or observed, and cannot be.
    #[error("the run cannot be recorded: {0}")]
    Observer(io::Error),
}

fn named(url: Option<&impl ToString>) -> String {
    url.map_or_else(|| "none".to_owned(), ToString::to_string)
}

/// Why a stored run cannot be carried on, with its state, so that it is not lost.
#[derive(Debug, Error)]
#[error("{why}")]
#[non_exhaustive]
pub struct RestoreError {
    /// Why.
    pub why: ClientError,
    /// The state as it was given.
    pub state: Box<State>,
}

impl From<RestoreError> for ClientError {
    fn from(error: RestoreError) -> Self {
        error.why
    }
}

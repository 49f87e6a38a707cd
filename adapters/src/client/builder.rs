use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use agent_gateway_machine::{Config, Limits};
use agent_gateway_protocol::{GatewayUrl, ServerUrl, Token};
use rustls::ClientConfig;
use tokio::sync::Mutex;

use super::repositories::PendingRepositories;
use super::{Client, ClientError, Shared, Watch};
use crate::api::{Api, HttpApi, HttpOptions};
use crate::credential::Credential;
use crate::driver::{Hands, QueueLimits};
use crate::headers::Headers;
use crate::observer::Observer;
use crate::proxy::ProxyRules;
use crate::recorder::Recorder;
use crate::tls;
use crate::token_source::TokenSource;
use crate::transport::{Transport, TransportOptions, WebSocketTransport};

/// Which token opens the gateway's socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketToken {
    /// The one `execAgent` gives for the run, renewed by the server: what LobeHub's web client uses.
    #[default]
    OfRun,
    /// The client's own credential, an API key or an access token: what LobeHub's command line uses. Renewed by the
    /// token source, if there is one.
    OfCredential,
    /// The token source's.
    OfSource,
}

/// Says how a [`Client`] is to be. Only a server (or an [`Api`] of the caller's) must be given.
///
/// A setting that would change nothing beside the others is refused by [`build`](Self::build), such as a proxy where both
/// `transport` and `api` are the caller's own.
#[derive(Default)]
pub struct ClientBuilder {
    server: Option<ServerUrl>,
    pub(super) credential: Credential,
    gateway: Option<GatewayUrl>,
    pub(super) socket_token: SocketToken,
    pub(super) source: Option<Arc<dyn TokenSource>>,
    pub(super) transport: Option<Arc<dyn Transport>>,
    pub(super) api: Option<Arc<dyn Api>>,
    pub(super) authorities: Option<PathBuf>,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) proxies: Option<ProxyRules>,
    pub(super) user_agent: Option<String>,
    pub(super) headers: Vec<(String, Token)>,
    gateway_mode_off: bool,
    project: Option<PathBuf>,
    allow_insecure: bool,
    limits: Limits,
    queue: QueueLimits,
    pub(super) transport_options: Option<TransportOptions>,
    pub(super) http_options: Option<HttpOptions>,
    seed: Option<u64>,
    watches: Vec<Watch>,
}

impl ClientBuilder {
    /// The LobeHub server.
    #[must_use]
    pub fn server(mut self, server: ServerUrl) -> Self {
        self.server = Some(server);
        self
    }

    /// Who we are to the server; nobody unless given.
    #[must_use]
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = credential;
        self
    }

    /// The gateway. Unless given, the server is asked when a run begins (`config.getGlobalConfig`), until it has named one,
    /// and its switch for new runs is heeded until it was on (G3).
    #[must_use]
    pub fn gateway(mut self, gateway: GatewayUrl) -> Self {
        self.gateway = Some(gateway);
        self
    }

    /// Which token opens the gateway's socket; the run's own unless said.
    #[must_use]
    pub fn socket_token(mut self, socket_token: SocketToken) -> Self {
        self.socket_token = socket_token;
        self
    }

    /// Where fresh socket tokens come from when they are not the server's.
    #[must_use]
    pub fn token_source(mut self, source: Arc<dyn TokenSource>) -> Self {
        self.source = Some(source);
        self
    }

    /// Opens sockets in place of [`WebSocketTransport`].
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sends requests in place of [`HttpApi`].
    #[must_use]
    pub fn api(mut self, api: Arc<dyn Api>) -> Self {
        self.api = Some(api);
        self
    }

    /// Trusts the certificate authorities in this PEM file instead of the platform's.
    #[must_use]
    pub fn authorities(mut self, path: impl Into<PathBuf>) -> Self {
        self.authorities = Some(path.into());
        self
    }

    /// TLS as the caller has set it up, sockets and requests alike: with a certificate of one's own, say, or a verifier.
    /// [`tls`](crate::tls) has what is used unless this is given.
    #[must_use]
    pub fn tls(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Which connections go through a proxy; unless given, as the environment says.
    #[must_use]
    pub fn proxies(mut self, proxies: ProxyRules) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// How the client names itself to server and gateway; `agent-gateway/<version>` unless given.
    #[must_use]
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// Sends this header along with each request to the server and each upgrade at the gateway, in place of one of the same
    /// name. The value may be a credential, and is treated as one: it is never printed, and goes over plain `http` to no
    /// other machine (C1). What the client sets itself, such as `X-API-Key` or `Host`, is refused.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Token>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The user's own switch for new runs through a gateway (G3): on unless said. Off, [`Client::execute`] refuses;
    /// runs that are going can still be attached to.
    #[must_use]
    pub fn gateway_mode(mut self, on: bool) -> Self {
        self.gateway_mode_off = !on;
        self
    }

    /// Tells each new run of the skills in this project's folder (R1): see [`project_skills`](crate::project_skills).
    #[must_use]
    pub fn project(mut self, root: impl Into<PathBuf>) -> Self {
        self.project = Some(root.into());
        self
    }

    /// Lets credentials and tokens go over plain `http` and `ws` to other machines (C1).
    #[must_use]
    pub fn allow_insecure(mut self, allow: bool) -> Self {
        self.allow_insecure = allow;
        self
    }

    /// The numbers of the rules. Spans of time are in ms, as the machine counts them; a [`Duration`](std::time::Duration)
    /// becomes one by `into()`:
    ///
    /// ```
    /// # use agent_gateway_adapters::{Client, Limits};
    /// # use std::time::Duration;
    /// let mut limits = Limits::default();
    /// limits.stop_timeout = Duration::from_secs(5).into();
    /// let builder = Client::builder().limits(limits);
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How much may wait for a slow caller.
    #[must_use]
    pub fn queue(mut self, queue: QueueLimits) -> Self {
        self.queue = queue;
        self
    }

    /// The numbers of [`WebSocketTransport`].
    #[must_use]
    pub fn transport_options(mut self, options: TransportOptions) -> Self {
        self.transport_options = Some(options);
        self
    }

    /// The numbers of [`HttpApi`].
    #[must_use]
    pub fn http_options(mut self, options: HttpOptions) -> Self {
        self.http_options = Some(options);
        self
    }

    /// The seed of every run's jitter; random for each unless given.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Records every run to what `open` gives for it. A run that cannot be recorded does not begin.
    #[must_use]
    pub fn record<W: Write + Send + 'static>(
        self,
        open: impl Fn() -> io::Result<W> + Send + Sync + 'static,
    ) -> Self {
        self.watch(Box::new(move || Ok(Box::new(Recorder::new(open()?)))))
    }

    /// Shows every run to what `make` gives for it.
    #[must_use]
    pub fn observe<O: Observer + 'static>(
        self,
        make: impl Fn() -> O + Send + Sync + 'static,
    ) -> Self {
        self.watch(Box::new(move || Ok(Box::new(make()))))
    }

    /// Makes the client. Reaches out to nobody.
    ///
    /// # Errors
    /// What is missing, cannot be as it is, or would do nothing.
    pub fn build(self) -> Result<Client, ClientError> {
        self.check_settings()?;
        self.check_secrecy()?;
        let headers = self.made_headers()?;
        let tls = self.made_tls()?;
        let proxies = match &self.proxies {
            Some(proxies) => proxies.clone(),
            // Nothing of ours reaches out.
            None if tls.is_none() => ProxyRules::direct(),
            None => {
                let server = self.server.as_ref().is_none_or(ServerUrl::is_loopback);
                let gateway = self.gateway.as_ref().is_none_or(GatewayUrl::is_loopback);
                ProxyRules::environment_for(server && gateway)?
            }
        };
        let transport = match (self.transport, &tls) {
            (Some(transport), _) => transport,
            (None, Some(tls)) => {
                let mut options = self.transport_options.unwrap_or_default();
                let at_once = self.limits.result_bytes.saturating_mul(2);
                options.outbound_limit = options.outbound_limit.max(at_once);
                let transport = WebSocketTransport::new(tls.clone(), options);
                let transport = transport.with_proxies(proxies.clone());
                Arc::new(transport.with_headers(headers.clone()))
            }
            (None, None) => return Err(ClientError::NoServer),
        };
        let api: Arc<dyn Api> = match (self.api, &self.server, &tls) {
            (Some(api), _, _) => api,
            (None, Some(server), Some(tls)) => {
                let api = HttpApi::with_proxies(
                    server.clone(),
                    &self.credential,
                    tls,
                    self.http_options.unwrap_or_default(),
                    &proxies,
                )?;
                Arc::new(api.with_headers(headers))
            }
            (None, _, _) => return Err(ClientError::NoServer),
        };
        Ok(Client {
            shared: Arc::new(Shared {
                hands: Arc::new(Hands {
                    transport,
                    api,
                    source: self.source,
                }),
                server: self.server,
                credential: self.credential,
                socket_token: self.socket_token,
                gateway: self.gateway,
                published: Mutex::default(),
                gateway_mode: !self.gateway_mode_off,
                project: self.project,
                repositories: PendingRepositories::default(),
                allow_insecure: self.allow_insecure,
                limits: self.limits,
                queue: self.queue,
                seed: self.seed,
                watches: self.watches,
                runs: Arc::default(),
            }),
        })
    }

    /// Refuses a server, or a gateway, to which a secret would go in the clear (C1). A gateway that the server names is
    /// looked at when a run begins.
    fn check_secrecy(&self) -> Result<(), ClientError> {
        if let Some(server) = &self.server
            && (self.credential != Credential::None || !self.headers.is_empty())
            && !server.is_secure()
            && !server.is_loopback()
            && !self.allow_insecure
        {
            return Err(ClientError::InsecureServer(server.clone()));
        }
        let config = Config {
            gateway: self.gateway.clone(),
            server: self.server.clone(),
            allow_insecure: self.allow_insecure,
            limits: self.limits.clone(),
        };
        Ok(config.validate()?)
    }

    fn made_headers(&self) -> Result<Headers, ClientError> {
        let mut headers = Headers::new();
        if let Some(user_agent) = &self.user_agent {
            headers = headers.with_user_agent(user_agent)?;
        }
        for (name, value) in &self.headers {
            headers = headers.with(name, value.expose())?;
        }
        Ok(headers)
    }

    /// None where nothing of ours reaches out.
    fn made_tls(&self) -> Result<Option<Arc<ClientConfig>>, ClientError> {
        if self.transport.is_some() && self.api.is_some() {
            return Ok(None);
        }
        Ok(Some(match (&self.tls, &self.authorities) {
            (Some(tls), _) => tls.clone(),
            (None, Some(path)) => tls::with_authorities(path)?,
            (None, None) => tls::platform()?,
        }))
    }

    fn watch(mut self, watch: Watch) -> Self {
        self.watches.push(watch);
        self
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientBuilder")
            .field("server", &self.server)
            .field("credential", &self.credential)
            .field("gateway", &self.gateway)
            .finish_non_exhaustive()
    }
}

//! A client of one server: starts runs and attaches to them.

mod builder;
mod error;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use agent_gateway_machine::recording::{Header, VERSION};
use agent_gateway_machine::{Attach, Config, Cursor, EventKind, Execute, Limits, Renewal, State};
use agent_gateway_machine::{TokenGrant, TokenKind};
use agent_gateway_protocol::{GatewayUrl, ServerUrl};
use tokio::sync::{OnceCell, watch};
use tracing::{Instrument, info_span};

use crate::credential::Credential;
use crate::driver::{Driver, Hands, Mailbox, QueueLimits, RunCommand};
use crate::observer::Observer;
use crate::run::Run;
use crate::vault::Vault;

pub use builder::{ClientBuilder, SocketToken};
pub use error::ClientError;

/// Makes the observer of one run.
type Watch = Box<dyn Fn() -> std::io::Result<Box<dyn Observer>> + Send + Sync>;

/// Starts runs and attaches to them. Cheap to clone; all clones share their connections to the server.
///
/// Must be used inside a tokio runtime with its timer and I/O on: each run is driven by a task of its own.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    hands: Arc<Hands>,
    server: Option<ServerUrl>,
    credential: Credential,
    socket_token: SocketToken,
    /// Given by the caller; otherwise the server is asked.
    gateway: Option<GatewayUrl>,
    published: OnceCell<Published>,
    allow_insecure: bool,
    limits: Limits,
    queue: QueueLimits,
    seed: Option<u64>,
    watches: Vec<Watch>,
}

/// What the server says of its gateway.
struct Published {
    gateway: Option<GatewayUrl>,
    /// Whether new runs go through it (G3).
    new_runs: bool,
}

impl Client {
    /// Says how a client is to be.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Starts a run (R1). `token` and `renewal` are the client's to say, whatever is in them.
    ///
    /// Cancel-safe: a future dropped before it is done has started nothing.
    ///
    /// # Errors
    /// Nothing was started: the server could not be asked for its gateway, or has its gateway mode off. What goes wrong
    /// later is the run's outcome.
    pub async fn execute(&self, execute: Execute) -> Result<Run, ClientError> {
        let config = self.config(true).await?;
        let vault = Arc::new(Vault::new());
        let (token, renewal) = self.token(&vault);
        let execute = Execute {
            token,
            renewal,
            ..execute
        };
        let command = EventKind::Execute(Box::new(execute));
        self.begin(config, vault, command, Cursor::start())
    }

    /// Watches a run that is already going (R7). `token` and `renewal` are the client's to say, whatever is in them.
    ///
    /// Cancel-safe: a future dropped before it is done has done nothing.
    ///
    /// # Errors
    /// The server could not be asked for its gateway. What goes wrong later is the run's outcome.
    pub async fn attach(&self, attach: Attach) -> Result<Run, ClientError> {
        let config = self.config(false).await?;
        let vault = Arc::new(Vault::new());
        let (token, renewal) = self.token(&vault);
        let cursor = attach.cursor.clone();
        let attach = Attach {
            token,
            renewal,
            ..attach
        };
        let command = EventKind::Attach(Box::new(attach));
        self.begin(config, vault, command, cursor)
    }

    /// Where the gateway is: what the client was given, else what the server says; `None` if it has none.
    ///
    /// # Errors
    /// The server could not be asked, or what it says is no gateway's URL.
    pub async fn gateway(&self) -> Result<Option<GatewayUrl>, ClientError> {
        match &self.shared.gateway {
            Some(gateway) => Ok(Some(gateway.clone())),
            None => Ok(self.published().await?.gateway.clone()),
        }
    }

    async fn config(&self, new_run: bool) -> Result<Config, ClientError> {
        let gateway = self.gateway().await?;
        if new_run && self.shared.gateway.is_none() && !self.published().await?.new_runs {
            return Err(ClientError::GatewayModeOff);
        }
        Ok(Config {
            gateway,
            server: self.shared.server.clone(),
            allow_insecure: self.shared.allow_insecure,
            limits: self.shared.limits.clone(),
        })
    }

    /// Asks the server once; a failure is not remembered.
    async fn published(&self) -> Result<&Published, ClientError> {
        let ask = || async {
            let config = self.shared.hands.api.global_config().await;
            let config = config.map_err(ClientError::GatewayUnknown)?;
            let gateway = match &config.agent_gateway_url {
                Some(text) if !text.is_empty() => {
                    Some(GatewayUrl::parse(text).map_err(ClientError::PublishedGateway)?)
                }
                _ => None,
            };
            Ok(Published {
                gateway,
                new_runs: config.enable_gateway_mode != Some(false),
            })
        };
        self.shared.published.get_or_try_init(ask).await
    }

    /// The socket's token, if the client has one of its own, and where a fresh one comes from (S8).
    fn token(&self, vault: &Vault) -> (Option<TokenGrant>, Renewal) {
        let fresh = match &self.shared.hands.source {
            Some(_) => Renewal::Caller,
            None => Renewal::Never,
        };
        match self.shared.socket_token {
            SocketToken::OfRun => (None, Renewal::Server),
            SocketToken::OfSource => (None, fresh),
            SocketToken::OfCredential => match self.shared.credential.socket_token() {
                Some((token, kind @ (TokenKind::ApiKey | TokenKind::Jwt))) => {
                    (Some(vault.keep(token, kind)), fresh)
                }
                None => (None, fresh),
            },
        }
    }

    fn begin(
        &self,
        config: Config,
        vault: Arc<Vault>,
        command: EventKind,
        cursor: Cursor,
    ) -> Result<Run, ClientError> {
        let shared = &self.shared;
        let seed = shared.seed.unwrap_or_else(random);
        let mut observers = Vec::with_capacity(shared.watches.len());
        for watch in &shared.watches {
            let mut observer = watch().map_err(ClientError::Observer)?;
            observer.began(&Header {
                version: VERSION,
                config: config.clone(),
                seed,
            });
            observers.push(observer);
        }
        let state = State::new(config, seed)?;
        let mailbox = Arc::new(Mailbox::new(shared.queue));
        let span = info_span!("run", command = command.name());
        mailbox.command(RunCommand {
            kind: command,
            verdict: None,
        });
        let (running, watching) = watch::channel(());
        let hands = shared.hands.clone();
        let driver = Driver::new(state, hands, vault, mailbox.clone(), observers, running);
        tokio::spawn(driver.instrument(span));
        Ok(Run::new(mailbox, watching, cursor))
    }
}

/// A seed for the jitter: the standard library's own randomness is all it takes.
fn random() -> u64 {
    RandomState::new().hash_one(())
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Client")
            .field("server", &self.shared.server)
            .field("credential", &self.shared.credential)
            .field("gateway", &self.shared.gateway)
            .finish_non_exhaustive()
    }
}

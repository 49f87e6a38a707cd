//! A client of one server: starts runs and attaches to them.

mod begin;
mod builder;
mod error;
mod repositories;
mod runs;
mod settings;

use std::path::PathBuf;
use std::sync::Arc;

use agent_gateway_machine::registry::RegistryEvent;
use agent_gateway_machine::{
    Attach, Bookmark, Config, ConnectionStatus, EventKind, Execute, Limits, Renewal,
    RequestFailure, State, TokenGrant,
};
use agent_gateway_protocol::api::ExecAgent;
use agent_gateway_protocol::{GatewayUrl, OperationId, ServerUrl};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::credential::Credential;
use crate::driver::{Hands, QueueLimits};
use crate::observer::Observer;
use crate::project_skills::project_skills;
use crate::run::Run;
use crate::vault::Vault;

use begin::Begin;
pub use builder::{ClientBuilder, SocketToken};
pub use error::{ClientError, RestoreError};
use repositories::PendingRepositories;
use runs::Runs;
pub(crate) use runs::{Claim, Place};

/// Makes the observer of one run.
type Watch = Box<dyn Fn() -> std::io::Result<Box<dyn Observer>> + Send + Sync>;

/// Starts runs and attaches to them. Cheap to clone; all clones share their connections to the server.
///
/// Must be used inside a tokio runtime with its timer and I/O on: each run has a task of its own.
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
    /// The one that the server has named, with its switch on: anything less may change, and is asked for again.
    published: Mutex<Option<GatewayUrl>>,
    /// The user's switch (G3).
    gateway_mode: bool,
    /// Whose skills new runs are told of.
    project: Option<PathBuf>,
    repositories: PendingRepositories,
    allow_insecure: bool,
    limits: Limits,
    queue: QueueLimits,
    seed: Option<u64>,
    watches: Vec<Watch>,
    runs: Arc<Runs>,
}

/// What is said of the gateway.
struct Published {
    gateway: Option<GatewayUrl>,
    /// Whether new runs go through it (G3).
    new_runs: bool,
}

impl Published {
    fn open(gateway: &GatewayUrl) -> Self {
        Self {
            gateway: Some(gateway.clone()),
            new_runs: true,
        }
    }
}

impl Client {
    /// Says how a client is to be.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Starts a run (R1). Which token opens its socket is said by [`ClientBuilder::socket_token`] alone: `token` and `renewal`
    /// must be as [`Execute::new`] leaves them.
    ///
    /// Cancel-safe: a future dropped before it is done has started nothing.
    ///
    /// # Errors
    /// Nothing was started: the server could not be asked for its gateway, new runs do not go through one (G3), or a token is
    /// given. What goes wrong later is the run's outcome.
    pub async fn execute(&self, execute: impl Into<Execute>) -> Result<Run, ClientError> {
        self.start(execute.into()).await
    }

    async fn start(&self, mut execute: Execute) -> Result<Run, ClientError> {
        no_token_given(execute.token.as_ref(), execute.renewal)?;
        let (config, off) = self.config().await?;
        if let Some(root) = &self.shared.project
            && execute.input.project_skills.is_none()
        {
            let skills = project_skills(root).await;
            let input = Arc::make_mut(&mut execute.input);
            input.project_skills = (!skills.is_empty()).then_some(skills);
        }
        let repositories = self
            .shared
            .repositories
            .go_along(Arc::make_mut(&mut execute.input));
        let vault = Arc::new(Vault::new());
        let (token, renewal) = self.token(&vault);
        let execute = Box::new(Execute {
            token,
            renewal,
            ..execute
        });
        let (state, watchers) = self.prepare(config)?;
        let begin = Begin {
            state,
            vault,
            watchers: Some(watchers),
            off,
            event: RegistryEvent::Execute(execute.clone()),
            command: EventKind::Execute(execute),
            bookmark: None,
            repositories,
        };
        Ok(self.begin(begin)?)
    }

    /// Watches a run that is already going (R7), from a [`Bookmark`] or as an [`Attach`] says; `token` and `renewal` must be as
    /// [`Attach::new`] leaves them. An operation that a live run of this client owns is refused: drop that one or detach from
    /// it first, which frees it at once.
    ///
    /// Cancel-safe: a future dropped before it is done has done nothing.
    ///
    /// # Errors
    /// The server could not be asked for its gateway, the operation is owned, or a token is given. What goes wrong later is
    /// the run's outcome.
    pub async fn attach(&self, attach: impl Into<Attach>) -> Result<Run, ClientError> {
        self.watch(attach.into()).await
    }

    async fn watch(&self, attach: Attach) -> Result<Run, ClientError> {
        no_token_given(attach.token.as_ref(), attach.renewal)?;
        let (config, off) = self.config().await?;
        let vault = Arc::new(Vault::new());
        let (token, renewal) = self.token(&vault);
        let bookmark = Some(Bookmark::from(&attach));
        let attach = Box::new(Attach {
            token,
            renewal,
            ..attach
        });
        let (state, watchers) = self.prepare(config)?;
        let begin = Begin {
            state,
            vault,
            watchers: Some(watchers),
            off,
            event: RegistryEvent::Attach(attach.clone()),
            command: EventKind::Attach(attach),
            bookmark,
            repositories: None,
        };
        Ok(self.begin(begin)?)
    }

    /// Carries on a run that was stored with [`RunHandle::state`](crate::RunHandle::state), with the config it was stored
    /// with. Its sockets, requests and tokens are gone: a streaming run fetches a token and redials, an `execAgent` in
    /// flight ends as *start unknown* and is never sent again. A run that was only settling has told its end already:
    /// [`Run::outcome`] says it, and [`Run::next`] does not tell it again.
    ///
    /// It is neither recorded nor observed: a recording begins with the run.
    ///
    /// # Errors
    /// A live run of this client has its operation, it has not begun to stream and knows no gateway (G3), or its gateway or
    /// its server is not this client's: a stored state does not say where a credential goes (C1). The error has the state.
    pub async fn restore(&self, state: State) -> Result<Run, RestoreError> {
        if let Err(why) = self.check_config(&state).await {
            let state = Box::new(state);
            return Err(RestoreError { why, state });
        }
        let vault = Arc::new(Vault::new());
        let (token, _) = self.token(&vault);
        let event = match state.operation() {
            Some(operation) => {
                let attach = Attach::new(operation.clone(), state.topic().cloned());
                RegistryEvent::Attach(Box::new(attach))
            }
            None => RegistryEvent::Execute(Box::new(Execute::new(ExecAgent::default()))),
        };
        let bookmark = state.bookmark();
        let begin = Begin {
            state,
            vault,
            watchers: None,
            // It is no new one.
            off: None,
            event,
            command: EventKind::Restored { token },
            bookmark,
            repositories: None,
        };
        self.begin(begin)
    }

    /// Chooses the repositories of the next new topic (R4): a run that is to make a topic takes them along, the first of
    /// them as its working directory, unless its input says itself what the topic is made with. They stay chosen until
    /// such a topic exists, so a run that could not be started loses nothing. An empty list chooses none.
    pub fn choose_repositories(&self, repositories: impl IntoIterator<Item = impl Into<Box<str>>>) {
        let repositories = repositories.into_iter().map(Into::into).collect();
        self.shared.repositories.choose(repositories);
    }

    /// The repositories that wait for a new topic (R4).
    #[must_use]
    pub fn repositories(&self) -> Vec<Box<str>> {
        self.shared.repositories.waiting()
    }

    /// The connection's status of the live run of this client that has this operation (G2).
    #[must_use]
    pub fn status(&self, operation: &OperationId) -> Option<ConnectionStatus> {
        self.shared.runs.status(operation)
    }

    /// Detaches from the run of this operation, which is free at once, as by [`RunHandle::detach`](crate::RunHandle::detach);
    /// does nothing if there is none (G2).
    pub fn disconnect(&self, operation: OperationId) {
        self.shared
            .runs
            .ask(RegistryEvent::Disconnect { operation });
    }

    /// Sends the socket's `interrupt` in the run of this operation; does nothing if there is none (G2). Today's gateways
    /// take it and do nothing: what ends a run is [`RunHandle::stop`](crate::RunHandle::stop).
    pub fn interrupt(&self, operation: OperationId) {
        self.shared.runs.ask(RegistryEvent::Interrupt { operation });
    }

    /// Where the gateway is: what the client was given, else what the server says; `None` if it has none.
    ///
    /// # Errors
    /// The server could not be asked, or what it says is no gateway's URL.
    pub async fn gateway(&self) -> Result<Option<GatewayUrl>, ClientError> {
        match &self.shared.gateway {
            Some(gateway) => Ok(Some(gateway.clone())),
            None => Ok(self.published().await?.gateway),
        }
    }

    /// Whether a stored run that is not over goes over this client's own gateway, which is told of its own server (C1, C3).
    async fn check_config(&self, state: &State) -> Result<(), ClientError> {
        let config = state.config();
        let Some(stored) = &config.gateway else {
            return Ok(());
        };
        if state.outcome().is_some() {
            return Ok(());
        }
        if config.server != self.shared.server {
            return Err(ClientError::OtherServer {
                stored: config.server.clone(),
                own: self.shared.server.clone(),
            });
        }
        let own = self.gateway().await?;
        if own.as_ref() == Some(stored) {
            return Ok(());
        }
        Err(ClientError::OtherGateway {
            stored: stored.clone(),
            own,
        })
    }

    /// What a run is set up with, and what keeps a new one from the gateway (G3).
    async fn config(&self) -> Result<(Config, Option<ClientError>), ClientError> {
        let published = match &self.shared.gateway {
            // One that was given is the caller's to use, whatever the server says of its own.
            Some(gateway) => Published::open(gateway),
            None => self.published().await?,
        };
        let off = match &published {
            _ if !self.shared.gateway_mode => Some(ClientError::SwitchedOff),
            Published {
                gateway: Some(_),
                new_runs: false,
            } => Some(ClientError::GatewayModeOff),
            _ => None,
        };
        let gateway = published.gateway;
        let config = Config {
            gateway,
            server: self.shared.server.clone(),
            allow_insecure: self.shared.allow_insecure,
            limits: self.shared.limits.clone(),
        };
        Ok((config, off))
    }

    /// Asks the server until it has named a gateway that new runs go through. Whoever waits does so no longer than for any
    /// request (R1), whoever else has asked before.
    async fn published(&self) -> Result<Published, ClientError> {
        let ask = async {
            let mut known = self.shared.published.lock().await;
            if let Some(gateway) = &*known {
                return Ok(Published::open(gateway));
            }
            let published = self.ask_gateway().await?;
            if published.new_runs {
                known.clone_from(&published.gateway);
            }
            Ok(published)
        };
        let deadline = self.shared.limits.request_deadline;
        match timeout(deadline.into(), ask).await {
            Ok(published) => published,
            Err(_) => Err(ClientError::GatewayUnknown(RequestFailure::Lost {
                text: format!("no answer within {deadline}").into(),
            })),
        }
    }

    async fn ask_gateway(&self) -> Result<Published, ClientError> {
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
                Some((token, kind)) => (Some(vault.keep(token, kind)), fresh),
                None => (None, fresh),
            },
        }
    }
}

/// A grant names a token in a vault, and each run has a vault of its own: nobody else can have put one there.
fn no_token_given(token: Option<&TokenGrant>, renewal: Renewal) -> Result<(), ClientError> {
    match (token, renewal) {
        (None, Renewal::Server) => Ok(()),
        _ => Err(ClientError::TokenGiven),
    }
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

//! A gateway and a LobeHub API on real sockets: the pure server of `agent-gateway-sim` with real time and real TCP.
//!
//! ```text
//!   HTTP requests ──▶ ┌──────────┐ inputs   ┌────────────────────┐
//!   WebSockets    ──▶ │ handlers │ ───────▶ │ one task: Server,  │
//!                 ◀── │  (axum)  │ ◀─────── │ clock, next ring   │
//!                     └──────────┘ outputs  └────────────────────┘
//! ```
//! It serves `/trpc/lambda/*`, `/ws` and the gateway's own HTTP to any client in any language. What it answers is
//! decided by the pure server alone.

mod host;
mod http;
mod listening;
mod outbox;
mod web_socket;

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

use agent_gateway_machine::{Millis, Timestamp};
use agent_gateway_protocol::{GatewayUrl, ServerUrl, Token};
use agent_gateway_sim::gateway::TokenPlan;
use agent_gateway_sim::script::{Script, find};
use agent_gateway_sim::server::{Server, ServerConfig};
use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::host::Host;
use self::listening::listen;
use crate::random::random;

/// Closing what is open takes at most this long.
const CLOSING: Duration = Duration::from_secs(2);

/// A running server. Dropping it cuts everything at once; [`EmbeddedServer::shutdown`] says goodbye first.
pub struct EmbeddedServer {
    server: ServerUrl,
    gateway: GatewayUrl,
    service_token: Token,
    client_token: Token,
    /// Tells every task to end; each holds a receiver for as long as it lives.
    ending: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl EmbeddedServer {
    /// Serves on `listener`. With a script each run plays it; without one, whoever pushes events drives, and `execAgent`
    /// answers with a new operation and its token.
    ///
    /// # Errors
    /// The listener has no address.
    pub async fn start(listener: TcpListener, script: Option<&Script>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let url = format!("http://{address}");
        let bad = |error| io::Error::new(io::ErrorKind::InvalidInput, format!("{url}: {error}"));
        let server = ServerUrl::parse(&url).map_err(bad)?;
        let gateway = GatewayUrl::parse(&url).map_err(bad)?;
        let (service_token, client_token) = (secret("service"), secret("client"));
        let config = ServerConfig {
            gateway_url: url.as_str().into(),
            client_token: Some(client_token.clone()),
            service_token: Some(service_token.clone()),
            seed: random(),
            epoch: since_1970(),
            ..ServerConfig::default()
        };
        // The client's token opens the socket too, for clients that have not been given a run's.
        let plan = TokenPlan {
            lifetime: Millis::seconds(10 * 365 * 24 * 3_600),
            ..TokenPlan::of(config.user.clone())
        };
        let mut machine = Server::new(config, script);
        machine.enter_token(Timestamp::ZERO, &client_token, &plan);

        let (ending, end) = watch::channel(false);
        let host = Host::start(machine, end.clone());
        let app = Router::new()
            .route("/ws", get(web_socket::upgrade))
            .fallback(http::answer)
            .with_state(host);
        Ok(Self {
            server,
            gateway,
            service_token,
            client_token,
            ending,
            serving: tokio::spawn(listen(listener, app, end)),
        })
    }

    /// Serves one of the scripts that come with this workspace, such as `demo`, on a free port of loopback: a server to
    /// try things against.
    ///
    /// # Errors
    /// There is no such script, or loopback cannot be listened on.
    pub async fn playing(name: &str) -> io::Result<Self> {
        let unknown = || io::Error::new(io::ErrorKind::NotFound, format!("no script {name}"));
        let script = find(name).ok_or_else(unknown)?;
        let script = Script::parse(name, script.text).map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::start(listener, Some(&script)).await
    }

    /// Where the API is.
    #[must_use]
    pub fn server_url(&self) -> &ServerUrl {
        &self.server
    }

    /// Where the gateway is: the same address.
    #[must_use]
    pub fn gateway_url(&self) -> &GatewayUrl {
        &self.gateway
    }

    /// What opens the gateway's own HTTP, as `Authorization: Bearer`.
    #[must_use]
    pub fn service_token(&self) -> &Token {
        &self.service_token
    }

    /// What opens the API, as `Oidc-Auth` or `X-API-Key`, and the socket of every run.
    #[must_use]
    pub fn client_token(&self) -> &Token {
        &self.client_token
    }

    /// Closes every socket (1001), lets requests finish, and leaves nothing behind: no task, no port. What does not
    /// close within two seconds is cut.
    pub async fn shutdown(mut self) {
        self.ending.send_replace(true);
        // The tasks of the connections and sockets hold receivers.
        let all = async {
            let _ = (&mut self.serving).await;
            self.ending.closed().await;
        };
        let _ = timeout(CLOSING, all).await;
    }
}

impl Drop for EmbeddedServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl fmt::Debug for EmbeddedServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EmbeddedServer")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Waits until the server is to end, or is gone.
async fn ended(mut end: watch::Receiver<bool>) {
    let _ = end.wait_for(|ended| *ended).await;
}

/// A token nobody guesses, for a server on loopback.
fn secret(kind: &str) -> Token {
    Token::new(format!("agw-{kind}-{:016x}{:016x}", random(), random()))
}

fn since_1970() -> u64 {
    let passed = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(passed.as_millis()).unwrap_or_default()
}

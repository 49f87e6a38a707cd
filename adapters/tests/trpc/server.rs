//! The Node server of one test.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use agent_gateway_adapters::{Api, Credential, HttpApi, HttpOptions, Vault, tls};
use agent_gateway_machine::{Call, Reply, RequestFailure};
use agent_gateway_protocol::{ServerUrl, Token};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Starting Node takes a moment; what is not there within this will not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A body over this many bytes is over the limit.
pub(crate) const BODY_LIMIT: usize = 64 << 10;

/// A server that is running. It ends when its standard input closes, so neither a panic nor a killed test leaves it
/// behind; dropping it ends it at once.
pub(crate) struct NodeServer {
    child: Child,
    url: String,
}

impl NodeServer {
    /// A server with nothing changed.
    pub(crate) async fn start() -> Self {
        Self::with("{}").await
    }

    /// A server set up by `options`, JSON: see `World` in `server/world.mjs`.
    pub(crate) async fn with(options: &str) -> Self {
        let folder = folder();
        assert!(
            folder.join("node_modules").is_dir(),
            "the packages are missing: run `npm ci` in {}",
            folder.display()
        );
        let mut child = Command::new("node")
            .arg("server.mjs")
            .arg(options)
            .current_dir(&folder)
            .env("NODE_ENV", "production")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("`node` cannot be started: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = timeout(PATIENCE, lines.next_line())
            .await
            .expect("the server does not start");
        let port = port.unwrap().expect("the server has left; see above why");
        Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    /// The server behind one of the fronts of `server/front.mjs`; `""`: nothing between.
    pub(crate) fn behind(&self, front: &str) -> ServerUrl {
        ServerUrl::parse(&format!("{}/{front}", self.url)).unwrap()
    }

    /// Asks as a user with a good key.
    pub(crate) async fn ask(&self, front: &str, call: &Call) -> (Reply, Vault) {
        self.ask_as(&key(), front, call).await
    }

    pub(crate) async fn ask_as(
        &self,
        credential: &Credential,
        front: &str,
        call: &Call,
    ) -> (Reply, Vault) {
        let vault = Vault::new();
        let api = self.api(credential, front);
        let reply = timeout(PATIENCE, api.send(call, &vault)).await;
        (reply.expect("no answer"), vault)
    }

    /// Asks, and is refused.
    pub(crate) async fn failure(&self, front: &str, call: &Call) -> RequestFailure {
        match self.ask(front, call).await.0 {
            Reply::Failed(failure) => failure,
            reply => panic!("{front}: {reply:?}"),
        }
    }

    pub(crate) fn api(&self, credential: &Credential, front: &str) -> HttpApi {
        let mut options = HttpOptions::default();
        options.body_limit = BODY_LIMIT;
        let tls = tls::platform().unwrap();
        HttpApi::new(self.behind(front), credential, &tls, options).unwrap()
    }

    /// Closes its standard input and waits for its end.
    pub(crate) async fn leave(mut self) -> std::process::ExitStatus {
        drop(self.child.stdin.take());
        let left = timeout(PATIENCE, self.child.wait()).await;
        left.expect("the server outlives its test").unwrap()
    }
}

/// The key that the server knows.
pub(crate) fn key() -> Credential {
    Credential::ApiKey(Token::new("sk-lh-0123456789abcdef"))
}

/// The access token that the server knows.
pub(crate) fn access_token() -> Credential {
    Credential::AccessToken(Token::new("access.token.good"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trpc/server")
}

#[tokio::test]
#[ignore = "needs Node; .ci/run runs it"]
async fn the_server_never_outlives_whoever_started_it() {
    let server = NodeServer::start().await;
    assert!(server.leave().await.success());
}

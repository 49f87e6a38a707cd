//! `agw run`: start a run, show it, answer its tool calls, stop it when asked to.

mod remote;
mod session;

use std::fs::File;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{Client, ClientBuilder, Credential};
use agent_gateway_machine::Execute;
use agent_gateway_protocol::api::{AppContext, ApprovalMode, ExecAgent, UserInterventionConfig};

use agent_gateway_sim::script::Script;
use tokio::net::TcpListener;

use crate::arguments::RunArguments;
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::render::Renderer;
use crate::script;
use crate::signals::Signals;
use crate::tools::Tools;

use remote::Remote;
use session::Session;

/// LobeHub's own assistant.
const INBOX: &str = "inbox";

/// Runs until the run's end, or until the user leaves.
///
/// # Errors
/// Nothing was started, or the output fails.
pub(crate) async fn run(
    arguments: RunArguments,
    environment: Environment,
) -> Result<ExitCode, Error> {
    let mut signals = Signals::new()?;
    let output = anstream::AutoStream::auto(io::stdout());
    let renderer = if arguments.json {
        Renderer::json(Box::new(io::stdout()) as Box<dyn Write + Send>)
    } else {
        Renderer::human(Box::new(output) as Box<dyn Write + Send>)
    };
    let input = input(&arguments);
    let remote = Remote::resolve(arguments.remote, environment)?;
    let mut builder = Client::builder();
    if let Some(path) = arguments.record {
        builder = record(builder, path)?;
    }
    let execute = Execute::new(input);
    match remote {
        Some(remote) => {
            let place = remote.server.to_string();
            let client = remote.client(builder)?;
            let tools = Tools::new(arguments.tools, false);
            let session = Session::new(client, Some(place), tools, renderer);
            session.run(execute, &mut signals).await
        }
        None => {
            let script = match &arguments.script {
                Some(path) => script::read(path)?,
                None => script::demo()?,
            };
            let server = embedded(&script).await?;
            let client = client_of(&server, builder)?;
            let tools = Tools::new(arguments.tools, true);
            let session = Session::new(client, None, tools, renderer);
            let result = session.run(execute, &mut signals).await;
            server.shutdown().await;
            result
        }
    }
}

/// The gateway inside this process, on a free port of loopback.
async fn embedded(script: &Script) -> Result<EmbeddedServer, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listen = |error| Error::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    EmbeddedServer::start(listener, Some(script))
        .await
        .map_err(listen)
}

/// A client of it, made as one of a server anywhere is.
fn client_of(server: &EmbeddedServer, builder: ClientBuilder) -> Result<Client, Error> {
    builder
        .server(server.server_url().clone())
        .credential(Credential::ApiKey(server.client_token().clone()))
        .build()
        .map_err(|error| Error::Client { place: None, error })
}

fn input(arguments: &RunArguments) -> ExecAgent {
    let slug = match (&arguments.agent, &arguments.slug) {
        (Some(_), _) => None,
        (None, Some(slug)) => Some(slug.as_str().into()),
        (None, None) => Some(INBOX.into()),
    };
    ExecAgent {
        agent_id: arguments.agent.as_deref().map(Into::into),
        slug,
        prompt: arguments.prompt.as_str().into(),
        trigger: Some("cli".into()),
        app_context: arguments.topic.as_deref().map(|topic| AppContext {
            topic_id: Some(topic.into()),
            ..AppContext::default()
        }),
        // Nobody is there to approve anything.
        user_intervention_config: Some(UserInterventionConfig {
            approval_mode: Some(ApprovalMode::Headless),
            ..UserInterventionConfig::default()
        }),
        client_runtime: (!arguments.tools.is_empty()).then(|| "desktop".into()),
        ..ExecAgent::default()
    }
}

fn record(builder: ClientBuilder, path: std::path::PathBuf) -> Result<ClientBuilder, Error> {
    let file = File::create(&path).map_err(|error| Error::File { path, error })?;
    Ok(builder.record(move || file.try_clone()))
}

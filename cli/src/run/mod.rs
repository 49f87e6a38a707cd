//! `agw run` and `agw attach`: follow a run, show it, answer its tool calls, stop it when asked to.

mod person;
mod record;
mod remote;
mod session;

use std::net::{Ipv4Addr, SocketAddr};

use agent_gateway_adapters::embedded::EmbeddedServer;
use agent_gateway_adapters::{Client, ClientBuilder, Credential, SocketToken};
use agent_gateway_machine::{Attach, Execute};
use agent_gateway_protocol::EventId;
use agent_gateway_protocol::api::{AppContext, ApprovalMode, ExecAgent, UserInterventionConfig};
use agent_gateway_sim::script::Script;
use tokio::net::TcpListener;

use crate::arguments::{AttachArguments, RunArguments, ShownArguments};
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::input;
use crate::script;
use crate::signals::Signals;

use record::Record;
use remote::Remote;
use session::View;

/// LobeHub's own assistant.
const INBOX: &str = "inbox";

/// Runs until the run's end, or until the user leaves.
///
/// # Errors
/// Nothing was started, or the output fails.
pub(crate) async fn run(
    mut arguments: RunArguments,
    environment: Environment,
) -> Result<ExitCode, Error> {
    // Before signals are heard: whoever types it can leave by Ctrl-C.
    arguments.prompt = input::prompt(arguments.prompt)?;
    let mut signals = Signals::new()?;
    let execute = Execute::new(execution(&arguments));
    let RunArguments {
        remote,
        shown,
        script,
        project,
        ..
    } = arguments;
    let (mut builder, record) = builder(&shown)?;
    if let Some(root) = project {
        if !root.is_dir() {
            return Err(Error::NoFolder(root));
        }
        builder = builder.project(root);
    }
    // A script is played inside this process, whatever the environment says of servers.
    let environment = match script {
        Some(_) => Environment::default(),
        None => environment,
    };
    match Remote::resolve(remote, environment)? {
        Some(remote) => {
            let place = remote.server.to_string();
            let client = remote.client(builder)?;
            let view = View::new(shown, false, Some(place), record)?;
            session::execute(client, execute, view, &mut signals).await
        }
        None => {
            let script = match &script {
                Some(place) => script::find_one(place)?,
                None => script::demo()?,
            };
            let server = embedded(&script).await?;
            let client = client_of(&server, builder)?;
            let view = View::new(shown, true, None, record)?;
            let result = session::execute(client, execute, view, &mut signals).await;
            server.shutdown().await;
            result
        }
    }
}

/// Watches until the run's end, or until the user leaves.
///
/// # Errors
/// There is no server, it could not be asked, or the output fails.
pub(crate) async fn attach(
    arguments: AttachArguments,
    environment: Environment,
) -> Result<ExitCode, Error> {
    let mut signals = Signals::new()?;
    let remote = Remote::resolve(arguments.remote, environment)?;
    let remote = remote.ok_or(Error::ServerMissing { what: "attach" })?;
    let mut attach = Attach::new(arguments.operation.into(), arguments.topic.map(Into::into));
    attach.thread = arguments.thread.map(Into::into);
    attach.cursor.id = arguments.after.as_deref().map(EventId::parse);
    attach.executes_tools = !arguments.shown.tools.is_empty();
    let place = remote.server.to_string();
    let (mut builder, record) = builder(&arguments.shown)?;
    if attach.topic.is_none() {
        if !remote.has_credential() {
            return Err(Error::NoWayIn);
        }
        // The server gives tokens by topic.
        builder = builder.socket_token(SocketToken::OfCredential);
    }
    let client = remote.client(builder)?;
    let view = View::new(arguments.shown, false, Some(place), record)?;
    session::attach(client, attach, view, &mut signals).await
}

/// A client that records, if it is to. Tools that cannot work are told before anything is started.
fn builder(shown: &ShownArguments) -> Result<(ClientBuilder, Option<Record>), Error> {
    if let Some(tool) = shown.tools.iter().find(|tool| !tool.is_there()) {
        return Err(Error::ToolMissing {
            name: tool.name.clone(),
            program: tool.program.clone(),
        });
    }
    let builder = Client::builder();
    let Some(path) = &shown.record else {
        return Ok((builder, None));
    };
    let record = Record::create(path)?;
    let target = record.target();
    Ok((builder.record(move || Ok(target.clone())), Some(record)))
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

fn execution(arguments: &RunArguments) -> ExecAgent {
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
        // Else the server parks the run at a tool, for an answer that no socket brings (S9b).
        user_intervention_config: Some(UserInterventionConfig {
            approval_mode: Some(ApprovalMode::Headless),
            ..UserInterventionConfig::default()
        }),
        client_runtime: (!arguments.shown.tools.is_empty()).then(|| "desktop".into()),
        ..ExecAgent::default()
    }
}

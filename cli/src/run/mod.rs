//! `agw run`: start a run, show it, answer its tool calls, stop it when asked to.

mod remote;
mod session;
mod signals;

use std::fs::File;
use std::io::{self, Write};

use agent_gateway_adapters::{Client, ClientBuilder};
use agent_gateway_machine::Execute;
use agent_gateway_protocol::api::{AppContext, ApprovalMode, ExecAgent, UserInterventionConfig};

use crate::arguments::RunArguments;
use crate::environment::Environment;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::render::Renderer;
use crate::tools::Tools;

use remote::Remote;
use session::Session;
pub(crate) use signals::Signals;

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
    match remote {
        Some(remote) => {
            let place = remote.server.to_string();
            let client = remote.client(builder)?;
            let tools = Tools::new(arguments.tools, false);
            let session = Session::new(client, Some(place), tools, renderer);
            session.run(Execute::new(input), &mut signals).await
        }
        None => todo!(),
    }
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

//! `agw serve`: the embedded gateway for any client in any language.

use std::io::{self, Write};

use agent_gateway_adapters::embedded::EmbeddedServer;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::arguments::ServeArguments;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::script;
use crate::signals::Signals;

/// The one line on standard output: all that a client needs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Announcement<'a> {
    api: String,
    gateway: String,
    service_token: &'a str,
    client_token: &'a str,
}

/// Serves until Ctrl-C or SIGTERM, which is a good end.
///
/// # Errors
/// The script or the address cannot be used, or the output fails.
pub(crate) async fn run(arguments: ServeArguments) -> Result<ExitCode, Error> {
    let mut signals = Signals::new()?;
    let script = arguments
        .script
        .as_deref()
        .map(script::find_one)
        .transpose()?;
    let listen = |error| Error::Listen {
        address: arguments.listen,
        error,
    };
    let listener = TcpListener::bind(arguments.listen).await.map_err(listen)?;
    let server = EmbeddedServer::start(listener, script.as_ref())
        .await
        .map_err(listen)?;
    announce(&server).map_err(Error::Output)?;
    signals.next().await;
    server.shutdown().await;
    Ok(ExitCode::Completed)
}

fn announce(server: &EmbeddedServer) -> io::Result<()> {
    let url = server.server_url().to_string();
    // The place where these two are made known: whoever started the program is who they are for.
    let announcement = Announcement {
        api: url.clone(),
        gateway: url,
        service_token: server.service_token().expose(),
        client_token: server.client_token().expose(),
    };
    let mut output = io::stdout().lock();
    serde_json::to_writer(&mut output, &announcement)?;
    writeln!(output)?;
    output.flush()
}

use std::net::SocketAddr;

use clap::Args;

pub(super) const HELP: &str = "\
Prints one JSON line {\"api\",\"gateway\",\"serviceToken\",\"clientToken\"}, then serves until Ctrl-C:
  /trpc/lambda/*       LobeHub's API, with clientToken as X-API-Key or Oidc-Auth
  /ws?operationId=     the gateway's socket
  /health, /api/operations/{init,push-event,push-events,tool-execute,update-status,status,…}
                       the gateway's HTTP, with `Authorization: Bearer <serviceToken>`

With a script it plays that session to whoever calls execAgent. Without one it is a plain gateway: execAgent answers with \
a new operation and its token, and what is pushed to that operation is streamed.

Examples:
  agw serve --listen 127.0.0.1:8787
  agw serve session.json
  agw serve tool_call";

/// `agw serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The session to play, a file or the name of a script that comes with the program; without one, whoever pushes
    /// events drives
    pub(crate) script: Option<String>,
    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
}

use std::path::PathBuf;

use agent_gateway_protocol::Token;
use clap::Args;

use crate::tools::ToolSpecification;

pub(super) const HELP: &str = "\
Examples:
  agw run \"Say hello, then read notes.txt\"
      without a server: a gateway inside this process plays one, over real sockets on loopback
  agw run --server https://app.lobehub.com --agent agt_4kQm2 \"What is new?\"
      with the credentials of LOBEHUB_JWT or LOBEHUB_CLI_API_KEY
  agw run --json \"Hello\" | jq -r 'select(.kind == \"ended\").outcome'
  agw run --tool readFile=./read.sh --tool 'mcp-demo/echo=cat' \"Read a.txt\"
      a tool reads its arguments, JSON, on standard input; what it writes is its content
      it has no terminal, and is ended with all that it has started when its call is given up or we leave
  (echo \"Review this:\"; git diff) | agw run -
      what is long comes from standard input

On a terminal you are asked what the run asks: whether a tool may run (y or n, unless --approve or --deny says it), or for a
line of text. Ctrl-D leaves a question to other clients. With --json, or where input or output is no terminal, nobody is asked.

Ctrl-C stops the run on the server; a second one leaves at once.

Environment:
  LOBEHUB_SERVER       the server, if --server is not given
  LOBEHUB_JWT          an access token, if neither --token nor --api-key is given
  LOBEHUB_CLI_API_KEY  an API key, if LOBEHUB_JWT is not set either
  AGENT_GATEWAY_URL    the gateway, if --gateway is not given; else the server is asked for it
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY
                       the way out, for HTTP and WebSockets; nothing on this machine goes through a proxy
  NO_COLOR             no colours";

/// `agw run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// What to say to the agent; `-` reads it from standard input, as text in UTF-8 of at most 4 MiB
    pub(crate) prompt: String,
    #[command(flatten)]
    pub(crate) remote: RemoteArguments,
    /// The agent, by its id
    #[arg(long, value_name = "ID", conflicts_with = "slug")]
    pub(crate) agent: Option<String>,
    /// The agent, by its name in the URL [default: inbox, LobeHub's own assistant]
    #[arg(long, value_name = "NAME")]
    pub(crate) slug: Option<String>,
    /// Go on in this topic instead of a new one
    #[arg(long, value_name = "ID")]
    pub(crate) topic: Option<String>,
    /// Tell the agent of the skills in this folder's .agents/skills and .claude/skills
    #[arg(long, value_name = "FOLDER")]
    pub(crate) project: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) shown: ShownArguments,
    /// The session that the gateway inside this process plays: a file, or the name of a script that comes with the program
    #[arg(long, value_name = "SCRIPT", conflicts_with = "server")]
    pub(crate) script: Option<String>,
}

/// Where the server is and who we are to it.
#[derive(Debug, Args)]
pub(crate) struct RemoteArguments {
    /// The LobeHub server [env: LOBEHUB_SERVER]
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The Agent Gateway [env: AGENT_GATEWAY_URL]
    #[arg(long, value_name = "URL")]
    pub(crate) gateway: Option<String>,
    /// An API key; better given in the environment, where other users cannot see it [env: LOBEHUB_CLI_API_KEY]
    #[arg(long, value_name = "KEY", value_parser = token, conflicts_with = "token")]
    pub(crate) api_key: Option<Token>,
    /// An access token; better given in the environment [env: LOBEHUB_JWT]
    #[arg(long, value_name = "JWT", value_parser = token)]
    pub(crate) token: Option<Token>,
    /// Trust the certificate authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Let a token go unencrypted to a host that is not this one
    #[arg(long)]
    pub(crate) allow_insecure: bool,
}

/// How a run is shown, and who answers its tool calls.
#[derive(Debug, Args)]
pub(crate) struct ShownArguments {
    /// Answer calls of this tool (`identifier/apiName` or `apiName`) with a program, 16 calls at once; may be given again
    #[arg(long = "tool", value_name = "NAME=COMMAND")]
    pub(crate) tools: Vec<ToolSpecification>,
    /// Let every tool call run that asks whether it may; without this or --deny you are asked, on a terminal
    #[arg(long)]
    approve: bool,
    /// Let none run that asks; where nobody can be asked and neither is given, the run waits for other clients
    #[arg(long, conflicts_with = "approve")]
    deny: bool,
    /// One JSON object a line instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// Record everything the machine was told, for `agw replay`, in a new file; holds the run's texts, but no token
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
}

impl ShownArguments {
    /// What confirmations are answered with; none: that is left to others.
    pub(crate) fn approves(&self) -> Option<bool> {
        match (self.approve, self.deny) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }
}

#[allow(clippy::unnecessary_wraps, reason = "the form of a value parser")]
fn token(text: &str) -> Result<Token, std::convert::Infallible> {
    Ok(Token::new(text))
}

//! The command line, and the words that explain it.

use std::net::SocketAddr;
use std::num::{NonZero, NonZeroUsize};
use std::path::PathBuf;

use agent_gateway_machine::Millis;
use agent_gateway_protocol::Token;
use agent_gateway_sim::explore::Budget;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::campaign::Shard;
use crate::duration;
use crate::replay::Until;
use crate::tools::ToolSpecification;

const ABOUT: &str = "Run, watch, serve and replay Agent Gateway sessions";

const AFTER_HELP: &str = "\
Exit codes:
  0    completed
  1    failed, not started, or the gateway broke the protocol
  2    the command line, or a file it names, cannot be used
  3    not accepted: bad credentials, or no fresh token to be had
  4    server unreachable, connection lost, or nobody knows whether the run started
  5    parked: the run waits for a person
  6    ended, and the server cannot say how
  7    superseded by another run, or nothing to attach to
  8    `agw check` ran out of time or memory: nothing found, nothing proved
  130  stopped or interrupted, confirmed or not

Log lines go to standard error with --verbose, or as AGW_LOG says (such as AGW_LOG=debug).";

const RUN_HELP: &str = "\
Examples:
  agw run \"Say hello, then read notes.txt\"
      without a server: a gateway inside this process plays one, over real sockets on loopback
  agw run --server https://app.lobehub.com --agent agt_4kQm2 \"What is new?\"
      with the credentials of LOBEHUB_JWT or LOBEHUB_CLI_API_KEY
  agw run --json \"Hello\" | jq -r 'select(.kind == \"ended\").outcome'
  agw run --tool readFile=./read.sh --tool 'mcp-demo/echo=cat' \"Read a.txt\"
      a tool reads its arguments, JSON, on standard input; what it writes is its content
      it has no terminal, and is ended with all that it has started when its call is given up or we leave

Ctrl-C stops the run on the server; a second one leaves at once.

Environment:
  LOBEHUB_SERVER       the server, if --server is not given
  LOBEHUB_JWT          an access token, if neither --token nor --api-key is given
  LOBEHUB_CLI_API_KEY  an API key, if LOBEHUB_JWT is not set either
  AGENT_GATEWAY_URL    the gateway, if --gateway is not given; else the server is asked for it
  HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY
                       the way out, for HTTP and WebSockets; nothing on this machine goes through a proxy
  NO_COLOR             no colours";

const ATTACH_HELP: &str = "\
Example:
  agw attach op_1783756800000_agt_4kQm2_tpc_9fWbz_Zx81LmQa --topic tpc_9fWbz

A watcher leaves the run's tool calls to others, unless --tool is given. Ctrl-C stops the watching, not the run.
The environment is that of `agw run`.";

const SERVE_HELP: &str = "\
Prints one JSON line {\"api\",\"gateway\",\"serviceToken\",\"clientToken\"}, then serves until Ctrl-C:
  /trpc/lambda/*       LobeHub's API, with clientToken as X-API-Key or Oidc-Auth
  /ws?operationId=     the gateway's socket
  /health, /api/operations/{init,push-event,push-events,tool-execute,update-status,status,…}
                       the gateway's HTTP, with `Authorization: Bearer <serviceToken>`

With a script it plays that session to whoever calls execAgent. Without one it is a plain gateway: execAgent answers with
a new operation and its token, and what is pushed to that operation is streamed.

Examples:
  agw serve --listen 127.0.0.1:8787
  agw serve session.json";

const SIM_HELP: &str = "\
Leaves with 1 if something expected did not come, or an invariant was broken. Same script and seed: same bytes.

Examples:
  agw sim good_run
  agw sim sim/scripts --trace none
  agw sim my-session.json --seed 7 --record my-session.jsonl && agw replay my-session.jsonl";

const CAMPAIGN_HELP: &str = "\
Each session is random: what the server says, what breaks, what the user does. Every invariant is looked at after every
step, and at the end, after the faults, that the run is over, that nothing was lost without a gap, and that no tool call had
two results. A session that fails is made small, and written as a script together with the command that repeats it. The
summary says what all sessions together have shown, and what was never seen.

Leaves with 1 if a session failed, and with 130 if it was ended by Ctrl-C before that; what was found by then is told. A
second Ctrl-C leaves at once.

Examples:
  agw campaign
  agw campaign --time 10m --seed $RANDOM --out findings
  agw campaign --runs 1000000 --shard $SLURM_ARRAY_TASK_ID/64
  agw campaign --json | jq 'select(.kind == \"summary\").never'";

const REPLAY_HELP: &str = "\
A recording holds what the machine was told and what it answered. If the machine of today answers otherwise, that is said
first, on standard error, with the event and the line, and the program leaves with 1. A recording that breaks off in its
last line is replayed up to there.

Examples:
  agw run --record run.jsonl \"Hello\" && agw replay run.jsonl
  agw replay run.jsonl --until run_ended
  agw replay run.jsonl --step --until 30s
  agw replay run.jsonl --json | jq 'select(.recorded)'
      the events that are answered otherwise";

const DIAGRAM_HELP: &str = "\
Nobody draws it: the real machine is driven through sessions in virtual time, and every transition that moves it becomes
an edge, named by the event and, in brackets, the rules of machine/LIFECYCLE.md that decided it. Same program, same bytes.
The diagrams in docs/diagrams are made by this.

Examples:
  agw diagram
      the run as Mermaid text, for a Markdown page or https://mermaid.live
  agw diagram --of connection -o connection.svg
      a picture, for light and dark
  agw diagram --of session --loops
      also what happens in each state without moving it";

const MACHINE_HELP: &str = "\
Each line in is one event, {\"at\":<ms>,\"kind\":…}, or a frame as it came from the socket,
{\"at\":<ms>,\"frame_text\":{\"dial\":…,\"text\":…}}, or a step of a recording, {\"event\":…,\"effects\":…}, of which only the
event is read. The first may be a recording's header {\"version\":2,\"config\":{…},\"seed\":…} instead. Each line out answers one event:
  {\"effects\":[…],\"wire\":[…],\"phase\":…,\"status\":…,\"operation\":…,\"outcome\":…}
where `wire` has the frames of the effects as text. A bad line is answered with {\"error\":…} and changes nothing.
docs/machine.md has the whole form and an example session.

Example:
  echo '{\"at\":0,\"kind\":\"stop\"}' | agw machine --gateway http://127.0.0.1:8787";

const VIEW_HELP: &str = "\
Examples:
  agw run --record run.jsonl \"Hello\" && agw view run.jsonl
      writes run.html: lanes for caller, machine, gateway, API and timers, what caused what, the rules, and what each
      step changed in the state; `?` on the page lists its keys
  agw sim cut_and_resumed --trace json | agw view - -o cut.html
      a trace has no header, so its page has no states and no rules; a recording has both

A page made by an earlier `agw view` is replaced, and the command says so; another file is only replaced if --output
names it. The page holds the session's texts, as the recording does, but no token.";

const CHECK_HELP: &str = "\
Explores every order in which what may happen can happen: frames and answers late and early, sockets cut or silent,
tokens that run out, requests lost, the gateway's buffer gone, the caller stopping and leaving at any point. Every
invariant is looked at in every step, and from every state an end must be within reach. docs/check.md has what exactly.

Leaves with 0 if everything was explored and nothing found, with 1 if something was found, with 8 if time or memory was
over before that.

Examples:
  agw check
  agw check --budget large --time 2h --memory 16000
  agw check --script found.json || agw sim found.json";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "agw", version, about = ABOUT, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Tell on standard error what happens underneath; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a run and show it until its end
    #[command(after_help = RUN_HELP)]
    Run(Box<RunArguments>),
    /// Watch a run that is already going, until its end
    #[command(after_help = ATTACH_HELP)]
    Attach(Box<AttachArguments>),
    /// Serve a gateway and an API for any client, until Ctrl-C
    #[command(after_help = SERVE_HELP)]
    Serve(ServeArguments),
    /// Play scripts in virtual time against the real machine, without a socket
    #[command(after_help = SIM_HELP)]
    Sim(SimArguments),
    /// Play random sessions with random faults, and look for one that breaks the machine
    #[command(after_help = CAMPAIGN_HELP)]
    Campaign(CampaignArguments),
    /// The pure machine on standard input and output: events in, effects out, one JSON object a line
    #[command(after_help = MACHINE_HELP)]
    Machine(MachineArguments),
    /// Explore every interleaving within a budget, and look at every invariant in each
    #[command(after_help = CHECK_HELP)]
    Check(CheckArguments),
    /// Draw the states of a run from what the machine really does
    #[command(after_help = DIAGRAM_HELP)]
    Diagram(DiagramArguments),
    /// Feed a recording to the machine and show every event, effect and state
    #[command(after_help = REPLAY_HELP)]
    Replay(ReplayArguments),
    /// Make a recording or a trace one page to look at: it opens from disk, and loads nothing
    #[command(after_help = VIEW_HELP)]
    View(ViewArguments),
}

/// `agw run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// What to say to the agent
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
    /// The session that the gateway inside this process plays
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    pub(crate) script: Option<PathBuf>,
}

/// `agw attach`.
#[derive(Debug, Args)]
pub(crate) struct AttachArguments {
    /// The run, as `agw run` and the server name it
    pub(crate) operation: String,
    #[command(flatten)]
    pub(crate) remote: RemoteArguments,
    /// The run's topic, for which the server gives tokens; without it the key or token given opens the socket too
    #[arg(long, value_name = "ID")]
    pub(crate) topic: Option<String>,
    /// The run's thread
    #[arg(long, value_name = "ID")]
    pub(crate) thread: Option<String>,
    /// Everything up to this event id is known already; without it the run is shown from its beginning
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,
    #[command(flatten)]
    pub(crate) shown: ShownArguments,
}

/// How a run is shown, and who answers its tool calls.
#[derive(Debug, Args)]
pub(crate) struct ShownArguments {
    /// Answer calls of this tool (`identifier/apiName` or `apiName`) with a program; may be given again
    #[arg(long = "tool", value_name = "NAME=COMMAND")]
    pub(crate) tools: Vec<ToolSpecification>,
    /// One JSON object a line instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// Record everything the machine was told, for `agw replay`; holds the run's texts, but no token
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
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

/// `agw serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The session to play; without one, whoever pushes events drives
    pub(crate) script: Option<PathBuf>,
    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
}

/// `agw sim`.
#[derive(Debug, Args)]
pub(crate) struct SimArguments {
    /// Files, folders, patterns with `*`, `**` and `?`, or names of scripts that come with the program
    #[arg(required = true, value_name = "SCRIPT")]
    pub(crate) scripts: Vec<String>,
    /// What to show of each session
    #[arg(long, value_enum, default_value_t = TraceForm::Text, value_name = "FORM")]
    pub(crate) trace: TraceForm,
    /// The seed of everything left to chance, instead of the script's own
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Record what the machine was told, for `agw replay`; for one script
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
}

/// `agw campaign`.
#[derive(Debug, Args)]
pub(crate) struct CampaignArguments {
    /// How many sessions, over all shards [default: 20000, or without end if --time is given]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) runs: Option<u64>,
    /// How long at most: a number and its unit, such as 30s, 10m or 2h
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) time: Option<Millis>,
    /// The seed of all sessions: the same seed, the same sessions
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Play only this part of the sessions, for a campaign split over machines
    #[arg(long, value_name = "I/N", default_value_t = Shard { number: 1, count: 1 })]
    pub(crate) shard: Shard,
    /// How many threads play [default: one a core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// How many failures are enough
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) failures: u64,
    /// Where scripts that fail are written
    #[arg(long, value_name = "DIR", default_value = "agw-campaign")]
    pub(crate) out: PathBuf,
    /// One JSON object a line instead of text: each failure, then a summary
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to show of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceForm {
    /// A timeline: time, who, what, and what was done about it
    Text,
    /// One JSON object a line
    Json,
    /// Nothing but how it went
    None,
}

/// `agw machine`.
#[derive(Debug, Args)]
pub(crate) struct MachineArguments {
    /// The gateway of the run, unless a header says it
    #[arg(long, value_name = "URL")]
    pub(crate) gateway: Option<String>,
    /// The seed of the run's jitter, unless a header says it
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

/// `agw check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// How much may happen
    #[arg(long, value_enum, default_value_t = BudgetName::Default, value_name = "NAME")]
    pub(crate) budget: BudgetName,
    /// Give up after this time, such as 90s or 10m
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) time: Option<Millis>,
    /// How many threads explore [default: one for each core]
    #[arg(long, value_name = "COUNT")]
    pub(crate) threads: Option<NonZero<usize>>,
    /// Give up when this much memory is in use, roughly, in MiB
    #[arg(long, value_name = "MIB", default_value = "8192")]
    pub(crate) memory: NonZero<u64>,
    /// Write what was found as a script, for `agw sim`; without it the script is printed
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
    /// One JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// How much may happen in an exploration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BudgetName {
    /// One fault: seconds
    Small,
    /// Two faults: minutes
    Default,
    /// Three faults: hours, and much memory
    Large,
}

impl BudgetName {
    /// What it allows.
    pub(crate) fn find(self) -> Budget {
        match self {
            Self::Small => Budget::small(),
            Self::Default => Budget::medium(),
            Self::Large => Budget::large(),
        }
    }
}

/// `agw diagram`.
#[derive(Debug, Args)]
pub(crate) struct DiagramArguments {
    /// What to draw
    #[arg(long, value_enum, default_value_t = Drawn::Run, value_name = "WHAT")]
    pub(crate) of: Drawn,
    /// As what [default: svg for a file that ends in .svg, else mermaid]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(crate) format: Option<DiagramForm>,
    /// Also what happens in each state without moving it
    #[arg(long)]
    pub(crate) loops: bool,
    /// Write it there instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// What a diagram is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Drawn {
    /// The phases of a run
    Run,
    /// The status of its connection
    Connection,
    /// Its session: the seam, the token, and what is known of the end
    Session,
}

/// How a diagram is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiagramForm {
    /// Text of stateDiagram-v2
    Mermaid,
    /// A picture
    Svg,
}

/// `agw replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// The recording
    pub(crate) recording: PathBuf,
    /// One JSON object a line instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// Stop there: after N events, at a time such as 1500ms or 2.5s, or with the first event or effect of a name such as
    /// run_ended or send_frame.resume
    #[arg(long, value_name = "N|TIME|NAME")]
    pub(crate) until: Option<Until>,
    /// Wait for Enter after each event; q leaves
    #[arg(long, conflicts_with = "json")]
    pub(crate) step: bool,
}

/// `agw view`.
#[derive(Debug, Args)]
pub(crate) struct ViewArguments {
    /// The recording or trace, JSON lines; `-` is standard input
    pub(crate) file: PathBuf,
    /// Where to write the page; `-` is standard output [default: next to FILE, as .html]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[allow(clippy::unnecessary_wraps, reason = "the form of a value parser")]
fn token(text: &str) -> Result<Token, std::convert::Infallible> {
    Ok(Token::new(text))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_secret_is_in_what_the_arguments_print() {
        let arguments =
            Arguments::try_parse_from(["agw", "run", "--api-key", "sk-lh-secret", "hi"]).unwrap();
        assert!(!format!("{arguments:?}").contains("sk-lh-secret"));
    }
}

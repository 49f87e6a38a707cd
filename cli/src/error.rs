//! Everything that can end the program before or beside a run, each in one sentence.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use agent_gateway_adapters::{ClientError, Unwatched};
use agent_gateway_machine::ConfigError;
use agent_gateway_machine::recording::RecordingError;
use agent_gateway_protocol::GatewayUrlError;
use agent_gateway_sim::script::ScriptError;
use agent_gateway_sim::view::SessionError;
use thiserror::Error;

use crate::exit_code::ExitCode;

/// Why the program cannot do, or go on with, what was asked.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// A URL that cannot be used, and where it was given.
    #[error("{origin}: {error}")]
    Url {
        /// `--server`, or the environment's name of it.
        origin: &'static str,
        /// What is wrong with it.
        error: GatewayUrlError,
    },
    /// Something was given that only makes sense with a server.
    #[error("{what} needs a server: give --server or set LOBEHUB_SERVER")]
    ServerMissing {
        /// What was given.
        what: &'static str,
    },
    /// A tool's program is not there.
    #[error("--tool {name}: there is no program `{program}`")]
    ToolMissing {
        /// The tool.
        name: String,
        /// The program named for it.
        program: String,
    },
    /// A run could not begin.
    #[error("{}", placed(place.as_deref(), &error.to_string()))]
    Client {
        /// The server; none for the one inside this process.
        place: Option<String>,
        /// Why not.
        error: ClientError,
    },
    /// A config that cannot be used.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// A file that cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        error: io::Error,
    },
    /// A script that cannot be used; says the file and the place in it.
    #[error("{0}")]
    Script(#[from] ScriptError),
    /// Nothing by that name.
    #[error("{place}: no script there, and none of the library by that name{hint}")]
    NoScript {
        /// The name.
        place: String,
        /// Which one may be meant, if any.
        hint: String,
    },
    /// A folder without scripts.
    #[error("{0}: no script (`*.json`) in this folder")]
    NoScriptIn(String),
    /// A recording where a script is wanted.
    #[error("{0}: this is a recording, and no script; `agw replay` shows it")]
    RecordingNotScript(String),
    /// A script, or a trace, where a recording is wanted.
    #[error("{}: this is a {what}, and no recording; {instead}", path.display())]
    NotRecording {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// What is to be done with it.
        instead: &'static str,
    },
    /// More or less than one script where one recording is wanted.
    #[error("--record needs one script; {found} are named")]
    OneScript {
        /// How many there are.
        found: usize,
    },
    /// Something that is in the place of a folder.
    #[error("{}: not a folder", _0.display())]
    NoFolder(PathBuf),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What went wrong.
        error: io::Error,
    },
    /// A recording that cannot be used.
    #[error("{}:{}:{}: {error}", path.display(), error.place().0, error.place().1)]
    Recording {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: RecordingError,
    },
    /// A recording whose config this version does not accept.
    #[error("{}:1: the recording's config: {error}", path.display())]
    RecordedConfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ConfigError,
    },
    /// Something was asked for that needs a person at a terminal.
    #[error("{what} waits for a person: standard input must be a terminal")]
    NoTerminal {
        /// What was asked for.
        what: &'static str,
    },
    /// A recording or trace that cannot be shown.
    #[error("{}:{}:{}: {error}", path.display(), error.place().0, error.place().1)]
    Session {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: SessionError,
    },
    /// A file that is not ours to replace.
    #[error("{} is there already{}; name another file with {option}", path.display(), no(*ours))]
    WouldReplace {
        /// The file.
        path: PathBuf,
        /// What would be replaced, if anything is.
        ours: Option<&'static str>,
        /// Where another file is named.
        option: &'static str,
    },
    /// A file that is to be read and is not text.
    #[error("{}:{line}:{column}: this is not text in UTF-8", path.display())]
    NoText {
        /// The file.
        path: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// The character in that line, counted from 1.
        column: usize,
    },
    /// A run that is followed no further.
    #[error("{0}")]
    Unwatched(Unwatched),
    /// Standard input cannot be read.
    #[error("standard input: {0}")]
    Input(io::Error),
    /// What standard input holds cannot be said to an agent.
    #[error("standard input: {0}")]
    Prompt(String),
    /// There is nothing to say to an agent.
    #[error(
        "the prompt is empty: say what the agent is to do, or - to read it from standard input"
    )]
    NoPrompt,
    /// A run cannot be watched without its topic, nor without a credential.
    #[error(
        "attach needs --topic, by which the server gives a token, or a credential of the gateway's own: --api-key or --token, or \
         LOBEHUB_JWT or LOBEHUB_CLI_API_KEY"
    )]
    NoWayIn,
    /// Standard output cannot be written to.
    #[error("standard output: {0}")]
    Output(io::Error),
    /// The program cannot be set up.
    #[error("{what}: {error}")]
    Setup {
        /// What could not be had.
        what: &'static str,
        /// What went wrong.
        error: io::Error,
    },
}

impl Error {
    /// What to leave with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Url { .. }
            | Self::ServerMissing { .. }
            | Self::ToolMissing { .. }
            | Self::Config(_)
            | Self::File { .. }
            | Self::Script(_)
            | Self::NoScript { .. }
            | Self::NoScriptIn(_)
            | Self::RecordingNotScript(_)
            | Self::NotRecording { .. }
            | Self::OneScript { .. }
            | Self::NoFolder(_)
            | Self::Listen { .. }
            | Self::NoTerminal { .. }
            | Self::Recording { .. }
            | Self::RecordedConfig { .. }
            | Self::Session { .. }
            | Self::NoText { .. }
            | Self::Prompt(_)
            | Self::NoPrompt
            | Self::NoWayIn
            | Self::WouldReplace { .. } => ExitCode::Usage,
            Self::Client { error, .. } => match error {
                ClientError::GatewayUnknown(failure) => ExitCode::of_request(failure),
                ClientError::Owned(_) => ExitCode::Superseded,
                ClientError::NoServer
                | ClientError::NoCredential
                | ClientError::InsecureServer(_)
                | ClientError::Config(_)
                | ClientError::Tls(_)
                | ClientError::Http(_)
                | ClientError::Proxy(_)
                | ClientError::Header(_)
                | ClientError::Observer(_) => ExitCode::Usage,
                // A gateway that cannot be used, or is not to be.
                _ => ExitCode::Failed,
            },
            // Whoever read our output has seen enough: nothing has failed.
            Self::Output(_) if self.is_broken_pipe() => ExitCode::Stopped,
            Self::Unwatched(_) | Self::Input(_) | Self::Output(_) | Self::Setup { .. } => {
                ExitCode::Failed
            }
        }
    }

    /// Whether whoever read our output has left: nobody to tell anything.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn no(ours: Option<&str>) -> String {
    ours.map_or_else(String::new, |ours| format!(" and is no {ours}"))
}

/// The sentence with the place in front, unless it names it.
pub(crate) fn placed(place: Option<&str>, sentence: &str) -> String {
    match place {
        Some(place) if !sentence.contains(place) => format!("{place}: {sentence}"),
        _ => sentence.to_owned(),
    }
}

use clap::Args;

use super::{RemoteArguments, ShownArguments};

pub(super) const HELP: &str = "\
Example:
  agw attach op_1783756800000_agt_4kQm2_tpc_9fWbz_Zx81LmQa --topic tpc_9fWbz

A watcher leaves the run's tool calls to others, unless --tool is given, and is asked what the run asks as by `agw run`. Ctrl-C stops the watching, not the run.
The environment is that of `agw run`.";

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

use clap::Args;

pub(super) const HELP: &str = "\
Each line in is one event, {\"at\":<ms>,\"kind\":…}, or a frame as it came from the socket, \
{\"at\":<ms>,\"frame_text\":{\"dial\":…,\"text\":…}}, or a step of a recording, {\"event\":…,\"effects\":…}, of which only the \
event is read. The first may be a recording's header {\"version\":3,\"config\":{…},\"seed\":…} instead.

Each line out answers one event:
  {\"effects\":[…],\"wire\":[…],\"phase\":…,\"status\":…,\"operation\":…,\"outcome\":…}
where `wire` has the frames of the effects as text. A bad line is answered with {\"error\":…} and changes nothing. \
docs/machine.md has the whole form and an example session.

Example:
  echo '{\"at\":0,\"kind\":\"stop\"}' | agw machine --gateway http://127.0.0.1:8787";

/// `agw machine`.
#[derive(Debug, Args)]
pub(crate) struct MachineArguments {
    /// The gateway of the run, unless a header says it
    #[arg(long, value_name = "URL")]
    pub(crate) gateway: Option<String>,
    /// The seed of the run's jitter, unless a header says it
    #[arg(long, default_value_t = 0, value_parser = super::seed)]
    pub(crate) seed: u64,
}

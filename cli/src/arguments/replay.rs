use std::path::PathBuf;

use clap::Args;

use crate::replay::Until;

pub(super) const HELP: &str = "\
A recording holds what the machine was told and what it answered. If the machine of today answers otherwise, that is said \
first, on standard error, with the event and the line, and the program leaves with 1. A recording that breaks off in its \
last line is replayed up to there.

Examples:
  agw run --record run.jsonl \"Hello\" && agw replay run.jsonl
  agw replay run.jsonl --until run_ended
  zcat run.jsonl.gz | agw replay -
  agw replay run.jsonl --step --until 30s
  agw replay run.jsonl --json | jq 'select(.recorded)'
      the events that are answered otherwise";

/// `agw replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// The recording; `-` is standard input
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

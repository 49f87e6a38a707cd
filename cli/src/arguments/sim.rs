use std::path::PathBuf;

use agent_gateway_machine::Millis;
use agent_gateway_sim::world::MOST_EVENTS;
use clap::{Args, ValueEnum};

use crate::duration;

pub(super) const HELP: &str = "\
Leaves with 1 if something expected did not come, or an invariant was broken. Same script and seed: same bytes.

Examples:
  agw sim good_run
  agw sim sim/scripts --trace none
  agw sim my-session.json --seed 7 --record my-session.jsonl && agw replay my-session.jsonl";

/// `agw sim`.
#[derive(Debug, Args)]
pub(crate) struct SimArguments {
    /// Files, folders, patterns with `*`, `**` and `?`, `-` for standard input, or names of scripts that come with the
    /// program
    #[arg(required = true, value_name = "SCRIPT")]
    pub(crate) scripts: Vec<String>,
    /// What to show of each session
    #[arg(long, value_enum, default_value_t = TraceForm::Text, value_name = "FORM")]
    pub(crate) trace: TraceForm,
    /// The seed of everything left to chance, instead of the script's own
    #[arg(long, value_parser = super::seed)]
    pub(crate) seed: Option<u64>,
    /// Give a session up that is not over after so much of its own time
    #[arg(long, value_name = "TIME", value_parser = duration::parse, default_value = "4h")]
    pub(crate) longest: Millis,
    /// Give a session up in which more than so many things happen
    #[arg(long, value_name = "EVENTS", default_value_t = MOST_EVENTS)]
    pub(crate) most_events: u64,
    /// Record what the machine was told, for `agw replay`; for one script. Replaces nothing but another recording
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
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

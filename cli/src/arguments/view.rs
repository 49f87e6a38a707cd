use std::path::PathBuf;

use clap::Args;

pub(super) const HELP: &str = "\
Examples:
  agw run --record run.jsonl \"Hello\" && agw view run.jsonl
      writes run.html: lanes for caller, machine, gateway, API and timers,
      what caused what, the rules, and what each step changed in the state;
      `?` on the page lists its keys
  agw sim cut_and_resumed --trace json | agw view - -o cut.html
      a trace has no header, so its page has no states and no rules; a recording has both

A page made by an earlier `agw view` is replaced, and the command says so; another file is only replaced if --output \
names it. The page holds the session's texts, as the recording does, but no token.";

/// `agw view`.
#[derive(Debug, Args)]
pub(crate) struct ViewArguments {
    /// The recording or trace, JSON lines; `-` is standard input
    pub(crate) file: PathBuf,
    /// Where to write the page; `-` is standard output [default: next to FILE, as .html]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

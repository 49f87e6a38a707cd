//! The command line, and the words that explain it: one file a command.

mod attach;
mod campaign;
mod check;
mod diagram;
mod machine;
mod replay;
mod run;
mod serve;
mod sim;
mod view;

use std::num::{NonZeroU64, NonZeroUsize};

use clap::{Parser, Subcommand};

pub(crate) use attach::AttachArguments;
pub(crate) use campaign::CampaignArguments;
pub(crate) use check::CheckArguments;
pub(crate) use diagram::{DiagramArguments, DiagramForm, Drawn};
pub(crate) use machine::MachineArguments;
pub(crate) use replay::ReplayArguments;
pub(crate) use run::{RemoteArguments, RunArguments, ShownArguments};
pub(crate) use serve::ServeArguments;
pub(crate) use sim::{SimArguments, TraceForm};
pub(crate) use view::ViewArguments;

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
  130  stopped or interrupted, confirmed or not; or left, by Ctrl-C or by whoever read the output

Log lines go to standard error with --verbose, or as AGW_LOG says (such as AGW_LOG=debug).";

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
    #[command(after_help = run::HELP)]
    Run(Box<RunArguments>),
    /// Watch a run that is already going, until its end
    #[command(after_help = attach::HELP)]
    Attach(Box<AttachArguments>),
    /// Serve a gateway and an API for any client, until Ctrl-C
    #[command(after_help = serve::HELP)]
    Serve(ServeArguments),
    /// Play scripts in virtual time against the real machine, without a socket
    #[command(after_help = sim::HELP)]
    Sim(SimArguments),
    /// Play random sessions with random faults, and look for one that breaks the machine
    #[command(after_help = campaign::HELP)]
    Campaign(CampaignArguments),
    /// The pure machine on standard input and output: events in, effects out, one JSON object a line
    #[command(after_help = machine::HELP)]
    Machine(MachineArguments),
    /// Explore every interleaving within a budget, and look at every invariant in each
    #[command(after_help = check::HELP)]
    Check(CheckArguments),
    /// Draw the states of a run from what the machine really does
    #[command(after_help = diagram::HELP)]
    Diagram(DiagramArguments),
    /// Feed a recording to the machine and show every event, effect and state
    #[command(after_help = replay::HELP)]
    Replay(ReplayArguments),
    /// Make a recording or a trace one page to look at: it opens from disk, and loads nothing
    #[command(after_help = view::HELP)]
    View(ViewArguments),
}

/// More would only wait for each other.
const MOST_THREADS: usize = 1024;

/// How many threads work.
fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let threads = text.parse().ok();
    threads
        .filter(|threads: &NonZeroUsize| threads.get() <= MOST_THREADS)
        .ok_or_else(|| format!("threads are a whole number from 1 to {MOST_THREADS}"))
}

/// A number of something of which none would make no sense.
fn at_least_one(text: &str) -> Result<NonZeroU64, &'static str> {
    text.parse()
        .map_err(|_| "a whole number, 1 or more, is wanted")
}

fn seed(text: &str) -> Result<u64, String> {
    let most = u64::MAX;
    text.parse()
        .map_err(|_| format!("a seed is a whole number from 0 to {most}"))
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

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use agent_gateway_machine::Millis;
use agent_gateway_sim::explore::Budget;
use clap::{Args, ValueEnum};

use crate::duration;

pub(super) const HELP: &str = "\
Explores every order in which what may happen can happen: frames and answers late and early, sockets cut or silent, \
tokens that run out, requests lost, the gateway's buffer gone, the caller stopping and leaving at any point. Every \
invariant is looked at in every step, and from every state an end must be within reach. docs/check.md has what exactly.

Leaves with 0 if everything was explored and nothing found, with 1 if something was found, with 8 if time or memory was \
over before that.

Examples:
  agw check
  agw check --budget large --time 2h --memory 16000
  agw check --script found.json || agw sim found.json";

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
    #[arg(long, value_name = "COUNT", value_parser = super::threads)]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Give up when this much memory is in use, roughly, in MiB
    #[arg(long, value_name = "MIB", default_value = "8192", value_parser = super::at_least_one)]
    pub(crate) memory: NonZeroU64,
    /// Write what was found as a script, for `agw sim`, into a new file; without it the script is printed
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

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use agent_gateway_machine::Millis;
use clap::Args;

use crate::campaign::Shard;
use crate::duration;

pub(super) const HELP: &str = "\
Each session is random: what the server says, what breaks, what the user does. Every invariant is looked at after every \
step, and at the end, after the faults, that the run is over, that nothing was lost without a gap, and that no tool call had \
two results. A session that fails is made small, and written as a script together with the command that repeats it. The \
summary says what all sessions together have shown, and what was never seen.

Leaves with 1 if a session failed, and with 130 if it was ended by Ctrl-C before that; what was found by then is told. A \
second Ctrl-C leaves at once.

Examples:
  agw campaign
  agw campaign --time 10m --seed $RANDOM --out findings
  agw campaign --runs 1000000 --shard $SLURM_ARRAY_TASK_ID/64
  agw campaign --json | jq 'select(.kind == \"summary\").never'";

/// `agw campaign`.
#[derive(Debug, Args)]
pub(crate) struct CampaignArguments {
    /// How many sessions, over all shards [default: 20000, or without end if --time is given]
    #[arg(long, value_name = "N", value_parser = super::at_least_one)]
    pub(crate) runs: Option<NonZeroU64>,
    /// How long at most: a number and its unit, such as 30s, 10m or 2h
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(crate) time: Option<Millis>,
    /// The seed of all sessions: the same seed, the same sessions
    #[arg(long, default_value_t = 1, value_parser = super::seed)]
    pub(crate) seed: u64,
    /// Play only this part of the sessions, for a campaign split over machines
    #[arg(long, value_name = "I/N", default_value_t = Shard { number: 1, count: 1 })]
    pub(crate) shard: Shard,
    /// How many threads play [default: one a core]
    #[arg(long, value_name = "N", value_parser = super::threads)]
    pub(crate) threads: Option<NonZeroUsize>,
    /// How many failures are enough
    #[arg(long, value_name = "N", default_value = "1", value_parser = super::at_least_one)]
    pub(crate) failures: NonZeroU64,
    /// Where scripts that fail are written
    #[arg(long, value_name = "DIR", default_value = "agw-campaign")]
    pub(crate) out: PathBuf,
    /// One JSON object a line instead of text: each failure, then a summary
    #[arg(long)]
    pub(crate) json: bool,
}

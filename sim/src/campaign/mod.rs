//! Campaigns: random scripts with random faults, each judged by every invariant and by what must be true at the end.
//!
//! ```text
//!   seed, number ──▶ random_script ──▶ World ──▶ judge ──▶ coverage
//!                                                  └─ failure ──▶ shrink ──▶ a small script that fails the same way
//! ```
//! A random script has two phases: one with faults, then one without, in which the server is fair and the run ends on
//! it. A run that has not ended three virtual minutes later has lost its liveness (I16).
//!
//! Every session follows from the campaign's seed and the session's number alone, so a failure is repeated by naming
//! the two, and any split of the numbers over machines finds the same ones.

mod coverage;
mod crowd;
mod dice;
mod judge;
mod shrink;

pub use coverage::{Coverage, Kind};
pub use crowd::{Campaign, CampaignReport, Progress};
pub use dice::{calm_script, random_script};
pub use judge::{Failure, check, check_recording, judge, judge_in};
#[cfg(feature = "proptest")]
pub(crate) use shrink::Shrinking;
pub use shrink::{Finding, shrink};

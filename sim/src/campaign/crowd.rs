use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::{Coverage, Failure, judge, random_script};
use crate::random::scramble;
use crate::script::Script;

/// Which sessions to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// The seed of all of them.
    pub seed: u64,
    /// How many there are, over all shards.
    pub sessions: u64,
    /// Which shard this is, from 0.
    pub shard: u64,
    /// How many shards there are; at least 1.
    pub shards: u64,
    /// How many failures are enough.
    pub most_failures: usize,
}

/// How far a campaign is; may be read at any time from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    played: AtomicU64,
    failed: AtomicU64,
    stopped: AtomicBool,
}

/// What a campaign has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CampaignReport {
    /// The seeds of the scripts that failed, in the order of the sessions, and how: as many as are enough, and the same on
    /// any number of threads.
    pub failures: Vec<(u64, Failure)>,
    /// What all sessions together have shown.
    pub coverage: Coverage,
}

/// Plays a script, and says what does not hold.
trait Judge: Fn(&Script, &mut Coverage) -> Result<(), Failure> + Sync {}

impl<J: Fn(&Script, &mut Coverage) -> Result<(), Failure> + Sync> Judge for J {}

/// What one thread has found: which sessions failed, by number.
#[derive(Default)]
struct Found {
    failures: Vec<(u64, Failure)>,
    coverage: Coverage,
}

impl Campaign {
    /// So many sessions from this seed, all of them here.
    #[must_use]
    pub fn new(seed: u64, sessions: u64) -> Self {
        Self {
            seed,
            sessions,
            shard: 0,
            shards: 1,
            most_failures: 1,
        }
    }

    /// How many sessions this shard has.
    #[must_use]
    pub fn share(&self) -> u64 {
        let others = self.sessions.saturating_sub(self.shard);
        others.div_ceil(self.shards.max(1))
    }

    /// The seed of the script of session `number`: `random_script` of it is that session.
    #[must_use]
    pub fn script_seed(&self, number: u64) -> u64 {
        scramble(self.seed ^ scramble(number))
    }

    /// Plays the sessions of this shard on that many threads, or as many as can be had, until they are all played, enough
    /// have failed, or `progress` is told to stop.
    ///
    /// # Panics
    /// The campaign itself has a bug. A session that panics is a failure like any other.
    #[must_use]
    pub fn run(&self, threads: usize, progress: &Progress) -> CampaignReport {
        self.run_by(judge, threads, progress)
    }

    fn run_by<J: Judge>(&self, judge: J, threads: usize, progress: &Progress) -> CampaignReport {
        let next = AtomicU64::new(self.shard);
        let mut coverage = Coverage::default();
        let mut failures = Vec::new();
        let workers: Vec<Found> = thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .map_while(|_| {
                    let work = || self.work(&judge, &next, progress);
                    thread::Builder::new().spawn_scoped(scope, work).ok()
                })
                .collect();
            let own = self.work(&judge, &next, progress);
            others
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .chain([own])
                .collect()
        });
        for worker in workers {
            coverage.add(&worker.coverage);
            failures.extend(worker.failures);
        }
        // Sessions are taken up in order, and each that is taken up is played: before the last one that is enough there is
        // none that failed unseen. Threads that were at a later one by then may have found more.
        failures.sort_by_key(|(number, _)| *number);
        failures.truncate(self.most_failures);
        let failures = failures.into_iter();
        CampaignReport {
            failures: failures
                .map(|(number, failure)| (self.script_seed(number), failure))
                .collect(),
            coverage,
        }
    }

    fn work(&self, judge: &impl Judge, next: &AtomicU64, progress: &Progress) -> Found {
        let mut found = Found::default();
        loop {
            let number = next.fetch_add(self.shards.max(1), Ordering::Relaxed);
            let enough = progress.failed() >= self.most_failures as u64;
            if number >= self.sessions || enough || progress.is_stopped() {
                return found;
            }
            let script = random_script(self.script_seed(number));
            if let Err(failure) = judge(&script, &mut found.coverage) {
                progress.failed.fetch_add(1, Ordering::Relaxed);
                found.failures.push((number, failure));
            }
            progress.played.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Progress {
    /// Sessions played so far.
    #[must_use]
    pub fn played(&self) -> u64 {
        self.played.load(Ordering::Relaxed)
    }

    /// Sessions that failed so far.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Ends the campaign after the sessions that are being played.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn i15_the_failures_are_the_same_on_any_number_of_threads() {
        let campaign = Campaign {
            most_failures: 3,
            ..Campaign::new(5, 200)
        };
        // Every seventh session fails, and the sooner the later it is.
        let judge = |script: &Script, _: &mut Coverage| {
            let number = (0..campaign.sessions)
                .find(|number| campaign.script_seed(*number) == script.seed)
                .expect("it is of this campaign");
            (0..1_000 - number * 5).for_each(|_| thread::yield_now());
            let failure = Failure {
                invariant: "I0".into(),
                what: number.to_string(),
            };
            if number % 7 == 6 {
                Err(failure)
            } else {
                Ok(())
            }
        };
        for threads in [1, 2, 5] {
            let report = campaign.run_by(judge, threads, &Progress::default());
            let failures = report.failures.iter();
            let numbers: Vec<&str> = failures.map(|(_, failure)| &*failure.what).collect();
            assert_eq!(numbers, ["6", "13", "20"], "on {threads} threads");
            assert_eq!(report.failures[0].0, campaign.script_seed(6));
        }
    }
}

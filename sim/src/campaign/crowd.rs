use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::{Coverage, Failure, judge, random_script};
use crate::random::scramble;

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
    /// The seeds of the scripts that failed, in order, and how.
    pub failures: Vec<(u64, Failure)>,
    /// What all sessions together have shown.
    pub coverage: Coverage,
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

    /// Plays the sessions of this shard on that many threads, until they are all played, enough have failed, or
    /// `progress` is told to stop.
    ///
    /// # Panics
    /// The campaign itself has a bug. A session that panics is a failure like any other.
    #[must_use]
    pub fn run(&self, threads: usize, progress: &Progress) -> CampaignReport {
        let next = AtomicU64::new(self.shard);
        let mut report = CampaignReport::default();
        let workers: Vec<CampaignReport> = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.max(1))
                .map(|_| scope.spawn(|| self.work(&next, progress)))
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        for worker in workers {
            report.coverage.add(&worker.coverage);
            report.failures.extend(worker.failures);
        }
        report.failures.sort_by_key(|(seed, _)| *seed);
        report
    }

    fn work(&self, next: &AtomicU64, progress: &Progress) -> CampaignReport {
        let mut report = CampaignReport::default();
        loop {
            let number = next.fetch_add(self.shards.max(1), Ordering::Relaxed);
            let enough = progress.failed() >= self.most_failures as u64;
            if number >= self.sessions || enough || progress.is_stopped() {
                return report;
            }
            let seed = self.script_seed(number);
            if let Err(failure) = judge(&random_script(seed), &mut report.coverage) {
                progress.failed.fetch_add(1, Ordering::Relaxed);
                report.failures.push((seed, failure));
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

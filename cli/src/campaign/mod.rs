//! `agw campaign`: random sessions with random faults on all cores, each looked at from all sides; what fails is made
//! small and written down with the command that repeats it.

mod findings;
mod folder;
mod progress;
mod shard;
mod summary;

use std::io::Write;
use std::num::NonZero;
use std::panic;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use agent_gateway_sim::campaign::{Campaign, CampaignReport, Progress};
use tokio::task::JoinError;
use tokio::time::Instant;

use crate::arguments::CampaignArguments;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::signals::Signals;

use folder::Folder;
use progress::Bar;
use summary::Summary;

pub(crate) use shard::Shard;

/// Runs without `--runs` and without `--time`.
const RUNS: u64 = 20_000;

/// How often the bar is drawn, and the time looked at.
const TICK: Duration = Duration::from_millis(100);

/// Plays the campaign, and tells on `output` what was found.
///
/// # Errors
/// The folder for findings cannot be used, or the output fails.
pub(crate) async fn run(
    arguments: CampaignArguments,
    mut output: impl Write,
) -> Result<ExitCode, Error> {
    // What cannot be written is not found out after hours of work.
    let _folder = Folder::new(&arguments.out)?;
    let cores = || thread::available_parallelism().ok();
    let threads = arguments.threads.or_else(cores).map_or(1, NonZero::get);
    let time = arguments.time.map(|time| Duration::from_millis(time.0));
    let campaign = campaign(&arguments);
    let mut signals = Signals::new()?;
    // A session that panics is a finding, which says the text; a hundred smaller ones follow.
    panic::set_hook(Box::new(|_| {}));
    let started = Instant::now();
    let Some((report, is_interrupted)) = play(campaign, threads, time, &mut signals).await? else {
        return Ok(ExitCode::Stopped);
    };
    let took = started.elapsed();
    let mut findings = Vec::new();
    for (seed, failure) in &report.failures {
        let Some(finding) = findings::shrink(*seed, failure, &mut signals).await? else {
            return Ok(ExitCode::Stopped);
        };
        let finding = findings::write(*seed, &finding, &arguments.out)?;
        finding
            .show(arguments.json, &mut output)
            .map_err(Error::Output)?;
        findings.push(finding);
    }
    let summary = Summary {
        campaign: &campaign,
        coverage: &report.coverage,
        failures: findings.len(),
        is_interrupted,
        took,
    };
    summary
        .show(arguments.json, &mut output)
        .and_then(|()| output.flush())
        .map_err(Error::Output)?;
    Ok(if !findings.is_empty() {
        ExitCode::Failed
    } else if is_interrupted {
        ExitCode::Stopped
    } else {
        ExitCode::Completed
    })
}

fn campaign(arguments: &CampaignArguments) -> Campaign {
    let endless = arguments.time.is_some().then_some(u64::MAX);
    let runs = arguments.runs.map(NonZero::get);
    let runs = runs.or(endless).unwrap_or(RUNS);
    let Shard { number, count } = arguments.shard;
    Campaign {
        shard: number - 1,
        shards: count,
        most_failures: usize::try_from(arguments.failures.get()).unwrap_or(usize::MAX),
        ..Campaign::new(arguments.seed, runs)
    }
}

/// Plays until all is played, the time is over, or a signal comes; whether one came. `None`: a second one.
async fn play(
    campaign: Campaign,
    threads: usize,
    time: Option<Duration>,
    signals: &mut Signals,
) -> Result<Option<(CampaignReport, bool)>, Error> {
    let progress = Arc::new(Progress::default());
    let bar = Bar::new(&campaign, threads, time);
    let workers = Arc::clone(&progress);
    let mut playing = tokio::task::spawn_blocking(move || campaign.run(threads, &workers));
    let started = Instant::now();
    let mut ticks = tokio::time::interval(TICK);
    let mut is_interrupted = false;
    loop {
        tokio::select! {
            report = &mut playing => {
                bar.finish();
                return Ok(Some((report.map_err(broken)?, is_interrupted)));
            }
            _ = signals.next() => {
                if is_interrupted {
                    bar.finish();
                    return Ok(None);
                }
                is_interrupted = true;
                progress.stop();
            }
            _ = ticks.tick() => {
                bar.show(progress.played(), progress.failed());
                if time.is_some_and(|time| started.elapsed() >= time) {
                    progress.stop();
                }
            }
        }
    }
}

/// A bug in the campaign itself has ended its task; a session that panics is a failure like any other.
fn broken(error: JoinError) -> Error {
    Error::Setup {
        what: "the campaign broke off",
        error: error.into(),
    }
}

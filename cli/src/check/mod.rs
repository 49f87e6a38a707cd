//! `agw check`: every interleaving within a budget, not some of them. What must never be and is found is told with a
//! shortest way there, as a script that `agw sim` plays.

mod bar;
mod summary;

use std::fs;
use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use agent_gateway_sim::explore::{self, Coverage, Progress, Report, Wish};
use tokio::time::Instant;

use crate::arguments::CheckArguments;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::replace::spare;
use crate::signals::Signals;

use bar::Bar;
use summary::Summary;

/// How often progress is shown, and the time looked at.
const TICK: Duration = Duration::from_millis(100);

/// Why an exploration ended before everything was explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Time,
    Memory,
    Signal,
}

/// What the exploration and whoever watches it tell each other.
#[derive(Default)]
struct Watched {
    progress: Mutex<Option<Progress>>,
    /// 0: go on; else why to stop.
    cut: AtomicU8,
}

/// Explores a budget, and tells on `output` what was found.
///
/// # Errors
/// The script cannot be written, or the output fails.
pub(crate) async fn run(
    arguments: CheckArguments,
    mut output: impl Write,
) -> Result<ExitCode, Error> {
    if let Some(path) = &arguments.script {
        check_folder(path)?;
        spare(path, "--script")?;
    }
    let cores = || thread::available_parallelism().ok();
    let threads = arguments.threads.or_else(cores).map_or(1, NonZero::get);
    let memory = arguments.memory.get() << 20;
    let budget = Arc::new(arguments.budget.find());
    let watched = Arc::new(Watched::default());
    let mut signals = Signals::new()?;
    let started = Instant::now();
    let mut exploring = {
        let (budget, watched) = (Arc::clone(&budget), Arc::clone(&watched));
        tokio::task::spawn_blocking(move || {
            let mut surveyors = vec![Coverage::default(); threads];
            let mut watch = |progress: &Progress| watched.look(progress, memory);
            let machine = explore::machine();
            let report = explore::explore(&budget, &machine, &mut surveyors, &mut watch);
            (report, Coverage::of_all(&surveyors))
        })
    };
    let mut ticks = tokio::time::interval(TICK);
    let bar = Bar::new();
    let done = loop {
        tokio::select! {
            done = &mut exploring => break done,
            _ = signals.next() => {
                if watched.cut() == Some(Cut::Signal) {
                    return Ok(ExitCode::Stopped);
                }
                watched.stop(Cut::Signal);
            }
            _ = ticks.tick() => {
                bar.show(watched.progress(), started.elapsed());
                let is_over = |time: agent_gateway_machine::Millis| {
                    started.elapsed() >= Duration::from_millis(time.0)
                };
                if arguments.time.is_some_and(is_over) {
                    watched.stop(Cut::Time);
                }
            }
        }
    };
    bar.finish();
    let (report, coverage) = done.map_err(|error| Error::Setup {
        what: "the exploration came to an end by itself",
        error: error.into(),
    })?;
    // Where it cannot be written it is shown: finding it may have taken hours.
    let written = write_script(&arguments, &report);
    let summary = Summary {
        budget: &budget,
        report: &report,
        coverage: &coverage,
        cut: watched.cut(),
        took: started.elapsed(),
        threads,
        script: arguments.script.as_deref().filter(|_| written.is_ok()),
    };
    summary
        .show(arguments.json, &mut output)
        .and_then(|()| output.flush())
        .map_err(Error::Output)?;
    written?;
    Ok(match (&report.found, watched.cut()) {
        (Some(_), _) => ExitCode::Failed,
        (None, Some(Cut::Signal)) => ExitCode::Stopped,
        (None, _) if !report.explored.is_closed => ExitCode::Unfinished,
        (None, _) => ExitCode::Completed,
    })
}

/// A folder that is not there is better told now than when something is found.
fn check_folder(path: &Path) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => return Ok(()),
    };
    let looked = fs::metadata(folder).map_err(|error| Error::File {
        path: folder.to_owned(),
        error,
    })?;
    if looked.is_dir() {
        Ok(())
    } else {
        Err(Error::NoFolder(folder.to_owned()))
    }
}

fn write_script(arguments: &CheckArguments, report: &Report) -> Result<(), Error> {
    let (Some(path), Some(found)) = (&arguments.script, &report.found) else {
        return Ok(());
    };
    fs::write(path, found.script.to_text()).map_err(|error| Error::File {
        path: path.clone(),
        error,
    })
}

impl Watched {
    /// The exploration shows how far it is, and asks whether to go on.
    fn look(&self, progress: &Progress, memory: u64) -> Wish {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(*progress);
        if progress.memory > memory {
            self.stop(Cut::Memory);
        }
        match self.cut() {
            None => Wish::GoOn,
            Some(_) => Wish::Stop,
        }
    }

    fn progress(&self) -> Option<Progress> {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self, why: Cut) {
        self.cut.store(why as u8 + 1, Ordering::Relaxed);
    }

    fn cut(&self) -> Option<Cut> {
        [Cut::Time, Cut::Memory, Cut::Signal]
            .into_iter()
            .find(|cut| *cut as u8 + 1 == self.cut.load(Ordering::Relaxed))
    }
}

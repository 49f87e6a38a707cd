//! A session that failed: made small, written as a script, told with the command that repeats it.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use agent_gateway_sim::campaign::{self, Coverage, Failure, Finding, judge, random_script};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::complaint::complain;
use crate::error::Error;
use crate::render::{plain, write_json};
use crate::signals::Signals;

const BAD: Style = AnsiColor::Red.on_default();

/// A failure and the script that shows it.
#[derive(Serialize)]
pub(super) struct Written {
    kind: &'static str,
    invariant: String,
    what: String,
    script: PathBuf,
    repeat: String,
}

/// Makes the session of this seed smaller, until a signal comes; the smallest so far then. `None`: a second signal.
///
/// # Errors
/// The campaign itself broke off.
pub(super) async fn shrink(
    seed: u64,
    failure: &Failure,
    signals: &mut Signals,
) -> Result<Option<Finding>, Error> {
    complain(format_args!(
        "agw: a session breaks {failure}; looking for a smaller one"
    ));
    let stopped = Arc::new(AtomicBool::new(false));
    let (failure, stop) = (failure.clone(), Arc::clone(&stopped));
    let mut shrinking = tokio::task::spawn_blocking(move || {
        campaign::shrink(&random_script(seed), &failure, |script| {
            let is_stopped = stop.load(Ordering::Relaxed);
            let judge = || judge(script, &mut Coverage::default()).err();
            if is_stopped { None } else { judge() }
        })
    });
    loop {
        tokio::select! {
            finding = &mut shrinking => return finding.map(Some).map_err(super::broken),
            _ = signals.next() => {
                if stopped.swap(true, Ordering::Relaxed) {
                    return Ok(None);
                }
            }
        }
    }
}

/// Writes the script of a finding into `folder`.
///
/// # Errors
/// The folder or the file cannot be written.
pub(super) fn write(seed: u64, finding: &Finding, folder: &Path) -> Result<Written, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| Error::File { path, error }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let Failure { invariant, what } = &finding.failure;
    let script = folder.join(format!("{invariant}-{seed:016x}.json"));
    fs::write(&script, finding.script.to_text()).map_err(failed(&script))?;
    let path = script.display().to_string();
    let repeat = format!("agw sim {}", shell_words::quote(&path));
    Ok(Written {
        kind: "failure",
        invariant: invariant.clone(),
        what: what.clone(),
        script,
        repeat,
    })
}

impl Written {
    pub(super) fn show(&self, as_json: bool, output: &mut impl Write) -> io::Result<()> {
        if as_json {
            return write_json(self, output);
        }
        let (invariant, what) = (&self.invariant, plain(&self.what));
        writeln!(output, "{BAD}✗ {invariant}{BAD:#}: {what}")?;
        writeln!(output, "  to repeat it: {}", self.repeat)
    }
}

#[cfg(test)]
mod tests {
    use agent_gateway_sim::script::Script;

    use super::*;

    #[test]
    fn a_finding_is_written_as_a_script_and_told_with_its_command() {
        let failure = Failure {
            invariant: "I16".into(),
            what: "the run never ends".into(),
        };
        let finding = campaign::shrink(&random_script(7), &failure, |_| Some(failure.clone()));
        let folder = std::env::temp_dir().join(format!("agw findings {}", std::process::id()));
        let written = write(7, &finding, &folder).unwrap();
        let text = fs::read_to_string(&written.script).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(Script::parse("finding", &text).unwrap(), finding.script);
        assert!(finding.script.expect.fair);

        let mut shown = Vec::new();
        written.show(false, &mut shown).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains("the run never ends"), "{shown}");
        let path = written.script.display();
        let command = format!("to repeat it: agw sim '{path}'");
        assert!(shown.contains(&command), "{shown}");

        let mut shown = Vec::new();
        written.show(true, &mut shown).unwrap();
        let line: serde_json::Value = serde_json::from_slice(&shown).unwrap();
        assert_eq!(line["kind"], "failure");
        assert_eq!(line["invariant"], "I16");
    }
}

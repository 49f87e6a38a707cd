//! `agw sim`: scripts played in virtual time.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use agent_gateway_machine::Timestamp;
use agent_gateway_machine::recording::{Recording, Step};
use agent_gateway_sim::campaign;
use agent_gateway_sim::script::Script;
use agent_gateway_sim::trace::{Trace, step_text};
use agent_gateway_sim::world::{Played, World};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::arguments::{SimArguments, TraceForm};
use crate::count::count;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::render::{escaped, plain, span, write_json};
use crate::replace::spare_all_but_recordings;
use crate::script::{self, Named};

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();

/// How a session went, the last line of each with `--trace json`.
#[derive(Serialize)]
struct Verdict<'a> {
    script: &'a str,
    seed: u64,
    events: u64,
    outcome: Option<&'static str>,
    ended_at: Option<Timestamp>,
    failures: &'a [String],
}

/// Plays every script, after all of them have been read.
///
/// # Errors
/// A script cannot be used, or the output fails.
pub(crate) fn run(arguments: &SimArguments, mut output: impl Write) -> Result<ExitCode, Error> {
    let scripts = script::find_all(&arguments.scripts)?;
    if arguments.record.is_some() && scripts.len() != 1 {
        return Err(Error::OneScript {
            found: scripts.len(),
        });
    }
    if let Some(path) = &arguments.record {
        spare_all_but_recordings(path, "--record")?;
    }
    let mut failed = 0;
    for named in &scripts {
        let seed = arguments.seed.unwrap_or(named.script.seed);
        let mut trace = Trace::default();
        let played = World::new(&named.script, seed)?
            .at_longest(arguments.longest)
            .at_most(arguments.most_events)
            .play(&mut trace);
        let recording = Recording {
            header: played.header.clone(),
            steps: trace.steps.clone(),
        };
        let failures = failures(named, &played, &recording);
        failed += usize::from(!failures.is_empty());
        if let Some(path) = &arguments.record {
            write_recording(path, &recording)?;
        }
        let verdict = Verdict {
            script: &named.name,
            seed,
            events: played.events,
            outcome: played
                .outcome
                .as_ref()
                .map(agent_gateway_machine::Outcome::name),
            ended_at: played.ended_at,
            failures: &failures,
        };
        match arguments.trace {
            TraceForm::Json => show_json(&trace, &verdict, &mut output),
            TraceForm::Text => show_head(named, &mut output)
                .and_then(|()| {
                    trace
                        .steps
                        .iter()
                        .try_for_each(|step| show(step, &mut output))
                })
                .and_then(|()| show_verdict(&verdict, &mut output)),
            TraceForm::None => show_verdict(&verdict, &mut output),
        }
        .map_err(Error::Output)?;
    }
    if scripts.len() > 1 && arguments.trace != TraceForm::Json {
        let total = scripts.len();
        writeln!(output, "{} of {total} as expected", total - failed).map_err(Error::Output)?;
    }
    output.flush().map_err(Error::Output)?;
    Ok(if failed == 0 {
        ExitCode::Completed
    } else {
        ExitCode::Failed
    })
}

/// What did not come as expected, each with its place in the script, and what must never be.
fn failures(named: &Named, played: &Played, recording: &Recording) -> Vec<String> {
    let unmet = played.failures(&named.script.expect);
    let mut failures: Vec<String> = unmet
        .iter()
        .map(|unmet| match &*unmet.path {
            "" => unmet.to_string(),
            path => format!("{}: {unmet}", named.place(path)),
        })
        .collect();
    if named.script.expect.fair
        && let Err(failure) = campaign::check(&named.script, played)
    {
        failures.push(format!("{}: {failure}", named.place("expect.fair")));
    }
    if let Err(failure) = campaign::check_recording(recording) {
        failures.push(failure.to_string());
    }
    failures
}

/// One event of a timeline and what was done about it.
pub(crate) fn show(step: &Step, output: &mut impl Write) -> io::Result<()> {
    let text = step_text(step);
    let mut lines = text.lines();
    if let Some(line) = lines.next() {
        // `  time  who      what`, as a trace has it; a longer time pushes the rest to the right.
        let padding = line.len() - line.trim_start().len();
        let time = line
            .trim_start()
            .split("  ")
            .next()
            .unwrap_or_default()
            .len()
            + padding;
        let (time, rest) = line.split_at(time);
        let who = rest.trim_start().split(' ').next().unwrap_or_default();
        let style = style_of(who);
        let what = rest.trim_start().strip_prefix(who).unwrap_or_default();
        writeln!(
            output,
            "{DIM}{time}{DIM:#}  {style}{who}{style:#}{}",
            plain(what)
        )?;
    }
    for line in lines {
        writeln!(output, "{DIM}{}{DIM:#}", plain(line))?;
    }
    Ok(())
}

fn style_of(who: &str) -> Style {
    match who {
        "user" => AnsiColor::Green.on_default(),
        "gateway" => AnsiColor::Cyan.on_default(),
        "api" => AnsiColor::Blue.on_default(),
        _ => AnsiColor::Yellow.on_default(),
    }
}

fn show_head(named: &Named, output: &mut impl Write) -> io::Result<()> {
    let Script { about, rules, .. } = &named.script;
    let about = plain(about);
    writeln!(
        output,
        "{BOLD}── {}{BOLD:#} {DIM}{}{DIM:#}",
        named.name,
        rules.join(" ")
    )?;
    writeln!(output, "{about}")
}

fn show_verdict(verdict: &Verdict<'_>, output: &mut impl Write) -> io::Result<()> {
    let (style, mark) = if verdict.failures.is_empty() {
        (GOOD, '✓')
    } else {
        (BAD, '✗')
    };
    let outcome = verdict.outcome.unwrap_or("no end");
    let after = verdict.ended_at.map_or_else(String::new, |at| {
        format!(" after {}", span(at.since(Timestamp::ZERO)))
    });
    writeln!(
        output,
        "{style}{mark} {}{style:#} {DIM}seed {}, {}, {outcome}{after}{DIM:#}",
        verdict.script,
        verdict.seed,
        count(verdict.events, "event")
    )?;
    for failure in verdict.failures {
        writeln!(output, "  {BAD}{}{BAD:#}", plain(failure))?;
    }
    Ok(())
}

fn show_json(trace: &Trace, verdict: &Verdict<'_>, output: &mut impl Write) -> io::Result<()> {
    output.write_all(escaped(&trace.to_json_lines()).as_bytes())?;
    write_json(verdict, output)
}

fn write_recording(path: &Path, recording: &Recording) -> Result<(), Error> {
    fs::write(path, recording.to_text()).map_err(|error| Error::File {
        path: path.into(),
        error,
    })
}

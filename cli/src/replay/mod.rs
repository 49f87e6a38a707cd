//! `agw replay`: a recording fed to the machine, every event, effect and state shown; what the machine answers otherwise
//! than it did is told before anything else.

mod difference;
mod until;

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;

use agent_gateway_machine::recording::{Recording, RecordingError, Replayed, Step};
use agent_gateway_machine::{Cursor, Effects, Event, Outcome, State};
use agent_gateway_protocol::OperationId;
use agent_gateway_sim::script::Script;
use anstyle::Style;
use serde::Serialize;

use crate::arguments::ReplayArguments;
use crate::complaint::complain;
use crate::count::count;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::input::{self, is_standard};
use crate::render::write_json;
use crate::sim;

pub(crate) use until::Until;

const DIM: Style = Style::new().dimmed();

/// One event with its answer and what it made of the state, with `--json`.
#[derive(Serialize)]
struct Line<'a> {
    number: usize,
    event: &'a Event,
    effects: &'a Effects,
    /// What was answered when it was recorded, if that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<&'a Effects>,
    phase: &'static str,
    status: &'static str,
    cursor: Option<&'a Cursor>,
    operation: Option<&'a OperationId>,
    outcome: Option<&'a Outcome>,
    state: &'a State,
}

/// Replays the recording onto `output`.
///
/// # Errors
/// The file cannot be read or is no recording, `--step` has no terminal, or the output fails.
pub(crate) fn run(arguments: &ReplayArguments, mut output: impl Write) -> Result<ExitCode, Error> {
    // A person cannot be asked where the recording comes from.
    let is_asked = !is_standard(&arguments.recording) && io::stdin().is_terminal();
    if arguments.step && !is_asked {
        return Err(Error::NoTerminal { what: "--step" });
    }
    let recording = read(arguments)?;
    let difference = recording
        .first_difference()
        .map_err(|error| Error::RecordedConfig {
            path: input::called(&arguments.recording),
            error,
        })?;
    if let Some(difference) = &difference {
        difference::show(&arguments.recording, &recording, difference);
    }
    let mut shown = Ok(());
    let mut is_reached = false;
    recording.replay(|replayed| {
        if arguments
            .until
            .as_ref()
            .is_some_and(|until| until.is_before(&replayed))
        {
            is_reached = true;
            return ControlFlow::Break(());
        }
        shown = show_one(arguments, &replayed, &mut output);
        let is_last = replayed.index + 1 == recording.steps.len();
        is_reached |= arguments
            .until
            .as_ref()
            .is_some_and(|until| until.is_at(&replayed));
        if is_reached || shown.is_err() {
            return ControlFlow::Break(());
        }
        if arguments.step && !is_last {
            match go_on(&mut output) {
                Ok(true) => {}
                Ok(false) => return ControlFlow::Break(()),
                Err(error) => shown = Err(error),
            }
        }
        ControlFlow::Continue(())
    })?;
    shown?;
    output.flush().map_err(Error::Output)?;
    if let (Some(until), false) = (&arguments.until, is_reached) {
        complain(format_args!(
            "agw: the recording ends before --until {until}"
        ));
    }
    Ok(match difference {
        None => ExitCode::Completed,
        Some(_) => ExitCode::Failed,
    })
}

fn read(arguments: &ReplayArguments) -> Result<Recording, Error> {
    let path = &arguments.recording;
    let text = input::read(path)?;
    let (recording, torn) =
        Recording::parse(&text).map_err(|error| unreadable(path, &text, error))?;
    if let Some(line) = torn {
        complain(format_args!(
            "agw: warning: {}:{line}: the recording breaks off in this line, which is left out; it holds {}",
            input::called(path).display(),
            count(recording.steps.len() as u64, "event")
        ));
    }
    Ok(recording)
}

/// What is wrong with what is no recording: it may be one of the files that lie beside recordings.
fn unreadable(path: &Path, text: &[u8], error: RecordingError) -> Error {
    let path = input::called(path);
    let is_headless = matches!(error, RecordingError::NoHeader { .. });
    let first = text.split_inclusive(|byte| *byte == b'\n').next();
    if is_headless && str::from_utf8(text).is_ok_and(|text| Script::parse("", text).is_ok()) {
        Error::NotRecording {
            path,
            what: "script",
            instead: "`agw sim` plays it, and with --record makes a recording of it",
        }
    } else if is_headless && first.is_some_and(|step| Recording::parse_steps(step).is_ok()) {
        Error::NotRecording {
            path,
            what: "trace, without the header that says how it began",
            instead: "`agw view` shows it, and --record makes recordings",
        }
    } else {
        Error::Recording { path, error }
    }
}

/// Waits for Enter; whether to go on.
fn go_on(output: &mut impl Write) -> Result<bool, Error> {
    output.flush().map_err(Error::Output)?;
    // Nobody to ask: the answer is the end of the input.
    let _ = write!(
        anstream::stderr(),
        "{DIM}Enter: the next event, q: leave {DIM:#}"
    );
    let mut line = String::new();
    let count = io::stdin().read_line(&mut line).map_err(Error::Input)?;
    Ok(count > 0 && !line.trim().eq_ignore_ascii_case("q"))
}

fn show_one(
    arguments: &ReplayArguments,
    replayed: &Replayed<'_>,
    output: &mut impl Write,
) -> Result<(), Error> {
    if arguments.json {
        show_json(replayed, output)
    } else {
        show(replayed, output)
    }
    .map_err(Error::Output)
}

fn show(replayed: &Replayed<'_>, output: &mut impl Write) -> io::Result<()> {
    let step = Step {
        event: replayed.step.event.clone(),
        effects: replayed.effects.clone(),
    };
    sim::show(&step, output)?;
    if replayed.differs() {
        difference::show_lines(&replayed.step.effects, replayed.effects, output)?;
    }
    let number = format!("#{}", replayed.index + 1);
    let state = describe(replayed.state);
    writeln!(output, "{DIM}{number:>8}           = {state}{DIM:#}")
}

/// A state in a line.
fn describe(state: &State) -> String {
    let mut text = format!("{}, {}", state.phase(), state.status().as_str());
    if let Some(cursor) = state.cursor() {
        text.push_str(&format!(", cursor {cursor}"));
    }
    if let Some(alarm) = state.alarm() {
        let at = alarm.at;
        text.push_str(&format!(", alarm at {at}"));
    }
    text
}

fn show_json(replayed: &Replayed<'_>, output: &mut impl Write) -> io::Result<()> {
    let state = replayed.state;
    let line = Line {
        number: replayed.index + 1,
        event: &replayed.step.event,
        effects: replayed.effects,
        recorded: replayed.differs().then_some(&replayed.step.effects),
        phase: state.phase(),
        status: state.status().as_str(),
        cursor: state.cursor(),
        operation: state.operation(),
        outcome: state.outcome(),
        state,
    };
    write_json(&line, output)
}

//! `agw replay`: a recording fed to the machine, every event, effect and state shown; what the machine answers otherwise
//! than it did is told before anything else.

mod difference;
mod until;

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;

use agent_gateway_machine::recording::{Recording, Replayed, Step};
use agent_gateway_machine::{Cursor, Effects, Event, Outcome, State};
use agent_gateway_protocol::OperationId;
use anstyle::Style;
use serde::Serialize;

use crate::arguments::ReplayArguments;
use crate::complaint::complain;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::input::{self, is_standard};
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
            path: arguments.recording.clone(),
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
    let (recording, torn) = Recording::parse(&text).map_err(|error| Error::Recording {
        path: path.clone(),
        error,
    })?;
    if let Some(line) = torn {
        complain(format_args!(
            "agw: warning: {}:{line}: the recording breaks off in this line, which is left out; it holds {} events",
            path.display(),
            recording.steps.len()
        ));
    }
    Ok(recording)
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
    serde_json::to_writer(&mut *output, &line)?;
    writeln!(output)
}

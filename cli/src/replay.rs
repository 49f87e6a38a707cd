//! `agw replay`: a recording fed to the machine, every event and effect shown.

use std::fs;
use std::io::{self, Write};

use agent_gateway_machine::recording::Recording;
use agent_gateway_machine::{State, transition};
use agent_gateway_sim::trace::Entry;
use anstyle::Style;
use serde::Serialize;

use crate::arguments::ReplayArguments;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::sim;

const DIM: Style = Style::new().dimmed();

/// One event with its answer and what it made of the state.
#[derive(Serialize)]
struct Step<'a> {
    number: usize,
    #[serde(flatten)]
    entry: &'a Entry,
    phase: &'static str,
    status: &'static str,
    state: &'a State,
}

/// Replays the recording onto `output`.
///
/// # Errors
/// The file cannot be read or is no recording, or the output fails.
pub(crate) fn run(arguments: &ReplayArguments, mut output: impl Write) -> Result<ExitCode, Error> {
    let path = &arguments.recording;
    let text = fs::read_to_string(path).map_err(|error| Error::File {
        path: path.clone(),
        error,
    })?;
    let recording = Recording::parse(&text).map_err(|error| Error::Recording {
        path: path.clone(),
        error,
    })?;
    let mut state = State::new(recording.header.config, recording.header.seed)?;
    let until = arguments.until.unwrap_or(usize::MAX);
    for (index, event) in recording.events.into_iter().enumerate().take(until) {
        let (next, effects) = transition(state, event.clone());
        state = next;
        let entry = Entry { event, effects };
        if arguments.json {
            show_json(index + 1, &entry, &state, &mut output)
        } else {
            show(index + 1, &entry, &state, &mut output)
        }
        .map_err(Error::Output)?;
        if arguments.step {
            output.flush().map_err(Error::Output)?;
            let mut line = String::new();
            if io::stdin().read_line(&mut line).map_err(Error::Input)? == 0 {
                break;
            }
        }
    }
    output.flush().map_err(Error::Output)?;
    Ok(ExitCode::Completed)
}

fn show(number: usize, entry: &Entry, state: &State, output: &mut impl Write) -> io::Result<()> {
    let (phase, status) = (state.phase(), state.status().as_str());
    writeln!(output, "{DIM}{number:>8}  {phase}, {status}{DIM:#}")?;
    sim::show(entry, output)
}

fn show_json(
    number: usize,
    entry: &Entry,
    state: &State,
    output: &mut impl Write,
) -> io::Result<()> {
    let step = Step {
        number,
        entry,
        phase: state.phase(),
        status: state.status().as_str(),
        state,
    };
    serde_json::to_writer(&mut *output, &step)?;
    writeln!(output)
}

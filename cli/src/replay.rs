//! `agw replay`: a recording fed to the machine, every event and effect shown.

use std::fs;
use std::io::Write;

use agent_gateway_machine::recording::Recording;
use agent_gateway_machine::{Effect, Event, State, transition};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::arguments::ReplayArguments;
use crate::error::Error;
use crate::exit_code::ExitCode;

const DIM: Style = Style::new().dimmed();
const EVENT: Style = AnsiColor::Cyan.on_default();

/// One event with its answer.
#[derive(Serialize)]
struct Step<'a> {
    number: usize,
    event: &'a Event,
    effects: &'a [Effect],
    phase: &'static str,
    status: &'static str,
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
        let step = Step {
            number: index + 1,
            event: &event,
            effects: effects.as_slice(),
            phase: state.phase(),
            status: state.status().as_str(),
        };
        if arguments.json {
            writeln!(output, "{}", json(&step))
        } else {
            show(&step, &mut output)
        }
        .map_err(Error::Output)?;
    }
    output.flush().map_err(Error::Output)?;
    Ok(ExitCode::Completed)
}

fn show(step: &Step<'_>, output: &mut impl Write) -> std::io::Result<()> {
    writeln!(
        output,
        "{DIM}{:>4} {:>9}{DIM:#} {EVENT}{}{EVENT:#} {DIM}→ {}, {}{DIM:#}",
        step.number,
        step.event.at.to_string(),
        step.event.kind.name(),
        step.phase,
        step.status
    )?;
    for effect in step.effects {
        let name = match effect {
            Effect::Notify(notification) => format!("notify {}", notification.name()),
            other => other.name().to_owned(),
        };
        writeln!(output, "{:14} {name} {DIM}{}{DIM:#}", "", detail(effect))?;
    }
    Ok(())
}

/// The effect's content as JSON, without its own name, cut to a line's length.
fn detail(effect: &Effect) -> String {
    const WIDTH: usize = 100;
    let text = json(effect);
    let inner = text
        .split_once(':')
        .and_then(|(_, inner)| inner.strip_suffix('}'))
        .unwrap_or_default();
    let mut short: String = inner.chars().take(WIDTH).collect();
    if short.len() < inner.len() {
        short.push('…');
    }
    short
}

fn json(value: &impl Serialize) -> String {
    // Every type written here has string keys only, so writing cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

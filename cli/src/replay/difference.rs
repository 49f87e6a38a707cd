//! Where the machine of today answers otherwise than the recording holds, for a person.

use std::io::{self, Write};
use std::path::Path;

use agent_gateway_machine::Effects;
use agent_gateway_machine::recording::{Difference, Recording, Step};
use agent_gateway_sim::trace::{effects_text, step_text};
use anstyle::{AnsiColor, Style};

use crate::complaint::complain;
use crate::render::plain;

const BAD: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();

/// Tells of the first difference on standard error: which event on which line, what was recorded, what comes today.
pub(super) fn show(path: &Path, recording: &Recording, difference: &Difference) {
    let Some(step) = recording.steps.get(difference.index) else {
        return;
    };
    complain(format_args!(
        "agw: {}:{}: event {} of {} is answered otherwise than it was recorded (- recorded, + today):",
        path.display(),
        difference.line(),
        difference.index + 1,
        recording.steps.len()
    ));
    let event = Step {
        event: step.event.clone(),
        effects: Effects::new(),
    };
    complain(step_text(&event).trim_end());
    // Standard error that cannot be written to has nobody to tell.
    let _ = show_lines(&step.effects, &difference.effects, &mut anstream::stderr());
}

/// What was recorded and what comes today, line by line, without what both begin and end with.
pub(super) fn show_lines(
    recorded: &Effects,
    today: &Effects,
    output: &mut impl Write,
) -> io::Result<()> {
    let (mut recorded_lines, mut today_lines) = (lines(recorded), lines(today));
    if recorded_lines == today_lines {
        // They differ in what the timeline leaves out.
        (recorded_lines, today_lines) = (json_lines(recorded), json_lines(today));
    }
    let shorter = recorded_lines.len().min(today_lines.len());
    let pairs = || recorded_lines.iter().zip(&today_lines);
    let head = pairs().take_while(|(one, other)| one == other).count();
    let backwards = recorded_lines.iter().rev().zip(today_lines.iter().rev());
    let tail = backwards
        .take_while(|(one, other)| one == other)
        .count()
        .min(shorter - head);
    let mut write = |mark: char, style: Style, lines: &[String]| {
        lines.iter().try_for_each(|line| {
            let line = plain(line);
            writeln!(output, "{style}                 {mark} {line}{style:#}")
        })
    };
    write('-', BAD, &recorded_lines[head..recorded_lines.len() - tail])?;
    write('+', GOOD, &today_lines[head..today_lines.len() - tail])
}

fn lines(effects: &Effects) -> Vec<String> {
    let text = effects_text(effects);
    text.lines().map(|line| line.trim().to_owned()).collect()
}

fn json_lines(effects: &Effects) -> Vec<String> {
    let lines = effects.iter().map(serde_json::to_string);
    lines.map(Result::unwrap_or_default).collect()
}

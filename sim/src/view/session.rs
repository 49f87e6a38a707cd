use agent_gateway_machine::recording::{Header, Recording, RecordingError, Step};
use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;

/// A session as it was written down: a recording, or a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// How the run was set up; a trace does not say it.
    pub header: Option<Header>,
    /// What came, in order, and what was answered.
    pub steps: Vec<Step>,
    /// What was odd about the text, each in one sentence.
    pub notes: Vec<String>,
}

/// A line of `agw sim --trace json` that is no step: the verdict on a session.
#[derive(Deserialize)]
struct Verdict {
    #[serde(rename = "script")]
    _script: IgnoredAny,
}

/// What tells a step from a header.
#[derive(Deserialize)]
struct StepSign {
    #[serde(rename = "event")]
    _event: IgnoredAny,
}

impl Session {
    /// Reads JSON lines: a recording, or the steps of a trace. The verdict with which `agw sim --trace json` ends a
    /// session is passed over. A last line that was torn while it was written is left out, and noted.
    ///
    /// # Errors
    /// The first line that cannot be read, or that begins a second session.
    pub fn parse(text: &str) -> Result<Self, SessionError> {
        if text.trim().is_empty() {
            return Err(SessionError::Empty);
        }
        let steps = steps_of(text)?;
        let (header, (steps, torn)) = if begins_with_step(steps) {
            (None, Recording::parse_steps(steps)?)
        } else {
            let (recording, torn) = Recording::parse(steps)?;
            (Some(recording.header), (recording.steps, torn))
        };
        let notes = torn.map(|line| format!("Line {line}, the last one, is torn and left out."));
        Ok(Self {
            header,
            steps,
            notes: notes.into_iter().collect(),
        })
    }
}

/// The text up to the first verdict.
fn steps_of(text: &str) -> Result<&str, SessionError> {
    let mut end = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if number > 1 && line.starts_with("{\"version\"") {
            return Err(SessionError::SecondSession { line: number });
        }
        if !is_verdict(line) {
            end += line.len();
            continue;
        }
        if end == 0 {
            return Err(SessionError::NoSteps);
        }
        return if text[end + line.len()..].trim().is_empty() {
            Ok(&text[..end])
        } else {
            Err(SessionError::SecondSession { line: number + 1 })
        };
    }
    Ok(text)
}

/// Steps are many and long: what does not begin like a verdict is not read for one.
fn is_verdict(line: &str) -> bool {
    line.starts_with("{\"script\"") && serde_json::from_str::<Verdict>(line).is_ok()
}

fn begins_with_step(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    serde_json::from_str::<StepSign>(first).is_ok()
}

/// Why a text is no session.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SessionError {
    /// Nothing at all.
    #[error("it is empty; it must hold the JSON lines of a recording or a trace")]
    Empty,
    /// Nothing that happened.
    #[error("there is no event in it")]
    NoSteps,
    /// A line that cannot be read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// More than one session.
    #[error("a second session begins here; one at a time can be shown")]
    SecondSession {
        /// Which line, counted from 1.
        line: usize,
    },
}

impl SessionError {
    /// The line and the column it is about, both counted from 1.
    #[must_use]
    pub fn place(&self) -> (usize, usize) {
        match self {
            Self::Empty | Self::NoSteps => (1, 1),
            Self::Recording(error) => error.place(),
            Self::SecondSession { line } => (*line, 1),
        }
    }
}

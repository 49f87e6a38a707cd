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

/// By which members a line is known, in whatever order they stand.
#[derive(Deserialize)]
struct Members {
    event: Option<IgnoredAny>,
    script: Option<IgnoredAny>,
    version: Option<IgnoredAny>,
}

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// The config and the seed, before the steps of a recording.
    Header,
    /// What came, and what was answered.
    Step,
    /// How a session went, behind the steps of a trace.
    Verdict,
    /// Nothing that is known; whoever reads it says what is wrong.
    Unknown,
}

impl Line {
    fn of(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(Members { event: Some(_), .. }) => Self::Step,
            Ok(Members {
                script: Some(_), ..
            }) => Self::Verdict,
            Ok(Members {
                version: Some(_), ..
            }) => Self::Header,
            _ => Self::Unknown,
        }
    }
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
        match Line::of(line) {
            Line::Header if number > 1 => return Err(SessionError::SecondSession { line: number }),
            Line::Verdict if end == 0 => return Err(SessionError::NoSteps),
            Line::Verdict if text[end + line.len()..].trim().is_empty() => return Ok(&text[..end]),
            Line::Verdict => return Err(SessionError::SecondSession { line: number + 1 }),
            Line::Header | Line::Step | Line::Unknown => end += line.len(),
        }
    }
    Ok(text)
}

fn begins_with_step(text: &str) -> bool {
    Line::of(text.lines().next().unwrap_or_default()) == Line::Step
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

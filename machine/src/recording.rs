//! A recording: all that went into one run, and so all of the run.
//!
//! It holds the config, the seed and the events, nothing else: feeding them to the machine again gives the same
//! effects, byte for byte (I15). It holds no token, because no event does (I17).
//!
//! As text it is JSON lines: one [`Header`], then one [`Event`] a line.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::{Config, ConfigError};
use crate::effects::Effects;
use crate::event::Event;
use crate::state::State;
use crate::transition::transition;

/// The form written and read by this version.
pub const VERSION: u32 = 1;

/// The first line of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The form of the recording, [`VERSION`].
    pub version: u32,
    /// The run's config.
    pub config: Config,
    /// The seed of the run's jitter.
    pub seed: u64,
}

/// All that went into one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// How the run was set up.
    pub header: Header,
    /// What came, in order.
    pub events: Vec<Event>,
}

impl Recording {
    /// An empty recording of a run set up like this.
    #[must_use]
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            header: Header {
                version: VERSION,
                config,
                seed,
            },
            events: Vec::new(),
        }
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// The first line that cannot be read, with its number, counted from 1.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        let mut lines = text.lines().enumerate();
        let header = match lines.next() {
            Some((_, line)) => read_header(line)?,
            None => return Err(RecordingError::Empty),
        };
        let events = lines
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(index, line)| {
                serde_json::from_str(line).map_err(|error| RecordingError::Line {
                    line: index + 1,
                    why: shown(&error),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { header, events })
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = line(&self.header);
        for event in &self.events {
            text.push_str(&line(event));
        }
        text
    }

    /// Runs the machine over the events.
    ///
    /// # Errors
    /// The config is not a valid one.
    pub fn replay(&self) -> Result<Vec<Effects>, ConfigError> {
        let mut state = State::new(self.header.config.clone(), self.header.seed)?;
        let mut answers = Vec::with_capacity(self.events.len());
        for event in &self.events {
            let (next, effects) = transition(state, event.clone());
            state = next;
            answers.push(effects);
        }
        Ok(answers)
    }
}

/// One line of the text form, newline included: a [`Header`] first, then [`Event`]s.
#[must_use]
pub fn line<T: Serialize>(item: &T) -> String {
    // Every type written here has string keys only, so writing cannot fail; an empty line would be skipped on reading.
    let mut line = serde_json::to_string(item).unwrap_or_default();
    line.push('\n');
    line
}

/// A line of the text is parsed by itself, so the line that serde_json says at the end is always the first.
fn shown(error: &serde_json::Error) -> Box<str> {
    let what = error.to_string();
    let what = what
        .rsplit_once(" at line ")
        .map_or(&*what, |(what, _)| what);
    format!("column {}: {what}", error.column()).into()
}

fn read_header(line: &str) -> Result<Header, RecordingError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let unreadable = |error: serde_json::Error| RecordingError::Line {
        line: 1,
        why: shown(&error),
    };
    let Version { version } = serde_json::from_str(line).map_err(unreadable)?;
    if version != VERSION {
        return Err(RecordingError::Version { found: version });
    }
    serde_json::from_str(line).map_err(unreadable)
}

/// Why a recording cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecordingError {
    /// Not even a header.
    #[error("the recording is empty; its first line must be a header")]
    Empty,
    /// A form this version does not know.
    #[error("the recording has version {found}; this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// A line that is not what its place asks for.
    #[error("line {line}, {why}")]
    Line {
        /// Which line, counted from 1.
        line: usize,
        /// Where in it, and what is wrong there.
        why: Box<str>,
    },
}

//! A recording: all that went into one run, and so all of the run, with what the machine answered then.
//!
//! It holds the config, the seed and, step by step, each event with its effects. Feeding the events to the machine again
//! gives the same effects, byte for byte (I15); where it does not, today's machine is another one, and
//! [`Recording::first_difference`] says where. It holds no token, because no event and no effect does (I17).
//!
//! As text it is JSON lines: one [`Header`], then one [`Step`] a line.
//!
//! ```text
//! {"version":3,"config":{…},"seed":7}
//! {"event":{"at":0,"kind":…},"effects":[…]}
//! ```

mod error;
mod parse;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::config::{Config, ConfigError};
use crate::effects::Effects;
use crate::event::Event;
use crate::state::State;
use crate::transition::transition;

pub use error::RecordingError;

/// The form written and read by this version.
pub const VERSION: u32 = 3;

/// The first line of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The form of the recording, [`VERSION`].
    pub version: u32,
    /// The run's config.
    pub config: Arc<Config>,
    /// The seed of the run's jitter.
    pub seed: u64,
}

impl Header {
    /// The header of a run set up like this.
    #[must_use]
    pub fn new(config: impl Into<Arc<Config>>, seed: u64) -> Self {
        Self {
            version: VERSION,
            config: config.into(),
            seed,
        }
    }
}

/// One event, and what the machine answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What came, and when.
    pub event: Event,
    /// What was to be done about it.
    pub effects: Effects,
}

/// All that went into one run, and all that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// How the run was set up.
    pub header: Header,
    /// What came, in order, and what was answered.
    pub steps: Vec<Step>,
}

/// One step of a replay: the recorded one beside what the machine of today makes of its event.
#[derive(Clone, Copy, Debug)]
pub struct Replayed<'a> {
    /// Which step, counted from 0.
    pub index: usize,
    /// As it was recorded.
    pub step: &'a Step,
    /// What the machine answers today.
    pub effects: &'a Effects,
    /// The state after it.
    pub state: &'a State,
}

impl Replayed<'_> {
    /// Whether the machine answers otherwise than it did.
    #[must_use]
    pub fn differs(&self) -> bool {
        *self.effects != self.step.effects
    }
}

/// Where the machine of today answers otherwise than the recording holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which step, counted from 0.
    pub index: usize,
    /// What the machine answers today.
    pub effects: Effects,
}

impl Difference {
    /// The line of the text form that holds the step, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.index + 2
    }
}

impl Recording {
    /// Feeds the events to the machine, one by one, and lets `look` see each step until it breaks off.
    ///
    /// # Errors
    /// The config is not a valid one.
    pub fn replay(
        &self,
        mut look: impl FnMut(Replayed<'_>) -> ControlFlow<()>,
    ) -> Result<(), ConfigError> {
        let mut state = State::new(self.header.config.clone(), self.header.seed)?;
        for (index, step) in self.steps.iter().enumerate() {
            let (next, effects) = transition(state, step.event.clone());
            state = next;
            let replayed = Replayed {
                index,
                step,
                effects: &effects,
                state: &state,
            };
            if look(replayed).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The first step that the machine of today answers otherwise; `None`: it answers all as it did (I15).
    ///
    /// # Errors
    /// The config is not a valid one.
    pub fn first_difference(&self) -> Result<Option<Difference>, ConfigError> {
        let mut first = None;
        self.replay(|replayed| {
            if !replayed.differs() {
                return ControlFlow::Continue(());
            }
            first = Some(Difference {
                index: replayed.index,
                effects: replayed.effects.clone(),
            });
            ControlFlow::Break(())
        })?;
        Ok(first)
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = header_line(&self.header);
        for step in &self.steps {
            text.push_str(&step_line(&step.event, &step.effects));
        }
        text
    }
}

/// The first line of the text form, newline included.
#[must_use]
pub fn header_line(header: &Header) -> String {
    line(header)
}

/// One more line of the text form, newline included.
#[must_use]
pub fn step_line(event: &Event, effects: &Effects) -> String {
    #[derive(Serialize)]
    struct Borrowed<'a> {
        event: &'a Event,
        effects: &'a Effects,
    }
    line(&Borrowed { event, effects })
}

fn line(item: &impl Serialize) -> String {
    // Every type written here has string keys only, so writing cannot fail.
    let mut line = serde_json::to_string(item).unwrap_or_default();
    line.push('\n');
    line
}

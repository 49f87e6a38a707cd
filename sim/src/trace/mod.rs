//! A trace: the events and effects of one run in order, as text for people and snapshots and as JSON lines for programs.

mod show;

use agent_gateway_machine::recording::line;
use agent_gateway_machine::{Effects, Event};
use serde::{Deserialize, Serialize};

use crate::invariant::Observation;
use crate::world::Observer;

/// The events of one run and what was done about each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// In the order in which they came.
    pub entries: Vec<Entry>,
}

/// One event and its effects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What came, and when.
    pub event: Event,
    /// What was to be done.
    pub effects: Effects,
}

impl Trace {
    /// One line an event (time, who, what, and the rules it was decided by) and an indented one an effect. Stable: same
    /// run, same bytes.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.entries.iter().map(Entry::to_text).collect()
    }

    /// One JSON object a line.
    #[must_use]
    pub fn to_json_lines(&self) -> String {
        self.entries.iter().map(line).collect()
    }
}

impl Entry {
    /// Its lines, newlines included.
    #[must_use]
    pub fn to_text(&self) -> String {
        let rules = self.effects.rules();
        let why = if rules.is_empty() {
            String::new()
        } else {
            format!("  [{rules}]")
        };
        let mut text = format!(
            "{:>8}  {:<7}  {}{why}\n",
            self.event.at.as_millis(),
            show::who(&self.event.kind),
            show::event(&self.event.kind)
        );
        for effect in &self.effects {
            text.push_str("                   → ");
            text.push_str(&show::effect(effect));
            text.push('\n');
        }
        text
    }
}

impl Observer for Trace {
    fn observe(&mut self, step: &Observation<'_>) {
        self.entries.push(Entry {
            event: step.event.clone(),
            effects: step.effects.clone(),
        });
    }
}

//! A trace: the events and effects of one run in order, as text for people and snapshots and as JSON lines for programs.
//!
//! The text of the same script and seed is the same, byte for byte, so a snapshot of it is a test that reads like a story:
//!
//! ```
//! use agent_gateway_sim::script::Script;
//! use agent_gateway_sim::trace::Trace;
//! use agent_gateway_sim::world::World;
//!
//! let script = Script::parse(
//!     "never_started.json",
//!     r#"{
//!         "about": "stopped before the server has answered",
//!         "api": { "calls": { "exec_agent": [{ "answer": "never" }] } },
//!         "user": { "steps": [{ "do": { "execute": "Hello" } }, { "after": 100, "do": "stop" }] }
//!     }"#,
//! )?;
//! let mut trace = Trace::default();
//! World::new(&script, script.seed)?.play(&mut trace);
//! trace.steps.truncate(2);
//! insta::assert_snapshot!(trace.to_text(), @r#"
//!        0  user     execute "Hello" in a new topic  [R1]
//!                    → request#1 ▶ start_run "Hello"
//!                    → set_alarm 120000 StartDeadline
//!      100  user     stop  [R2]
//!                    → set_alarm 5100 StopGrace
//! "#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod show;
mod who;

pub(crate) use show::{cut, effect as effect_text, event as event_text};
pub(crate) use who::Who;

use agent_gateway_machine::Effects;
use agent_gateway_machine::recording::{Step, step_line};

use crate::invariant::Observation;
use crate::world::Spectator;

/// The events of one run and what was done about each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// In the order in which they came.
    pub steps: Vec<Step>,
}

impl Trace {
    /// One line an event (time, who, what, and the rules it was decided by) and an indented one an effect. Stable: same
    /// run, same bytes.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.steps.iter().map(step_text).collect()
    }

    /// One JSON object a line: the steps of a recording, without its header.
    #[must_use]
    pub fn to_json_lines(&self) -> String {
        let lines = self.steps.iter();
        lines
            .map(|step| step_line(&step.event, &step.effects))
            .collect()
    }
}

/// The lines of one step, newlines included.
#[must_use]
pub fn step_text(step: &Step) -> String {
    let rules = step.effects.rules();
    let why = if rules.is_empty() {
        String::new()
    } else {
        format!("  [{rules}]")
    };
    let mut text = format!(
        "{:>8}  {:<7}  {}{why}\n",
        step.event.at.as_millis(),
        Who::brings(&step.event.kind).name(),
        show::event(&step.event.kind)
    );
    text.push_str(&effects_text(&step.effects));
    text
}

/// One indented line an effect, newlines included; nothing for none.
#[must_use]
pub fn effects_text(effects: &Effects) -> String {
    let mut text = String::new();
    for effect in effects {
        text.push_str("                   → ");
        text.push_str(&show::effect(effect));
        text.push('\n');
    }
    text
}

impl Spectator for Trace {
    fn observe(&mut self, step: &Observation<'_>) {
        self.steps.push(Step {
            event: step.event.clone(),
            effects: step.effects.clone(),
        });
    }
}

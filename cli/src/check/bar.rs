use std::time::Duration;

use agent_gateway_sim::explore::Progress;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::count::count;

/// How far an exploration is, on standard error if that is a terminal; else nothing. How much there is to explore
/// shows only in the end.
pub(super) struct Bar(ProgressBar);

const FORM: &str = "{spinner} {elapsed} {msg}";

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template(FORM) {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(super) fn show(&self, progress: Option<Progress>, elapsed: Duration) {
        if let Some(progress) = progress {
            self.0.set_message(format!(
                "{} ({}/s), {}, depth {}, frontier {}, {}",
                count(progress.states, "state"),
                HumanCount(rate(progress.states, elapsed)),
                count(progress.transitions, "step"),
                progress.depth,
                HumanCount(progress.frontier),
                HumanBytes(progress.memory),
            ));
        }
        self.0.tick();
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// States a second.
pub(super) fn rate(states: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    states.saturating_mul(1_000) / millis.max(1)
}

use std::cell::Cell;
use std::io::{self, IsTerminal};
use std::time::Duration;

use agent_gateway_sim::campaign::Campaign;
use indicatif::{ProgressBar, ProgressStyle};

use crate::complaint::complain;
use crate::count::{count, grouped};

/// How far a campaign is, on standard error: a bar on a terminal, now and then a line elsewhere.
pub(super) struct Bar {
    bar: ProgressBar,
    /// How many runs there are, unless only the time is limited.
    runs: Option<u64>,
    /// With a time, the bar is the time's; otherwise that of the runs.
    time: Option<Duration>,
    /// Where there is no terminal: when the latest line was written.
    told_at: Option<Cell<Duration>>,
}

/// Between two lines where there is no terminal.
const PAUSE: Duration = Duration::from_secs(30);

impl Bar {
    pub(super) fn new(campaign: &Campaign, threads: usize, time: Option<Duration>) -> Self {
        let runs = Some(campaign.share()).filter(|_| campaign.sessions < u64::MAX);
        let (length, of) = match time {
            Some(time) => (millis(time), String::new()),
            None => {
                let share = campaign.share();
                (share, format!("{{human_pos}} of {}, ", count(share, "run")))
            }
        };
        let template =
            format!("{{spinner}} {{wide_bar:.cyan}} {of}{{prefix}}, {{eta}} left{{msg:.red}}");
        let bar = ProgressBar::new(length);
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        let told_at = (!io::stderr().is_terminal()).then(Cell::default);
        if told_at.is_some() {
            let runs = runs.map_or_else(|| "runs".to_owned(), |runs| count(runs, "run"));
            let threads = count(threads as u64, "thread");
            let until = time.map_or_else(String::new, |time| {
                format!(", {} s at most", time.as_secs_f64())
            });
            complain(format_args!(
                "agw: playing {runs} from seed {} on {threads}{until}",
                campaign.seed
            ));
        }
        Self {
            bar,
            runs,
            time,
            told_at,
        }
    }

    pub(super) fn show(&self, played: u64, failed: u64) {
        let elapsed = self.bar.elapsed();
        if let Some(told_at) = &self.told_at {
            if elapsed >= told_at.get() + PAUSE {
                told_at.set(elapsed);
                let runs = match self.runs {
                    Some(runs) => format!("{} of {}", grouped(played), count(runs, "run")),
                    None => count(played, "run"),
                };
                complain(format_args!("agw: {runs}, {failed} failed"));
            }
            return;
        }
        if failed > 0 {
            self.bar.set_message(format!(", {failed} failed"));
        }
        let rate = grouped(played * 1_000 / millis(elapsed).max(1));
        if self.time.is_none() {
            self.bar.set_prefix(format!("{rate}/s"));
            self.bar.set_position(played);
        } else {
            let played = count(played, "run");
            self.bar.set_prefix(format!("{played}, {rate}/s"));
            self.bar.set_position(millis(elapsed));
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use agent_gateway_sim::campaign::{Campaign, Coverage, Kind};
use agent_gateway_sim::names::{EVENTS, PHASES};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::count::{count, grouped};

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const BLIND: Style = AnsiColor::Yellow.on_default();

/// What a campaign has shown.
pub(super) struct Summary<'a> {
    pub(super) campaign: &'a Campaign,
    pub(super) coverage: &'a Coverage,
    pub(super) failures: usize,
    pub(super) is_interrupted: bool,
    pub(super) took: Duration,
}

/// The last line with `--json`.
#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    seed: u64,
    shard: String,
    failures: usize,
    interrupted: bool,
    took_ms: u128,
    #[serde(flatten)]
    coverage: &'a Coverage,
    never: BTreeMap<&'static str, Vec<&'static str>>,
}

impl Summary<'_> {
    pub(super) fn show(&self, as_json: bool, output: &mut impl Write) -> io::Result<()> {
        if as_json {
            return self.show_json(output);
        }
        for kind in self.coverage.kinds() {
            show_kind(&kind, output)?;
        }
        self.show_situations(output)?;
        self.show_verdict(output)
    }

    fn show_json(&self, output: &mut impl Write) -> io::Result<()> {
        let kinds = self.coverage.kinds();
        let line = Line {
            kind: "summary",
            seed: self.campaign.seed,
            shard: format!("{}/{}", self.campaign.shard + 1, self.campaign.shards),
            failures: self.failures,
            interrupted: self.is_interrupted,
            took_ms: self.took.as_millis(),
            coverage: self.coverage,
            never: kinds.iter().map(|kind| (kind.name, kind.never())).collect(),
        };
        serde_json::to_writer(&mut *output, &line)?;
        writeln!(output)
    }

    /// Which events came in which phase, how often: what never did is a blind spot, or cannot be.
    fn show_situations(&self, output: &mut impl Write) -> io::Result<()> {
        write!(output, "{BOLD}{:<20}{BOLD:#}", "events by phase")?;
        for phase in PHASES {
            write!(output, "{DIM}{phase:>12}{DIM:#}")?;
        }
        writeln!(output)?;
        for event in EVENTS {
            write!(output, "  {event:<18}")?;
            for phase in PHASES {
                match self.coverage.situation(phase, event) {
                    0 => write!(output, "{DIM}{:>12}{DIM:#}", '·')?,
                    count => write!(output, "{:>12}", grouped(count))?,
                }
            }
            writeln!(output)?;
        }
        Ok(())
    }

    fn show_verdict(&self, output: &mut impl Write) -> io::Result<()> {
        let (style, mark) = if self.failures == 0 {
            (GOOD, '✓')
        } else {
            (BAD, '✗')
        };
        let Coverage {
            sessions, events, ..
        } = self.coverage;
        let rate = u128::from(*sessions) * 1_000 / self.took.as_millis().max(1);
        let Campaign {
            seed,
            shard,
            shards,
            ..
        } = self.campaign;
        let part = if *shards > 1 {
            format!(", shard {}/{shards}", shard + 1)
        } else {
            String::new()
        };
        let interrupted = if self.is_interrupted {
            ", interrupted"
        } else {
            ""
        };
        writeln!(
            output,
            "{style}{mark} {}, {} failed{interrupted}{style:#} {DIM}seed {seed}{part}, {}, {:.1} s, {rate} runs/s{DIM:#}",
            count(*sessions, "run"),
            self.failures,
            count(*events, "event"),
            self.took.as_secs_f64(),
        )
    }
}

fn show_kind(kind: &Kind, output: &mut impl Write) -> io::Result<()> {
    let never = kind.never();
    let (seen, all) = (kind.counts.len() - never.len(), kind.counts.len());
    writeln!(
        output,
        "{BOLD}{}{BOLD:#} {DIM}{seen} of {all}, {}{DIM:#}",
        kind.name, kind.unit
    )?;
    let counts = kind.counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(name, count)| format!("{name} {}", grouped(*count)))
        .collect();
    write_wrapped(&counts, output)?;
    if !never.is_empty() {
        writeln!(output, "  {BLIND}never: {}{BLIND:#}", never.join(", "))?;
    }
    Ok(())
}

/// The words on lines of a width that every terminal has.
fn write_wrapped(words: &[String], output: &mut impl Write) -> io::Result<()> {
    const WIDTH: usize = 100;
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && line.len() + 2 + word.len() > WIDTH {
            writeln!(output, "  {line},")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(word);
    }
    if line.is_empty() {
        return Ok(());
    }
    writeln!(output, "  {line}")
}

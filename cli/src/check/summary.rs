use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use agent_gateway_machine::Rule;
use agent_gateway_sim::explore::{Budget, Coverage, Found, Report, UNREACHED};
use anstyle::{AnsiColor, Style};
use indicatif::HumanCount;
use serde::Serialize;
use serde_json::json;

use super::Cut;
use super::bar::rate;
use crate::count::count;
use crate::render::plain;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const UNSURE: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();

/// What an exploration has come to.
pub(super) struct Summary<'a> {
    pub(super) budget: &'a Budget,
    pub(super) report: &'a Report,
    pub(super) coverage: &'a Coverage,
    pub(super) cut: Option<Cut>,
    pub(super) took: Duration,
    pub(super) threads: usize,
    pub(super) script: Option<&'a Path>,
}

/// A rule that has decided nothing, and why it could not.
#[derive(Serialize)]
struct Unseen {
    rule: &'static str,
    why: Option<&'static str>,
}

impl Summary<'_> {
    pub(super) fn show(&self, as_json: bool, output: &mut impl Write) -> io::Result<()> {
        if as_json {
            self.show_json(output)
        } else {
            self.show_text(output)
        }
    }

    fn show_text(&self, output: &mut impl Write) -> io::Result<()> {
        let explored = self.report.explored;
        writeln!(output, "{}: {}", self.budget.name, self.budget.about)?;
        for beginning in self.budget.beginnings() {
            writeln!(output, "{DIM}  {beginning}{DIM:#}")?;
        }
        writeln!(
            output,
            "{}, {}, depth {}, in {:.1} s with {} ({} states/s)",
            count(explored.states, "distinct state"),
            count(explored.transitions, "step"),
            explored.depth,
            self.took.as_secs_f64(),
            count(self.threads as u64, "thread"),
            HumanCount(rate(explored.states, self.took)),
        )?;
        writeln!(output, "rules seen at work: {}", self.coverage.rules)?;
        let outcomes: Vec<_> = self.coverage.outcomes.iter().copied().collect();
        writeln!(output, "outcomes: {}", outcomes.join(" "))?;
        for unseen in self.unseen() {
            let why = unseen.why.unwrap_or("not within this budget");
            writeln!(output, "{DIM}not seen: {} ({why}){DIM:#}", unseen.rule)?;
        }
        match &self.report.found {
            Some(found) => self.show_found(found, output),
            None if explored.is_closed => writeln!(
                output,
                "{GOOD}✓ closed{GOOD:#}: nothing within this budget breaks an invariant, and an end can always be reached"
            ),
            None => writeln!(
                output,
                "{UNSURE}… not closed{UNSURE:#}: {} first; nothing was found so far, and nothing is proved",
                self.cut.map_or("something ended it", Cut::what)
            ),
        }
    }

    fn show_found(&self, found: &Found, output: &mut impl Write) -> io::Result<()> {
        let violation = &found.violation;
        let what = plain(&violation.what);
        writeln!(output, "{BAD}✗ {}{BAD:#}: {what}", violation.invariant)?;
        let steps = count(found.actions.len() as u64, "step");
        writeln!(output, "a shortest way there, of {steps}:")?;
        for (number, action) in (1..).zip(&found.actions) {
            writeln!(output, "{DIM}{number:>5}{DIM:#}  {}", plain(action))?;
        }
        match self.script {
            Some(path) => writeln!(output, "to repeat it: agw sim {}", path.display()),
            None => {
                writeln!(output, "as a script for `agw sim`:")?;
                output.write_all(found.script.to_text().as_bytes())
            }
        }
    }

    fn show_json(&self, output: &mut impl Write) -> io::Result<()> {
        let explored = self.report.explored;
        let found = self.report.found.as_ref().map(|found| {
            json!({
                "invariant": found.violation.invariant,
                "what": found.violation.what,
                "steps": found.actions,
                "script": found.script,
            })
        });
        let rules: Vec<_> = self.coverage.rules.iter().map(Rule::id).collect();
        let summary = json!({
            "budget": self.budget.name,
            "closed": explored.is_closed,
            "cut": self.cut.filter(|_| !explored.is_closed).map(Cut::name),
            "states": explored.states,
            "steps": explored.transitions,
            "depth": explored.depth,
            "millis": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            "threads": self.threads,
            "rules": rules,
            "unseen": self.unseen(),
            "outcomes": self.coverage.outcomes,
            "violation": found,
        });
        serde_json::to_writer(&mut *output, &summary)?;
        writeln!(output)
    }

    fn unseen(&self) -> Vec<Unseen> {
        let why = |rule: Rule| {
            let known = UNREACHED.iter().find(|(unreached, _)| *unreached == rule);
            known.map(|(_, why)| *why)
        };
        let missing = self.coverage.missing();
        missing
            .map(|rule| Unseen {
                rule: rule.id(),
                why: why(rule),
            })
            .collect()
    }
}

impl Cut {
    fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Memory => "memory",
            Self::Signal => "signal",
        }
    }

    /// What came first.
    fn what(self) -> &'static str {
        match self {
            Self::Time => "the time was over",
            Self::Memory => "the memory was full",
            Self::Signal => "a signal came",
        }
    }
}

use core::fmt;

use agent_gateway_machine::{Outcome, Timestamp};
use agent_gateway_protocol::OperationStatus;

use super::outcome::Played;
use crate::names;
use crate::script::{Expect, ReceiptExpectation};

/// Something expected that did not come, or something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// The expectation, as a path in the script such as `expect.order[2]`; empty for what no script needs to say.
    pub path: String,
    /// What came instead.
    pub what: String,
}

impl Unmet {
    fn anywhere(what: String) -> Self {
        let path = String::new();
        Self { path, what }
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        formatter.write_str(&self.what)
    }
}

/// What came of a session, held against what its script expects.
pub(super) struct Comparison<'a> {
    played: &'a Played,
    expect: &'a Expect,
    unmet: Vec<Unmet>,
}

impl<'a> Comparison<'a> {
    /// What was expected and did not come, and what must never be; in the order of the script's members.
    pub(super) fn of(played: &'a Played, expect: &'a Expect) -> Vec<Unmet> {
        let mut comparison = Self {
            played,
            expect,
            unmet: Vec::new(),
        };
        comparison.what_must_never_be();
        comparison.what_was_handed_on();
        comparison.effects();
        comparison.ignored();
        comparison.end();
        comparison.server();
        comparison.receipt();
        comparison.unmet
    }

    fn what_must_never_be(&mut self) {
        let bugs = self.played.bugs.iter().cloned();
        self.unmet.extend(bugs.map(Unmet::anywhere));
        if let Some((event, violation)) = &self.played.violation {
            let what = format!("event {event}: {violation}");
            self.unmet.push(Unmet::anywhere(what));
        }
    }

    fn what_was_handed_on(&mut self) {
        let outcome = self.played.outcome.as_ref().map_or("none", Outcome::name);
        self.value("outcome", self.expect.outcome.as_deref(), outcome);
        if let Some(expected) = &self.expect.text {
            let text = self.played.text();
            self.check(text == *expected, "text", || {
                format!("expected {expected:?}, but it was {text:?}")
            });
        }
        if let Some(expected) = &self.expect.events {
            let handed_on = self.played.handed_on.iter();
            let kinds: Vec<&str> = handed_on
                .map(|received| received.event.kind.as_str())
                .collect();
            self.check(kinds == *expected, "events", || {
                side_by_side(expected, &kinds)
            });
        }
    }

    fn effects(&mut self) {
        for (name, count) in &self.expect.effects {
            let times = self.played.times(name);
            let path = format!("effects[\"{name}\"]");
            self.check(count.admits(times), &path, || {
                format!("expected {count}, but it occurred {}", times_text(times))
            });
        }
        for (when, window) in &self.expect.when {
            let at = self.moment_of(when);
            let holds = at.is_some_and(|at| window.admits(at));
            self.check(holds, &format!("when[\"{when}\"]"), || {
                format!("expected {window}, but it was {}", moment(at))
            });
        }
        if let Some((index, missing)) = self.missing_in_order() {
            self.check(false, &format!("order[{index}]"), || {
                format!("{missing} does not follow the ones before it")
            });
        }
    }

    fn ignored(&mut self) {
        for name in names::IGNORED {
            let times = self.played.times(&format!("ignored.{name}"));
            let allowed = self.expect.ignored.iter().any(|allowed| allowed == name);
            self.check(times == 0 || allowed, "ignored", || {
                format!("{name} is not expected, but occurred {}", times_text(times))
            });
        }
    }

    fn end(&mut self) {
        let ended_at = self.played.ended_at.map(Timestamp::as_millis);
        let differs = |bound| format!("expected {bound} ms, but it was {}", moment(ended_at));
        if let Some(bound) = self.expect.ended_by {
            let holds = ended_at.is_some_and(|at| at <= bound);
            self.check(holds, "ended_by", || differs(bound));
        }
        if let Some(bound) = self.expect.ended_after {
            let holds = ended_at.is_none_or(|at| at >= bound);
            self.check(holds, "ended_after", || differs(bound));
        }
    }

    fn server(&mut self) {
        let status = self.played.server_status.as_ref();
        let status = status.map_or("none", OperationStatus::as_str);
        self.value(
            "server_status",
            self.expect.server_status.as_deref(),
            status,
        );
        self.value("marked", self.expect.marked, self.played.is_marked);
        if let Some(expected) = self.expect.tool_results {
            let count = self.played.tool_results.len() as u64;
            self.check(count == expected, "tool_results", || {
                format!("expected {expected}, but there were {count}")
            });
        }
    }

    fn receipt(&mut self) {
        let ReceiptExpectation {
            delivered,
            replayed,
            duplicates,
            late,
            gaps,
            reconnects,
            refreshes,
            warnings,
        } = self.expect.receipt;
        let receipt = &self.played.receipt;
        for (name, expected, actual) in [
            ("delivered", delivered, receipt.delivered),
            ("replayed", replayed, receipt.replayed),
            ("duplicates", duplicates, receipt.duplicates),
            ("late", late, receipt.late),
            ("gaps", gaps, receipt.gaps),
            ("reconnects", reconnects, receipt.reconnects),
            ("refreshes", refreshes, receipt.refreshes),
            ("warnings", warnings, receipt.warnings),
        ] {
            self.value(&format!("receipt.{name}"), expected, actual);
        }
    }

    /// A member that must have this value, if the script says one.
    fn value<T: PartialEq + fmt::Display>(&mut self, path: &str, expected: Option<T>, actual: T) {
        if let Some(expected) = expected {
            self.check(actual == expected, path, || {
                format!("expected {expected}, but it was {actual}")
            });
        }
    }

    fn check(&mut self, holds: bool, path: &str, what: impl FnOnce() -> String) {
        if !holds {
            let path = format!("expect.{path}");
            self.unmet.push(Unmet { path, what: what() });
        }
    }

    /// When an effect occurred, ms; named as in `expect.when`.
    fn moment_of(&self, when: &str) -> Option<u64> {
        let (name, count) = Expect::parse_when(when)?;
        let effects = self.played.effects.iter();
        let mut named = effects.filter(|(full, _)| names::is_named(full, name));
        let (_, at) = named.nth(usize::try_from(count.checked_sub(1)?).ok()?)?;
        Some(at.as_millis())
    }

    fn missing_in_order(&self) -> Option<(usize, &'a str)> {
        let mut effects = self.played.effects.iter();
        let mut expected = self.expect.order.iter().map(String::as_str).enumerate();
        expected.find(|(_, name)| !effects.any(|(effect, _)| names::is_named(effect, name)))
    }
}

/// How two lists differ: what is around the first difference, one beside the other.
fn side_by_side(expected: &[String], came: &[&str]) -> String {
    const BEFORE: usize = 2;
    const BEHIND: usize = 3;
    let pair = |index: usize| {
        let expected = expected.get(index).map(String::as_str);
        (expected, came.get(index).copied())
    };
    let most = expected.len().max(came.len());
    let same = (0..most).take_while(|index| pair(*index).0 == pair(*index).1);
    let first = same.count();
    let shown = first.saturating_sub(BEFORE)..most.min(first + BEHIND + 1);
    let width = |index| pair(index).0.map_or(0, str::len);
    let width = shown.clone().map(width).max().unwrap_or(0).max(8);
    let mut text = format!(
        "{} were expected and {} came, and number {} is the first that differs\n         {:width$}   came",
        expected.len(),
        came.len(),
        first + 1,
        "expected",
    );
    for index in shown {
        let (expected, came) = pair(index);
        let mark = if expected == came { ' ' } else { '≠' };
        text += &format!(
            "\n    {:>4} {:width$} {mark} {}",
            index + 1,
            expected.unwrap_or("-"),
            came.unwrap_or("-"),
        );
    }
    text
}

fn times_text(times: u64) -> String {
    match times {
        0 => "never".into(),
        1 => "once".into(),
        times => format!("{times} times"),
    }
}

fn moment(at: Option<u64>) -> String {
    at.map_or_else(|| "never".into(), |at| format!("at {at} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_shown_beside_each_other_where_they_differ_first() {
        let expected: Vec<String> = ["a", "b", "c", "stream_start", "d", "e", "f", "g", "h"]
            .map(Into::into)
            .into();
        let came = ["a", "b", "c", "d", "e"];
        let text = "9 were expected and 5 came, and number 4 is the first that differs
         expected       came
       2 b              b
       3 c              c
       4 stream_start ≠ d
       5 d            ≠ e
       6 e            ≠ -
       7 f            ≠ -";
        assert_eq!(side_by_side(&expected, &came), text);
        let text = side_by_side(&expected[..1], &[]);
        assert!(text.ends_with("1 a        ≠ -"), "{text}");
    }
}

use core::fmt;

use agent_gateway_machine::recording::Header;
use agent_gateway_machine::{
    AnswerId, Effect, EventReceived, Notification, Outcome, Receipt, State, Timestamp,
};
use agent_gateway_protocol::event::Chunk;
use agent_gateway_protocol::frame::ToolResult;
use agent_gateway_protocol::{OperationId, OperationStatus, Payload, ToolCallId, TopicId};

use crate::invariant::Violation;
use crate::names;
use crate::script::Expect;
use crate::server::Server;

/// What came of a session.
#[derive(Clone, Debug)]
pub struct Played {
    /// How the run was set up: with the steps of a [`Trace`](crate::trace::Trace) it is a recording.
    pub header: Header,
    /// How many events the machine was told.
    pub events: u64,
    /// How the run ended, if it did.
    pub outcome: Option<Outcome>,
    /// What its end, or else its state, says of the way there.
    pub receipt: Receipt,
    /// When the caller was told of the end, on the world's clock.
    pub ended_at: Option<Timestamp>,
    /// When the session was over, on the world's clock.
    pub ended_world_at: Timestamp,
    /// Whether nothing of the run was left outstanding (I3).
    pub is_settled: bool,
    /// The events handed on, in order.
    pub handed_on: Vec<EventReceived>,
    /// The runs the server started.
    pub runs: Vec<(OperationId, TopicId)>,
    /// The tool results the server got.
    pub tool_results: Vec<ToolResult>,
    /// The tool calls that were told to the caller and answered in time, and whose result never came to the gateway,
    /// although a socket on which it was to go out carried it.
    pub owed: Vec<ToolCallId>,
    /// The answers that were told to be undeliverable, and nothing that came of the gateway or of time was a reason.
    pub given_up: Vec<AnswerId>,
    /// Before which of the events handed on gaps were told: as many had been handed on by then.
    pub gaps: Vec<usize>,
    /// Before which of them a new count of the gateway went on where the old one had stopped, and no client could see it
    /// (C10).
    pub taken_over: Vec<usize>,
    /// How the run stands on the server at last.
    pub server_status: Option<OperationStatus>,
    /// Whether the topic is marked with the run at last.
    pub is_marked: bool,
    /// The effects, by their names in full, in order, and when, on the world's clock.
    pub effects: Vec<(&'static str, Timestamp)>,
    /// What must never be, such as a token that the vault does not have. Each is a bug of the machine or of the world.
    pub bugs: Vec<String>,
    /// The first invariant broken, and by which event, counted from 0.
    pub violation: Option<(u64, Violation)>,
}

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

impl Played {
    pub(super) fn new(header: Header) -> Self {
        Self {
            header,
            events: 0,
            outcome: None,
            receipt: Receipt::default(),
            ended_at: None,
            ended_world_at: Timestamp::ZERO,
            is_settled: false,
            handed_on: Vec::with_capacity(32),
            runs: Vec::new(),
            tool_results: Vec::new(),
            owed: Vec::new(),
            given_up: Vec::new(),
            gaps: Vec::new(),
            taken_over: Vec::new(),
            server_status: None,
            is_marked: false,
            effects: Vec::with_capacity(64),
            bugs: Vec::new(),
            violation: None,
        }
    }

    pub(super) fn note(&mut self, effect: &Effect, now: Timestamp) {
        self.effects.push((names::effect_name(effect), now));
    }

    /// What the caller is told.
    #[inline]
    pub(super) fn hear(&mut self, notification: Notification, now: Timestamp) {
        match notification {
            Notification::EventReceived(received) => self.handed_on.push(received),
            Notification::GapFound { .. } => self.gaps.push(self.handed_on.len()),
            Notification::RunEnded { outcome, receipt } => {
                self.outcome = Some(outcome);
                self.receipt = *receipt;
                self.ended_at = Some(now);
            }
            _ => {}
        }
    }

    pub(super) fn violate(&mut self, violation: Violation) {
        if self.violation.is_none() {
            self.violation = Some((self.events, violation));
        }
    }

    pub(super) fn close(&mut self, state: Option<State>, server: Server) {
        let Some(state) = state else {
            return;
        };
        self.is_settled = state.is_settled();
        if self.outcome.is_none() {
            self.receipt = state.receipt();
        }
        let operation = state.operation().or(self.runs.last().map(|(run, _)| run));
        if let Some(operation) = operation {
            let api = server.api();
            self.server_status = api.status(operation).cloned();
            self.is_marked = api
                .topic_of(operation)
                .and_then(|topic| api.marker(topic))
                .is_some_and(|marked| marked == operation);
        }
    }

    /// The text handed on, of the run's own operation.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for received in self.handed_on.iter().filter(|received| received.own) {
            if let Payload::StreamChunk(Chunk::Text(chunk)) = received.event.payload() {
                text.push_str(chunk.content.as_deref().unwrap_or_default());
            }
        }
        text
    }

    /// What was expected and did not come, and what must never be. Empty: all is well.
    #[must_use]
    pub fn failures(&self, expect: &Expect) -> Vec<Unmet> {
        let bugs = self.bugs.iter().cloned().map(Unmet::anywhere);
        let mut failures: Vec<Unmet> = bugs.collect();
        if let Some((event, violation)) = &self.violation {
            failures.push(Unmet::anywhere(format!("event {event}: {violation}")));
        }
        let mut check = |holds: bool, path: &str, what: &dyn Fn() -> String| {
            if !holds {
                let path = format!("expect.{path}");
                failures.push(Unmet { path, what: what() });
            }
        };
        let outcome = self.outcome.as_ref().map_or("none", Outcome::name);
        if let Some(expected) = &expect.outcome {
            check(outcome == expected, "outcome", &|| {
                format!("expected {expected}, but it was {outcome}")
            });
        }
        if let Some(expected) = &expect.text {
            let text = self.text();
            check(text == *expected, "text", &|| {
                format!("expected {expected:?}, but it was {text:?}")
            });
        }
        if let Some(expected) = &expect.events {
            let kinds: Vec<&str> = self
                .handed_on
                .iter()
                .map(|received| received.event.kind.as_str())
                .collect();
            check(kinds == *expected, "events", &|| {
                format!("expected {expected:?}, but they were {kinds:?}")
            });
        }
        for (name, count) in &expect.effects {
            let times = self.times(name);
            check(
                count.admits(times),
                &format!("effects[\"{name}\"]"),
                &|| format!("expected {count}, but it occurred {}", times_text(times)),
            );
        }
        for (when, window) in &expect.when {
            let at = self.moment_of(when);
            let holds = at.is_some_and(|at| window.admits(at));
            check(holds, &format!("when[\"{when}\"]"), &|| {
                format!("expected {window}, but it was {}", moment(at))
            });
        }
        if let Some((index, missing)) = self.missing_in_order(&expect.order) {
            check(false, &format!("order[{index}]"), &|| {
                format!("{missing} does not follow the ones before it")
            });
        }
        for name in names::IGNORED {
            let times = self.times(&format!("ignored.{name}"));
            let allowed = expect.ignored.iter().any(|allowed| allowed == name);
            check(times == 0 || allowed, "ignored", &|| {
                format!("{name} is not expected, but occurred {}", times_text(times))
            });
        }
        let ended_at = self.ended_at.map(Timestamp::as_millis);
        if let Some(bound) = expect.ended_by {
            check(ended_at.is_some_and(|at| at <= bound), "ended_by", &|| {
                format!("expected {bound} ms, but it was {}", moment(ended_at))
            });
        }
        if let Some(bound) = expect.ended_after {
            check(
                ended_at.is_none_or(|at| at >= bound),
                "ended_after",
                &|| format!("expected {bound} ms, but it was {}", moment(ended_at)),
            );
        }
        if let Some(expected) = &expect.server_status {
            let status = self
                .server_status
                .as_ref()
                .map_or("none", OperationStatus::as_str);
            check(status == expected, "server_status", &|| {
                format!("expected {expected}, but it was {status}")
            });
        }
        if let Some(expected) = expect.marked {
            check(self.is_marked == expected, "marked", &|| {
                format!("expected {expected}, but it was {}", self.is_marked)
            });
        }
        if let Some(expected) = expect.tool_results {
            let count = self.tool_results.len() as u64;
            check(count == expected, "tool_results", &|| {
                format!("expected {expected}, but there were {count}")
            });
        }
        let receipt = &expect.receipt;
        let members = [
            ("delivered", receipt.delivered, self.receipt.delivered),
            ("replayed", receipt.replayed, self.receipt.replayed),
            ("duplicates", receipt.duplicates, self.receipt.duplicates),
            ("late", receipt.late, self.receipt.late),
            ("gaps", receipt.gaps, self.receipt.gaps),
            ("reconnects", receipt.reconnects, self.receipt.reconnects),
            ("refreshes", receipt.refreshes, self.receipt.refreshes),
            ("warnings", receipt.warnings, self.receipt.warnings),
        ];
        for (name, expected, actual) in members {
            if let Some(expected) = expected {
                check(actual == expected, &format!("receipt.{name}"), &|| {
                    format!("expected {expected}, but it was {actual}")
                });
            }
        }
        failures
    }

    /// How often an effect occurred, by its name in short or in full.
    #[must_use]
    pub fn times(&self, name: &str) -> u64 {
        let named = self.effects.iter();
        named
            .filter(|(full, _)| names::is_named(full, name))
            .count() as u64
    }

    /// When an effect occurred, ms; named as in `expect.when`.
    fn moment_of(&self, when: &str) -> Option<u64> {
        let (name, count) = Expect::parse_when(when)?;
        let named = self.effects.iter();
        let mut named = named.filter(|(full, _)| names::is_named(full, name));
        let (_, at) = named.nth(usize::try_from(count.checked_sub(1)?).ok()?)?;
        Some(at.as_millis())
    }

    fn missing_in_order<'a>(&self, expected: &'a [String]) -> Option<(usize, &'a str)> {
        let mut effects = self.effects.iter();
        let mut expected = expected.iter().map(String::as_str).enumerate();
        expected.find(|(_, name)| !effects.any(|(effect, _)| names::is_named(effect, name)))
    }
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

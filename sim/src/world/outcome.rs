use agent_gateway_machine::recording::Header;
use agent_gateway_machine::{
    AnswerId, Effect, EventReceived, Notification, Outcome, Receipt, State, Timestamp,
};
use agent_gateway_protocol::event::Chunk;
use agent_gateway_protocol::frame::ToolResult;
use agent_gateway_protocol::{OperationId, OperationStatus, Payload, ToolCallId, TopicId};

use super::comparison::{Comparison, Unmet};
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
        Comparison::of(self, expect)
    }

    /// How often an effect occurred, by its name in short or in full.
    #[must_use]
    pub fn times(&self, name: &str) -> u64 {
        let named = self.effects.iter();
        named
            .filter(|(full, _)| names::is_named(full, name))
            .count() as u64
    }
}

//! What only somebody who knows the server's side can see: that what is handed on is exactly the server's (I6), and
//! that an end comes after everything before it, and is the server's own (I10).

use agent_gateway_machine::{AnswerId, Effect, Effects, EventReceived, Notification, Outcome};
use agent_gateway_protocol::EventId;

use super::log::{Ended, Symbol};
use super::world::World;
use crate::invariant::Violation;

/// What the caller has been told of the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Truth {
    /// The id of the last event handed on.
    last: u8,
    /// Whether a gap was told after it.
    gap: bool,
}

impl Truth {
    /// Everything up to `cursor` is known already.
    pub(super) fn after(cursor: u8) -> Self {
        Self {
            last: cursor,
            gap: false,
        }
    }

    /// Looks at one step.
    pub(super) fn observe(&mut self, effects: &Effects, world: &World) -> Result<(), Violation> {
        let ends =
            |effect: &Effect| matches!(effect, Effect::Notify(Notification::RunEnded { .. }));
        let ends = effects.iter().any(ends);
        for effect in effects {
            let Effect::Notify(notification) = effect else {
                continue;
            };
            match notification {
                Notification::EventReceived(received) => self.hand_on(received, world)?,
                Notification::GapFound { .. } => {
                    // An end that only the API told comes without what was still on its way, and says so.
                    if world.gateway.forgotten == 0 && !ends {
                        let what = "a gap was told, and the gateway had kept everything";
                        return Err(violation("I6", what.into()));
                    }
                    self.gap = true;
                }
                Notification::AnswerUndeliverable {
                    answer: AnswerId::Tool(call),
                } if world.gateway.forgotten == 0 => {
                    // Where the gateway lost its buffer, the call's `tool_end` may have gone with it.
                    let what = format!("the result of {call} was given up");
                    return Err(violation("T3", what));
                }
                Notification::RunEnded { outcome, .. } => self.end(outcome, world)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn hand_on(&mut self, received: &EventReceived, world: &World) -> Result<(), Violation> {
        let id = match &received.cursor.id {
            Some(EventId::Number(number)) if received.cursor.epoch == 0 => *number as u8,
            _ => {
                let what = "an event was handed on from another epoch than the server's";
                return Err(violation("I6", what.into()));
            }
        };
        let symbol = world.gateway.log.get(usize::from(id).wrapping_sub(1));
        if symbol.and_then(|symbol| symbol.event()) != Some(received.event.kind.clone()) {
            let what = format!("event {id} was handed on, and is not the server's");
            return Err(violation("I6", what));
        }
        if id <= self.last {
            return Err(violation("I6", format!("event {id} was handed on twice")));
        }
        let missing = self.missing_before(id, world);
        if let Some(missing) = missing.filter(|_| !self.gap) {
            let what = format!("event {id} was handed on without {missing}, and no gap was told");
            return Err(violation("I6", what));
        }
        self.last = id;
        self.gap = false;
        Ok(())
    }

    fn end(&self, outcome: &Outcome, world: &World) -> Result<(), Violation> {
        let told = match outcome {
            Outcome::Completed => Some(Ended::Done),
            Outcome::Interrupted => Some(Ended::Interrupted),
            Outcome::Parked => Some(Ended::Parked),
            Outcome::EndedUnknown => None,
            Outcome::Failed(_) => {
                let what = format!("ended as {}, which no server said", outcome.name());
                return Err(violation("I10", what));
            }
            _ => return Ok(()),
        };
        let ended = world.server.ended;
        // The gateway says that it is over, and has forgotten why; where nobody else can be asked, no client can know.
        let is_misled = told.is_none() && world.gateway.has_forgotten_a_wait();
        if (ended.is_none() && !is_misled) || told.is_some_and(|told| ended != Some(told)) {
            let name = outcome.name();
            let what = format!("ended as {name}, and on the server it is {ended:?}");
            return Err(violation("I10", what));
        }
        let end = world
            .gateway
            .log
            .iter()
            .rposition(|symbol| symbol.ends().is_some());
        let missing = end.and_then(|end| self.missing_before(end as u8 + 2, world));
        if let Some(missing) = missing.filter(|_| !self.gap) {
            let what = format!("ended without {missing}, and no gap was told");
            return Err(violation("I10", what));
        }
        Ok(())
    }

    /// The first event before `id` that was not handed on.
    fn missing_before(&self, id: u8, world: &World) -> Option<u8> {
        let is_event = |id: &u8| {
            let symbol: Option<&Symbol> = world.gateway.log.get(usize::from(*id) - 1);
            symbol.is_some_and(|symbol| symbol.event().is_some())
        };
        (self.last + 1..id).find(is_event)
    }
}

pub(super) fn violation(invariant: &'static str, what: String) -> Violation {
    Violation { invariant, what }
}

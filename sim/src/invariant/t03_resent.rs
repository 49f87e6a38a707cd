use std::collections::BTreeSet;

use agent_gateway_machine::{AnswerId, Effect, EventKind, Notification};
use agent_gateway_protocol::{ClientFrame, ServerFrame, ToolCallId};

use super::{Invariant, Sort, Sorts, Step, objection};

/// T3: a tool result that was taken from the caller or sent, and that nobody has seen at the server, goes out (again) after
/// every `auth_success`.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct Resent {
    /// Taken or sent, and neither settled nor given up.
    waiting: BTreeSet<ToolCallId>,
}

impl Invariant for Resent {
    const ID: &'static str = "T3";
    const MOVED_BY: Sorts = Sorts::of(&[
        Sort::Command,
        Sort::AuthSuccess,
        Sort::ResultSent,
        Sort::AnswerTold,
    ]);

    /// While no result waits, only by a new one.
    #[inline(always)]
    fn is_moved_by(&self, step: &Step<'_>) -> bool {
        const NEW: Sorts = Sorts::of(&[Sort::Command, Sort::ResultSent]);
        step.sorts.meet(NEW) || (!self.waiting.is_empty() && step.sorts.meet(Self::MOVED_BY))
    }

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        let connects = matches!(
            step.event.kind,
            EventKind::FrameReceived {
                frame: ServerFrame::AuthSuccess,
                ..
            }
        );
        let mut missing = if connects && !step.has(Sort::Ignored) {
            self.waiting.clone()
        } else {
            BTreeSet::new()
        };
        self.waiting.extend(step.answered().cloned());
        for effect in step.effects {
            match effect {
                Effect::SendFrame {
                    frame: ClientFrame::ToolResult(result),
                    ..
                } => {
                    missing.remove(&result.tool_call_id);
                    self.waiting.insert(result.tool_call_id.clone());
                }
                Effect::Notify(
                    Notification::ToolSettled { call }
                    | Notification::AnswerWithdrawn {
                        answer: AnswerId::Tool(call),
                    }
                    | Notification::AnswerUndeliverable {
                        answer: AnswerId::Tool(call),
                    },
                ) => {
                    missing.remove(call);
                    self.waiting.remove(call);
                }
                _ => {}
            }
        }
        match missing.first() {
            None => Ok(()),
            Some(call) => objection(format_args!("the result of {call} was not sent")),
        }
    }
}

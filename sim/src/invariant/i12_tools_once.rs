use agent_gateway_machine::{AnswerId, Effect, EventKind, Notification, TokenId};
use agent_gateway_protocol::{ClientFrame, ToolCallId};
use litemap::LiteMap;

use super::{Invariant, Sort, Sorts, Step, objection};

/// I12: each tool call: at most one request of each caller, one result value, or one undeliverable or withdrawn report.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct ToolsOnce {
    calls: LiteMap<ToolCallId, Call>,
}

#[derive(Clone, Debug, Default, Hash)]
struct Call {
    /// By this caller, or one before it.
    known: bool,
    /// By this caller, as a woken state has another one.
    requested: bool,
    result: Option<ClientFrame<TokenId>>,
    reported: bool,
}

impl Invariant for ToolsOnce {
    const ID: &'static str = "I12";
    const MOVED_BY: Sorts = Sorts::of(&[
        Sort::AnswerTold,
        Sort::Command,
        Sort::Restored,
        Sort::ResultSent,
    ]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        match &step.event.kind {
            EventKind::Attach(attach) => {
                for call in &attach.open_calls {
                    self.call(&call.tool_call_id).known = true;
                }
            }
            EventKind::Restored { .. } => {
                for (_, call) in self.calls.iter_mut() {
                    call.requested = false;
                }
            }
            _ => {}
        }
        for effect in step.effects {
            match effect {
                Effect::Notify(Notification::ToolRequested { call, .. }) => {
                    let id = &call.tool_call_id;
                    let call = self.call(id);
                    if core::mem::replace(&mut call.requested, true) {
                        return objection(format_args!("{id} was requested twice"));
                    }
                    if call.result.is_some() || call.reported {
                        return objection(format_args!("{id} was requested after it was done"));
                    }
                    call.known = true;
                }
                Effect::Notify(
                    Notification::AnswerWithdrawn {
                        answer: AnswerId::Tool(id),
                    }
                    | Notification::AnswerUndeliverable {
                        answer: AnswerId::Tool(id),
                    },
                ) => {
                    let reported = core::mem::replace(&mut self.call(id).reported, true);
                    if reported {
                        return objection(format_args!("{id} was reported twice"));
                    }
                }
                Effect::SendFrame {
                    frame: frame @ ClientFrame::ToolResult(result),
                    ..
                } => {
                    let id = &result.tool_call_id;
                    let call = self.call(id);
                    if !call.known {
                        return objection(format_args!("{id} was answered and never requested"));
                    }
                    if call.reported {
                        return objection(format_args!("{id} was answered after it was given up"));
                    }
                    if call.result.get_or_insert_with(|| frame.clone()) != frame {
                        return objection(format_args!("{id} was answered with two values"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl ToolsOnce {
    fn call(&mut self, id: &ToolCallId) -> &mut Call {
        self.calls.entry(id.clone()).or_default()
    }
}

use agent_gateway_machine::{AnswerId, Effect, Notification, TokenId};
use agent_gateway_protocol::{ClientFrame, ToolCallId};
use litemap::LiteMap;

use super::{Invariant, Sort, Sorts, Step, objection};

/// I12: each tool call: at most one request, one result value, or one undeliverable or withdrawn report.
#[derive(Clone, Debug, Default, Hash)]
pub(super) struct ToolsOnce {
    calls: LiteMap<ToolCallId, Call>,
}

#[derive(Clone, Debug, Default, Hash)]
struct Call {
    requested: bool,
    result: Option<ClientFrame<TokenId>>,
    reported: bool,
}

impl Invariant for ToolsOnce {
    const ID: &'static str = "I12";
    const MOVED_BY: Sorts = Sorts::of(&[Sort::AnswerTold, Sort::ResultSent]);

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        for effect in step.effects {
            match effect {
                Effect::Notify(Notification::ToolRequested { call, .. }) => {
                    let id = &call.tool_call_id;
                    if core::mem::replace(&mut self.call(id).requested, true) {
                        return objection(format_args!("{id} was requested twice"));
                    }
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
                    if !call.requested {
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

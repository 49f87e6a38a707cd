use agent_gateway_machine::{
    AnswerId, ConnectionStatus, DialId, Effect, EventKind, Notification, State, Timestamp,
};
use agent_gateway_protocol::ToolCallId;
use litemap::LiteMap;

use crate::invariant::{Observation, answered};

/// The tool results that the gateway is owed: the call was told to the caller and answered in time, by them or, at its
/// deadline, by the machine (T2).
///
/// A debt is due once a socket that is authenticated, and waits for no token, has carried for as long as a frame takes.
/// Until then much excuses it: the socket is lost, the run ends, the server itself shows the call as done, or its time
/// is over. Then nothing does.
#[derive(Clone, Debug, Default)]
pub(super) struct Owed {
    /// By when the result arrives, if the socket keeps carrying.
    debts: LiteMap<ToolCallId, Option<Due>>,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    dial: DialId,
    at: Timestamp,
}

impl Owed {
    pub(super) fn is_empty(&self) -> bool {
        self.debts.is_empty()
    }

    /// What the machine was told, and what it answered. Mostly nothing is owed, and nobody answers.
    #[inline]
    pub(super) fn observe(&mut self, step: &Observation<'_>) {
        let answers = matches!(
            step.event.kind,
            EventKind::AnswerTool { .. } | EventKind::AlarmRang
        );
        if answers || !self.debts.is_empty() {
            self.follow(step);
        }
    }

    fn follow(&mut self, step: &Observation<'_>) {
        if let Some(call) = answered(step.event, step.effects) {
            self.debts.insert(call.clone(), None);
        }
        for effect in step.effects {
            let Effect::Notify(notification) = effect else {
                continue;
            };
            match notification {
                Notification::ToolTimedOut { call } => {
                    self.debts.insert(call.clone(), None);
                }
                Notification::ToolSettled { call }
                | Notification::AnswerWithdrawn {
                    answer: AnswerId::Tool(call),
                }
                | Notification::AnswerUndeliverable {
                    answer: AnswerId::Tool(call),
                } => self.pay(call),
                Notification::RunEnded { .. } => self.debts.clear(),
                _ => {}
            }
        }
    }

    /// The gateway has the result.
    pub(super) fn pay(&mut self, call: &ToolCallId) {
        self.debts.remove(call);
    }

    /// What was due before now is overdue: nothing excuses it any more.
    pub(super) fn call_in(&mut self, now: Timestamp, overdue: &mut Vec<ToolCallId>) {
        self.debts.retain(|call, due| {
            let is_overdue = due.is_some_and(|due| due.at < now);
            if is_overdue {
                overdue.push(call.clone());
            }
            !is_overdue
        });
    }

    /// On which dial results go out now, if on any, and by when one that leaves now arrives at the latest.
    pub(super) fn promise(&mut self, carries: Option<(DialId, Timestamp)>) {
        for (_, due) in self.debts.iter_mut() {
            let dial = carries.map(|(dial, _)| dial);
            if due.is_none_or(|due| Some(due.dial) != dial) {
                *due = carries.map(|(dial, at)| Due { dial, at });
            }
        }
    }
}

/// Whether results go out at once: connected, and no token is waited for (T3).
pub(super) fn sends_results(state: &State) -> bool {
    state.status() == ConnectionStatus::Connected
        && state
            .session()
            .is_some_and(|session| !matches!(session.token, "fetching" | "pausing"))
}

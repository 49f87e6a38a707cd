//! A server that gives reason after reason to dial, to ask, or to work (I19).

use serde_json::json;

use super::Dice;
use super::gateway::step;
use crate::script::{Act, Close, GatewayStep};

impl Dice {
    /// In three sessions of a hundred: twenty gusts or more, with hardly a pause.
    pub(super) fn storm(&mut self) -> Vec<GatewayStep> {
        self.is_stormy = self.rare.percent(3);
        if !self.is_stormy {
            return Vec::new();
        }
        let times = self.rare.between(20, 50);
        let pause = self.rare.between(5, 150);
        let kind = self.rare.below(4);
        let gust = |dice: &mut Self| match kind {
            0 => dice.expiry(),
            1 => dice.closing(),
            2 => vec![Act::SendFrame(json!({ "type": "session_complete" }))],
            _ => vec![dice.tool_execute()],
        };
        let mut steps = Vec::new();
        if kind == 2 {
            // Each is doubted: the run waits for an asynchronous tool (S9b).
            steps.push(step(0, Self::suspension()));
        }
        for _ in 0..times {
            let acts = gust(self);
            steps.extend(acts.into_iter().map(|act| step(pause, act)));
        }
        if kind == 2 {
            steps.push(step(0, Act::Initialize));
        }
        steps
    }

    /// The token is good for one event (S9).
    fn expiry(&mut self) -> Vec<Act> {
        vec![
            self.text(),
            Act::SendFrame(json!({ "type": "auth_expired" })),
        ]
    }

    /// The socket is good for one event (C6).
    fn closing(&mut self) -> Vec<Act> {
        let code = *self.rare.pick(&[1000, 1001, 1011]).unwrap_or(&1000);
        let close = Close {
            code,
            reason: String::new(),
        };
        vec![self.text(), Act::Close(close)]
    }
}

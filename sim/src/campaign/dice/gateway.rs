//! What the gateway and the server behind it do.

use super::Dice;
use crate::gateway::{Dialect, ResumeStyle};
use crate::script::{
    Act, Close, EndAct, EventAct, GatewayStep, PromptAct, Script, ToolEndAct, ToolExecuteAct,
};

impl Dice {
    pub(super) fn dialect(&mut self) -> Dialect {
        if self.random.percent(40) {
            return Dialect::default();
        }
        let styles = [
            ResumeStyle::ByNumber,
            ResumeStyle::ById,
            ResumeStyle::ByIdInclusive,
        ];
        Dialect {
            resume: self.pick(&styles, ResumeStyle::ByNumber),
            answers_resume: self.random.percent(60),
            any_end_completes: self.random.percent(30),
            counter_restarts: self.random.percent(30),
            keeps_status: self.random.percent(70),
            announces_expiry: self.random.percent(20),
            replay_delay: self.pick(&[0, 0, 0, 100, 1_500], 0),
            largest_frame: None,
        }
    }

    /// In four sessions of a hundred: a gateway with a limit of its own, and tools that give more than it takes (C7). What
    /// else a client says is within it.
    pub(super) fn narrow(&mut self, script: &mut Script) {
        const LARGEST: usize = 400;
        // Minutes on its way over a slow link, and with nothing to gain from it.
        if script.network.bytes_per_second.is_some() || !self.rare.percent(4) {
            return;
        }
        script.gateway.dialect.largest_frame = Some(LARGEST);
        for tool in script.user.tools.values_mut() {
            tool.content = "result ".repeat(LARGEST / 4);
        }
    }

    pub(super) fn server_steps(&mut self, faulty: bool) -> Vec<GatewayStep> {
        let mut steps = Vec::new();
        for _ in 0..self.random.between(1, 24) {
            let act = if faulty && self.random.percent(22) {
                self.fault()
            } else {
                self.deed()
            };
            let after = self.wait();
            let expires = matches!(act, Act::Expire | Act::AnnounceExpiry);
            let goes_silent = act == Act::GoSilent;
            steps.push(step(after, act));
            if goes_silent && self.random.percent(30) {
                // Long enough for the silence to be noticed (C5).
                steps.push(step(150_000, Act::Nothing));
            }
            if expires && self.random.percent(30) {
                // Said twice while the first is being dealt with (D3).
                let after = self.random.below(60);
                let again = serde_json::json!({ "type": "auth_expired" });
                steps.push(step(after, Act::SendFrame(again)));
            }
            if self.random.percent(4) {
                steps.extend(self.intermission());
            }
        }
        if faulty {
            steps.extend(self.storm());
            // The faults are over: what sleeps wakes, and nothing is silent for ever.
            steps.push(step(0, Act::Drop));
        }
        let after = self.wait();
        steps.push(step(after, Act::End(self.end())));
        if faulty && self.random.percent(10) {
            // The server leaves its marker behind.
            steps.push(step(0, Act::Mark("{operation}".into())));
        }
        if self.random.percent(50) {
            let event = EventAct {
                kind: "step_complete".into(),
                data: None,
                step: None,
                operation: None,
            };
            steps.push(step(10, Act::Event(event)));
        }
        steps
    }

    /// The run ends on the server and is started again (D12), or waits for an asynchronous tool (S9b).
    fn intermission(&mut self) -> Vec<GatewayStep> {
        let reason = self.pick(&["done", "waiting_for_async_tool"], "done");
        if reason == "done" && self.random.percent(70) {
            return Vec::new();
        }
        let wait = self.wait();
        vec![step(50, Self::suspension()), step(wait, Act::Initialize)]
    }

    fn end(&mut self) -> EndAct {
        let reasons = [
            "done",
            "completed",
            "success",
            "error",
            "waiting_for_human",
            "cancelled",
        ];
        let reason = self.pick(&reasons, "done");
        EndAct {
            reason: self.random.percent(90).then(|| reason.into()),
            detail: None,
            error_type: None,
        }
    }

    /// Something a healthy server does.
    fn deed(&mut self) -> Act {
        match self.random.below(20) {
            0..=10 => self.text(),
            11 => Act::Reasoning("hm ".into()),
            12 | 13 => self.tool_execute(),
            14 if self.calls > 0 => Act::ToolEnd(ToolEndAct {
                call: format!("call_{}", self.random.between(1, self.calls)),
                tool: "tools/run".into(),
                success: Some(true),
                content: None,
            }),
            15 => self.foreign(),
            16 => Act::Event(EventAct {
                kind: "error".into(),
                data: Some(serde_json::json!({ "error": "x", "phase": "tool_execution" })),
                step: None,
                operation: None,
            }),
            17 => Act::RequestConfirmation(PromptAct {
                id: format!("prompt_{}", self.texts),
                prompt: "may it?".into(),
                timeout: None,
            }),
            18 => Act::RequestInput(PromptAct {
                id: format!("prompt_{}", self.texts),
                prompt: "what?".into(),
                timeout: None,
            }),
            _ => Act::Event(EventAct {
                kind: "step_start".into(),
                data: Some(serde_json::json!({})),
                step: None,
                operation: None,
            }),
        }
    }

    pub(super) fn text(&mut self) -> Act {
        self.texts += 1;
        Act::Text(format!("{} ", self.texts))
    }

    pub(super) fn tool_execute(&mut self) -> Act {
        // Now and then a call comes again (T4).
        if self.calls == 0 || self.random.percent(85) {
            self.calls += 1;
        }
        Act::ToolExecute(ToolExecuteAct {
            call: format!("call_{}", self.calls),
            tool: "tools/run".into(),
            arguments: serde_json::Value::Null,
            timeout: self.pick(&[None, Some(200), Some(3_000), Some(-1)], None),
        })
    }

    /// The run waits for an asynchronous tool (S9b).
    pub(super) fn suspension() -> Act {
        Act::End(EndAct {
            reason: Some("waiting_for_async_tool".into()),
            ..EndAct::default()
        })
    }

    fn foreign(&mut self) -> Act {
        let kind = self.pick(&["stream_chunk", "agent_runtime_end"], "stream_chunk");
        let data = if kind == "stream_chunk" {
            serde_json::json!({ "chunkType": "text", "content": "theirs" })
        } else {
            serde_json::json!({ "reason": "done" })
        };
        Act::Event(EventAct {
            kind: kind.into(),
            data: Some(data),
            step: None,
            operation: Some("op_member".into()),
        })
    }

    /// Something a gateway may do to its clients.
    fn fault(&mut self) -> Act {
        match self.random.below(19) {
            0..=3 => Act::Drop,
            4 | 5 => {
                let codes = [1000, 1001, 1006, 1008, 1009, 1011, 1012, 4321];
                let code = self.pick(&codes, 1000);
                Act::Close(Close {
                    code,
                    reason: String::new(),
                })
            }
            6 => Act::GoSilent,
            7 | 8 => Act::Expire,
            9 => Act::AnnounceExpiry,
            10 => Act::Hibernate,
            11 => Act::Restart,
            12 => Act::CutBuffer(usize::try_from(self.random.below(4)).unwrap_or(0)),
            13 => Act::SendText("{broken".into()),
            14 => Act::Mark("op_other".into()),
            15 => Act::SendFrame(serde_json::json!({ "type": "party" })),
            16 => Act::Forget,
            // Behind the next redial, or at once: a rollout.
            17 => Act::BecomeDialect(self.dialect()),
            _ => Act::ExpireTokens,
        }
    }
}

pub(super) fn step(after: u64, act: Act) -> GatewayStep {
    GatewayStep {
        when: None,
        after,
        act,
    }
}

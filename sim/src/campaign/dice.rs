use agent_gateway_machine::Limits;
use agent_gateway_protocol::trpc::TrpcCode;

use crate::api::{Behaviour, Page, Plan, ProcedureName, Refuse, TokenTerms};
use crate::gateway::{Dialect, ResumeStyle};
use crate::random::Random;
use crate::script::{
    Act, AnswerAct, ApiSection, ApproveAct, AttachAct, ClockAct, ClockStep, Close, EndAct,
    EventAct, Expect, GatewaySection, GatewayStep, NetworkAct, NetworkSection, NetworkStep,
    OwnTokens, PromptAct, Renewal, RenewalAnswer, RunningRun, Script, ToolEndAct, ToolExecuteAct,
    ToolPolicy, UserAct, UserSection, UserStep,
};

/// The operation of a run that is going before the client comes.
const RUNNING: &str = "op_running";

/// The script of this seed: a session with faults, then a fair end.
///
/// Its texts are the numbers 1, 2, 3, … in the order in which the server says them.
#[must_use]
pub fn random_script(seed: u64) -> Script {
    let mut dice = Dice::new(seed);
    let faulty = dice.random.percent(85);
    dice.script(seed, faulty)
}

/// As [`random_script`], without any fault; the user may still stop or leave.
#[must_use]
pub fn calm_script(seed: u64) -> Script {
    Dice::new(seed).script(seed, false)
}

struct Dice {
    random: Random,
    texts: u64,
    calls: u64,
}

impl Dice {
    fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            texts: 0,
            calls: 0,
        }
    }

    fn script(mut self, seed: u64, faulty: bool) -> Script {
        let dice = &mut self;
        let attaches = dice.random.percent(25);
        let running = attaches.then(|| RunningRun {
            operation: RUNNING.into(),
            topic: "tpc_1".into(),
        });
        let steps = dice.server_steps(faulty);
        let span: u64 = steps.iter().map(|step| step.after).sum();
        let mut script = Script {
            schema: None,
            about: format!("campaign seed {seed}"),
            rules: Vec::new(),
            seed,
            limits: Limits::default(),
            gateway: GatewaySection {
                dialect: dice.dialect(),
                running,
                steps,
                reactions: Vec::new(),
            },
            api: ApiSection::default(),
            user: dice.user(attaches, span, faulty),
            network: NetworkSection {
                latency: *dice.random.pick(&[1, 5, 20, 80, 300]).unwrap_or(&20),
                jitter: *dice.random.pick(&[0, 0, 10, 200]).unwrap_or(&0),
                tells_late: faulty && dice.random.percent(30),
                steps: Vec::new(),
            },
            clock: Vec::new(),
            history: Vec::new(),
            expect: Expect::default(),
        };
        if faulty {
            script.api = dice.api();
            script.network.steps = dice.network(span);
            script.clock = dice.clock(span);
        }
        script
    }

    fn pick<T: Clone>(&mut self, items: &[T], otherwise: T) -> T {
        self.random.pick(items).cloned().unwrap_or(otherwise)
    }

    /// A wait, mostly short, now and then long enough for a timer to matter.
    fn wait(&mut self) -> u64 {
        match self.random.below(20) {
            0..=5 => 0,
            6..=14 => self.random.between(1, 400),
            15..=17 => self.random.between(400, 6_000),
            18 => self.random.between(6_000, 40_000),
            _ => self.random.between(40_000, 400_000),
        }
    }

    fn dialect(&mut self) -> Dialect {
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
        }
    }

    fn server_steps(&mut self, faulty: bool) -> Vec<GatewayStep> {
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
        let end = EndAct {
            reason: Some("waiting_for_async_tool".into()),
            ..EndAct::default()
        };
        let wait = self.wait();
        vec![step(50, Act::End(end)), step(wait, Act::Initialize)]
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
            0..=10 => {
                self.texts += 1;
                Act::Text(format!("{} ", self.texts))
            }
            11 => Act::Reasoning("hm ".into()),
            12 | 13 => {
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
        match self.random.below(17) {
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
            _ => Act::ExpireTokens,
        }
    }

    fn user(&mut self, attaches: bool, span: u64, faulty: bool) -> UserSection {
        let first = if attaches {
            UserAct::Attach(AttachAct {
                cursor: None,
                executes_tools: self.random.percent(50),
                without_topic: faulty && self.random.percent(10),
            })
        } else {
            match self.random.below(20) {
                0..=8 => UserAct::Execute("go".into()),
                9..=17 => UserAct::ExecuteInTopic("go".into()),
                _ => UserAct::Approve(ApproveAct {
                    operation: "op_parked".into(),
                    call: "call_parked".into(),
                }),
            }
        };
        let wait = if attaches {
            self.random.below(span.clamp(1, 5_000))
        } else {
            0
        };
        let mut steps = vec![user_step(wait, first)];
        if self.random.percent(45) {
            for _ in 0..self.random.between(1, 3) {
                let wait = self.wait();
                steps.extend(
                    self.whim()
                        .into_iter()
                        .map(|(after, act)| user_step(wait + after, act)),
                );
            }
        }
        let policy = ToolPolicy {
            content: "result".into(),
            after: self.pick(&[0, 50, 1_000, 150_000], 0),
            times: self.pick(&[1, 1, 1, 0, 2], 1),
            fails: self.random.percent(20),
        };
        UserSection {
            steps,
            tools: [("run".to_owned(), policy)].into(),
            tokens: self.random.percent(15).then(|| self.own_tokens(faulty)),
        }
    }

    fn own_tokens(&mut self, faulty: bool) -> OwnTokens {
        if !faulty {
            return OwnTokens::default();
        }
        let answers = [
            RenewalAnswer::Token,
            RenewalAnswer::Token,
            RenewalAnswer::None,
            RenewalAnswer::Never,
        ];
        let count = self.random.below(4);
        OwnTokens {
            lifetime: self.pick(&[None, Some(2_000), Some(30_000)], None),
            renews: self.random.percent(80),
            renewals: (0..count)
                .map(|_| Renewal {
                    after: self.wait(),
                    answer: self.pick(&answers, RenewalAnswer::Token),
                })
                .collect(),
        }
    }

    fn whim(&mut self) -> Vec<(u64, UserAct)> {
        match self.random.below(12) {
            0..=2 => vec![(0, UserAct::Stop)],
            3 => vec![(0, UserAct::Stop), (300, UserAct::Detach)],
            4 => vec![(0, UserAct::Detach)],
            5 => vec![(0, UserAct::Interrupt)],
            6 => vec![
                (0, UserAct::PauseReading),
                (self.wait(), UserAct::ResumeReading),
            ],
            7 | 8 => vec![(0, UserAct::Restore)],
            9 => vec![(
                0,
                UserAct::Confirm(format!("prompt_{}", self.random.below(9))),
            )],
            10 => vec![(
                0,
                UserAct::AnswerInput(AnswerAct {
                    id: format!("prompt_{}", self.random.below(9)),
                    content: "typed".into(),
                }),
            )],
            _ => vec![(
                0,
                UserAct::AnswerTool(AnswerAct {
                    id: format!("call_{}", self.random.below(9)),
                    content: "early".into(),
                }),
            )],
        }
    }

    fn api(&mut self) -> ApiSection {
        let mut section = ApiSection {
            settles_markers: self.random.percent(70),
            ..ApiSection::default()
        };
        for procedure in ProcedureName::ALL {
            let chance = if procedure == ProcedureName::ExecAgent {
                20
            } else {
                30
            };
            if self.random.percent(chance) {
                let count = self.random.between(1, 2);
                let behaviours = (0..count).map(|_| self.behaviour()).collect();
                section.calls.insert(procedure, behaviours);
            }
        }
        section
    }

    fn behaviour(&mut self) -> Behaviour {
        let refuse = |code, message: &str| {
            Plan::Refuse(Refuse {
                code,
                message: message.into(),
                retry_after: None,
            })
        };
        let answer = match self.random.below(14) {
            0..=6 => Plan::Usual,
            7 => refuse(TrpcCode::InternalServerError, "boom"),
            8 => refuse(TrpcCode::TooManyRequests, "slow down"),
            9 => Plan::Page(Page {
                status: 502,
                content_type: "text/html".into(),
                body: "<html>Bad gateway</html>".into(),
                retry_after: None,
            }),
            10 | 11 => Plan::Lost,
            12 => Plan::Never,
            _ => Plan::Reply(serde_json::json!({ "odd": true })),
        };
        Behaviour {
            delay: self.pick(&[0, 100, 2_000, 15_000], 0),
            times: 1,
            answer,
            carried_out: None,
            token: self.random.percent(20).then(|| TokenTerms {
                lifetime: self.pick(&[None, Some(2_000)], None),
                refused: None,
                early: self.pick(&[0, 800], 0),
                missing: self.random.percent(30),
            }),
        }
    }

    fn network(&mut self, span: u64) -> Vec<NetworkStep> {
        let mut steps = Vec::new();
        for _ in 0..self.random.below(5) {
            let at = self.random.below(span + 2_000);
            match self.random.below(10) {
                0..=2 => steps.push(network_step(at, NetworkAct::Cut)),
                3 => steps.push(network_step(at, NetworkAct::HalfOpen)),
                4 => steps.push(network_step(
                    at,
                    NetworkAct::Latency(self.random.between(1, 2_000)),
                )),
                8 => steps.push(network_step(at, NetworkAct::Delay(self.wait()))),
                5 | 6 => {
                    steps.push(network_step(at, NetworkAct::Offline));
                    let back = at + self.wait();
                    steps.push(network_step(back, NetworkAct::Online));
                }
                7 => steps.push(network_step(
                    at,
                    NetworkAct::RefuseDials(u32::try_from(self.random.between(1, 6)).unwrap_or(1)),
                )),
                _ => steps.push(network_step(at, NetworkAct::HangDials(1))),
            }
        }
        steps
    }

    fn clock(&mut self, span: u64) -> Vec<ClockStep> {
        let mut steps = Vec::new();
        if self.random.percent(15) {
            let at = self.random.below(span + 1_000);
            let span = self.wait();
            let act = match self.random.below(3) {
                0 => ClockAct::JumpForward(span),
                1 => ClockAct::JumpBack(span.min(5_000)),
                _ => ClockAct::Sleep(span),
            };
            steps.push(ClockStep { at, act });
        }
        steps
    }
}

fn step(after: u64, act: Act) -> GatewayStep {
    GatewayStep {
        when: None,
        after,
        act,
    }
}

fn user_step(after: u64, act: UserAct) -> UserStep {
    UserStep {
        when: None,
        after,
        act,
    }
}

fn network_step(at: u64, act: NetworkAct) -> NetworkStep {
    NetworkStep { at, act }
}

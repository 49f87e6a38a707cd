//! What the user does.

use super::Dice;
use crate::script::{
    AnswerAct, ApproveAct, AttachAct, OwnTokens, Renewal, RenewalAnswer, ToolPolicy, UserAct,
    UserSection, UserStep,
};

impl Dice {
    pub(super) fn user(&mut self, attaches: bool, span: u64, faulty: bool) -> UserSection {
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
}

fn user_step(after: u64, act: UserAct) -> UserStep {
    UserStep {
        when: None,
        after,
        act,
    }
}

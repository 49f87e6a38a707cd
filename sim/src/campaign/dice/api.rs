//! How the API answers.

use agent_gateway_protocol::trpc::TrpcCode;

use super::Dice;
use crate::api::{Behaviour, Page, Plan, ProcedureName, Refuse, TokenTerms};
use crate::script::ApiSection;

impl Dice {
    pub(super) fn api(&mut self) -> ApiSection {
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
}

use std::collections::BTreeMap;

use agent_gateway_machine::{self as machine, Millis, Notification, Timestamp, ToolAnswer};
use agent_gateway_protocol::event::ToolExecute;
use litemap::LiteMap;

use crate::script::{OwnTokens, Renewal, ToolPolicy, UserAct, UserSection, UserStep};

/// The user of a script, and how far they are.
#[derive(Clone, Debug)]
pub(super) struct User<'a> {
    steps: &'a [UserStep],
    tools: &'a BTreeMap<String, ToolPolicy>,
    tokens: Option<&'a OwnTokens>,
    /// How often a new token was asked for.
    renewals: usize,
    at: usize,
    /// When the step before was done, or what the next one waits for happened.
    since: Timestamp,
    heard: LiteMap<&'static str, u64>,
    waited: LiteMap<&'a str, u64>,
}

impl<'a> User<'a> {
    pub(super) fn new(section: &'a UserSection) -> Self {
        Self {
            steps: &section.steps,
            tools: &section.tools,
            tokens: section.tokens.as_ref(),
            renewals: 0,
            at: 0,
            since: Timestamp::ZERO,
            heard: LiteMap::new(),
            waited: LiteMap::new(),
        }
    }

    /// Hears a notification: the step that waits for it has its turn.
    pub(super) fn hear(&mut self, notification: &Notification, now: Timestamp) {
        if self.steps.get(self.at).is_none() {
            return;
        }
        let waited_before = self.is_ready();
        *self.heard.entry(notification.name()).or_default() += 1;
        if !waited_before && self.is_ready() {
            self.since = self.since.max(now);
        }
    }

    /// When the next step is due; `None` while it waits, or when all is done.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let step = self.steps.get(self.at)?;
        self.is_ready().then(|| self.since.plus(Millis(step.after)))
    }

    /// The next step, if it is due.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<UserAct> {
        let due = self.deadline().filter(|at| *at <= now)?;
        let step = self.steps.get(self.at)?;
        if let Some((name, count)) = step.when.as_deref().and_then(UserStep::parse_when) {
            *self.waited.entry(name).or_default() += count;
        }
        let act = step.act.clone();
        self.at += 1;
        self.since = due;
        Some(act)
    }

    /// Where the user's fresh tokens come from; `None`: the user has no tokens of their own.
    pub(super) fn token_source(&self) -> Option<machine::Renewal> {
        let tokens = self.tokens?;
        Some(if tokens.renews {
            machine::Renewal::Caller
        } else {
            machine::Renewal::Never
        })
    }

    /// How long the user's own tokens are good, if the script says so.
    pub(super) fn token_lifetime(&self) -> Option<Millis> {
        self.tokens?.lifetime.map(Millis)
    }

    /// What the user does now that a new token is asked for.
    pub(super) fn renew_token(&mut self) -> Renewal {
        let renewals = self.tokens.map(|tokens| &tokens.renewals);
        let renewal = renewals.and_then(|renewals| renewals.get(self.renewals).copied());
        self.renewals += 1;
        renewal.unwrap_or_default()
    }

    /// How a call is answered: after which waits, and with what.
    pub(super) fn answers(&self, call: &ToolExecute) -> Vec<(Millis, ToolAnswer)> {
        let full = format!("{}/{}", call.identifier, call.api_name);
        let policy = self
            .tools
            .get(&full)
            .or_else(|| self.tools.get(&*call.api_name));
        let Some(policy) = policy else {
            let text = format!("there is no tool {full} here");
            let answer = ToolAnswer::failure("executor_not_found", &text);
            return vec![(Millis::ZERO, answer)];
        };
        let answer = if policy.fails {
            ToolAnswer::failure("client_tool_execution_error", &policy.content)
        } else {
            ToolAnswer::success(policy.content.as_str())
        };
        (1..=u64::from(policy.times))
            .map(|time| (Millis(policy.after).times(time), answer.clone()))
            .collect()
    }

    fn is_ready(&self) -> bool {
        let Some(step) = self.steps.get(self.at) else {
            return false;
        };
        let Some((name, count)) = step.when.as_deref().and_then(UserStep::parse_when) else {
            return true;
        };
        let heard = self.heard.get(name).copied().unwrap_or_default();
        let waited = self.waited.get(name).copied().unwrap_or_default();
        heard >= waited + count
    }
}

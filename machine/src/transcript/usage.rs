use agent_gateway_protocol::{Object, RawJson};
use serde::{Deserialize, Serialize};

/// Tokens and cost of model calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read by models.
    pub input_tokens: u64,
    /// Tokens written by models.
    pub output_tokens: u64,
    /// All tokens; the sum of both where the server does not tell it.
    pub total_tokens: u64,
    /// Cost in billionths of a US dollar, where told.
    pub cost: Option<u64>,
}

impl Usage {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn read(json: &RawJson) -> Self {
        let Some(mut members) = Object::parse(json) else {
            return Self::default();
        };
        let mut count = |key: &str| members.take::<u64>(key);
        let input = count("totalInputTokens").unwrap_or(0);
        let output = count("totalOutputTokens").unwrap_or(0);
        let total = count("totalTokens");
        Self {
            input_tokens: input,
            output_tokens: output,
            total_tokens: total.unwrap_or_else(|| input.saturating_add(output)),
            cost: members.get("cost").and_then(dollars),
        }
    }

    pub(super) fn add(&mut self, more: Self) {
        self.input_tokens = self.input_tokens.saturating_add(more.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(more.output_tokens);
        self.total_tokens = self.total_tokens.saturating_add(more.total_tokens);
        if let Some(cost) = more.cost {
            self.cost = Some(self.cost.unwrap_or(0).saturating_add(cost));
        }
    }
}

/// What was told of usage, by who told it. The sources overlap, so they are never added to each other: the whole run's
/// sum wins, else the turns', else the answers'.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Tally {
    /// `stream_end`, each answer of a run made by LobeHub.
    pub(super) answers: Usage,
    /// `turn_metadata`, each turn of a run made elsewhere.
    pub(super) turns: Usage,
    /// `result_usage`, the whole of a run made elsewhere.
    pub(super) whole: Option<Usage>,
}

impl Tally {
    pub(super) fn sum(&self) -> Usage {
        match self.whole {
            Some(whole) => whole,
            None if self.turns.is_empty() => self.answers,
            None => self.turns,
        }
    }
}

/// Dollars, a fraction on the wire, as billionths. Nothing negative, nothing that is no number.
pub(super) fn dollars(json: &RawJson) -> Option<u64> {
    let dollars: f64 = json.decode().ok()?;
    if !(0.0..=1e9).contains(&dollars) {
        return None;
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1e18 by the check above"
    )]
    let billionths = (dollars * 1e9 + 0.5) as u64;
    Some(billionths)
}

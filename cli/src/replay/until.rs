use std::fmt;
use std::str::FromStr;

use agent_gateway_machine::Timestamp;
use agent_gateway_machine::recording::Replayed;
use agent_gateway_sim::names::{self, did_you_mean};

use crate::duration;

/// Where a replay stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// After so many events.
    Events(usize),
    /// Before the first event later than this.
    Time(Timestamp),
    /// After the first event of this name, or with an effect of this name.
    Name(String),
}

impl Until {
    /// Whether the replay stops before this step.
    pub(super) fn is_before(&self, replayed: &Replayed<'_>) -> bool {
        match self {
            Self::Events(count) => replayed.index >= *count,
            Self::Time(time) => replayed.step.event.at > *time,
            Self::Name(_) => false,
        }
    }

    /// Whether the replay stops after this step.
    pub(super) fn is_at(&self, replayed: &Replayed<'_>) -> bool {
        match self {
            Self::Events(count) => replayed.index + 1 == *count,
            Self::Time(_) => false,
            Self::Name(name) => {
                let has_name =
                    |effect| names::effect_is(effect, name) || names::effect_detail(effect) == name;
                replayed.step.event.kind.name() == name || replayed.effects.iter().any(has_name)
            }
        }
    }
}

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(count) = text.parse() {
            return Ok(Self::Events(count));
        }
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let time = duration::parse(text)?;
            return Ok(Self::Time(Timestamp::ZERO.plus(time)));
        }
        if names::EVENTS.contains(&text) || names::is_effect(text) || names::is_detail(text) {
            return Ok(Self::Name(text.to_owned()));
        }
        let known = names::EVENTS.into_iter().map(str::to_owned);
        let known = known.chain(names::effects()).chain(names::details());
        Err(format!(
            "a number of events, a time such as 1500ms or 2.5s, or the name of an event or effect such as run_ended{}",
            did_you_mean(text, known)
        ))
    }
}

impl fmt::Display for Until {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Events(count) => write!(formatter, "{count}"),
            Self::Time(time) => write!(formatter, "{}ms", time.as_millis()),
            Self::Name(name) => formatter.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_a_time_and_a_name_are_told_apart() {
        let time = |ms| Ok(Until::Time(Timestamp::from_millis(ms)));
        assert_eq!("12".parse(), Ok(Until::Events(12)));
        assert_eq!("1500ms".parse(), time(1_500));
        assert_eq!("2.5s".parse(), time(2_500));
        for name in [
            "run_ended",
            "send_frame.resume",
            "send_request",
            "alarm_rang",
        ] {
            assert_eq!(name.parse(), Ok(Until::Name(name.into())));
        }
        for text in ["", "party", "5 apples", "-1", "run_ended.never"] {
            assert!(text.parse::<Until>().is_err(), "{text}");
        }
        let error = "send_frame.resme".parse::<Until>().unwrap_err();
        assert!(error.ends_with(": did you mean `send_frame.resume`?"));
    }
}

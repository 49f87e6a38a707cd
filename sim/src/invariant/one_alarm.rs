use agent_gateway_machine::{Alarm, Effect, EventKind, Limits, Renaming};

use super::{Invariant, Observation};

/// The alarm contract: it comes last in the list, only when it differs from what the hands know, and every ring is
/// answered.
#[derive(Clone, Debug, Hash)]
pub(super) struct OneAlarm {
    /// What the hands know; `None` once it rang.
    told: Option<Option<Alarm>>,
}

impl Default for OneAlarm {
    fn default() -> Self {
        Self { told: Some(None) }
    }
}

impl Invariant for OneAlarm {
    const ID: &'static str = "alarm";

    fn observe(&mut self, step: &Observation<'_>) -> Result<(), String> {
        if matches!(
            step.event.kind,
            EventKind::AlarmRang | EventKind::Restored { .. }
        ) {
            self.told = None;
        }
        let count = step.effects.len();
        for (index, effect) in step.effects.iter().enumerate() {
            if let Effect::SetAlarm(alarm) = effect {
                if index + 1 != count {
                    return Err("the alarm is not the last effect".into());
                }
                if self.told == Some(*alarm) {
                    return Err("the alarm was told twice".into());
                }
                self.told = Some(*alarm);
            }
        }
        match self.told {
            None => Err("a ring was not answered".into()),
            Some(told) if told != step.state.alarm() => {
                Err("the hands know another alarm than the state".into())
            }
            Some(_) => Ok(()),
        }
    }

    fn rename(&mut self, names: &mut Renaming, _: &Limits) {
        if let Some(Some(alarm)) = &mut self.told {
            alarm.at = names.moment(alarm.at);
        }
    }
}

use agent_gateway_machine::{Alarm, ConnectionStatus, Effect, Effects, Limits, Renaming};

use super::{Invariant, Sort, Sorts, Step, objection};

/// The alarm contract: it comes last in the list, only when it differs from what the hands know, and every ring is
/// answered. While connected it rings within the time of a beat, whatever else waits: a gateway closes a socket on which it
/// hears nothing (C5).
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

    /// Where no alarm is told or rings, and the hands know the state's, there is nothing to say.
    #[inline(always)]
    fn is_moved_by(&self, step: &Step<'_>) -> bool {
        const TELLING: Sorts = Sorts::of(&[Sort::Ring, Sort::Restored, Sort::Alarm]);
        step.sorts.meet(TELLING) || self.told != Some(step.state.alarm())
    }

    fn observe(&mut self, step: &Step<'_>) -> Result<(), String> {
        if step.has(Sort::Ring) || step.has(Sort::Restored) {
            self.told = None;
        }
        if step.has(Sort::Alarm) {
            self.tell(step.effects)?;
        }
        match self.told {
            None => objection(format_args!("a ring was not answered")),
            Some(told) if told != step.state.alarm() => {
                objection(format_args!("the hands know another alarm than the state"))
            }
            Some(told) => rings_for_a_beat(step, told),
        }
    }

    fn rename(&mut self, names: &mut Renaming, _: &Limits) {
        if let Some(Some(alarm)) = &mut self.told {
            alarm.at = names.moment(alarm.at);
        }
    }
}

impl OneAlarm {
    fn tell(&mut self, effects: &Effects) -> Result<(), String> {
        for (index, effect) in effects.iter().enumerate() {
            if let Effect::SetAlarm(alarm) = effect {
                if index + 1 != effects.len() {
                    return objection(format_args!("the alarm is not the last effect"));
                }
                if self.told == Some(*alarm) {
                    return objection(format_args!("the alarm was told twice"));
                }
                self.told = Some(*alarm);
            }
        }
        Ok(())
    }
}

fn rings_for_a_beat(step: &Step<'_>, told: Option<Alarm>) -> Result<(), String> {
    let beat = step.now.plus(step.state.config().limits.heartbeat_interval);
    let is_connected = step.state.status() == ConnectionStatus::Connected;
    if is_connected && told.is_none_or(|alarm| alarm.at > beat) {
        return objection(format_args!("no beat is due"));
    }
    Ok(())
}

//! What must hold over time, in every history: one file for each invariant of the lifecycle.
//!
//! [`Invariants`] is fed each event with the effects it had and the state after it. It needs no gateway: a history of
//! a simulated run, of a real one, of random events or of an exhaustive walk will do. What a single state can show
//! (I13 and parts of I3 and I4) is [`State::check`]; what needs the server's side (I6's "exactly the server's", I16)
//! is looked at by whoever plays the server.

mod i01_ends_once;
mod i02_no_late_dial;
mod i03_settled_is_quiet;
mod i04_one_of_each;
mod i05_auth_first;
mod i06_in_order;
mod i07_resume_from_cursor;
mod i08_backoff;
mod i09_silence;
mod i10_only_a_terminal_completes;
mod i11_stop_interrupts;
mod i12_tools_once;
mod i14_stale_is_ignored;
mod i18_marker;
mod i19_pace;
mod one_alarm;
mod step;
mod t03_resent;
#[cfg(test)]
mod tests;

use core::fmt;

use agent_gateway_machine::{Effects, Event, Limits, Renaming, State, Timestamp};

use step::{Sort, Sorts, Step};

pub(crate) use i07_resume_from_cursor::tells_an_end;
pub(crate) use step::answered;

/// One step of a history.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// What happened.
    pub event: &'a Event,
    /// What the machine answered.
    pub effects: &'a Effects,
    /// The state after it.
    pub state: &'a State,
}

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's id, such as `I4`.
    pub invariant: &'static str,
    /// What was seen, for a person.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.invariant, self.what)
    }
}

impl core::error::Error for Violation {}

/// One invariant: it watches a history and objects.
trait Invariant {
    /// Its id.
    const ID: &'static str;

    /// What can move it: it neither remembers nor objects to anything in a step without these.
    const MOVED_BY: Sorts = Sorts::ALL;

    /// Whether this step can move it, as far as that is told at a glance: what it remembers may say more than the sorts.
    #[inline(always)]
    fn is_moved_by(&self, step: &Step<'_>) -> bool {
        step.sorts.meet(Self::MOVED_BY)
    }

    /// Looks at one step.
    ///
    /// # Errors
    /// What was seen that must never be.
    fn observe(&mut self, step: &Step<'_>) -> Result<(), String>;

    /// Follows a state that has become canonical: what is remembered is called by its new name.
    fn rename(&mut self, _names: &mut Renaming, _limits: &Limits) {}
}

macro_rules! invariants {
    ($($field:ident: $type:ty,)*) => {
        /// Every invariant that spans time, watching one history.
        #[derive(Clone, Debug, Default, Hash)]
        pub struct Invariants {
            /// The latest reading of the clock: an earlier one counts as this one (C14).
            clock: Timestamp,
            $($field: $type,)*
        }

        impl Invariants {
            /// Looks at one step of the history.
            ///
            /// # Errors
            /// The first invariant that the step breaks.
            pub fn observe(&mut self, observation: &Observation<'_>) -> Result<(), Violation> {
                if let Err(what) = observation.state.check() {
                    return Err(Violation { invariant: "check", what });
                }
                let step = &Step::new(observation, self.clock);
                self.clock = step.now;
                $(observe(&mut self.$field, step)?;)*
                Ok(())
            }

            #[cfg(test)]
            fn probe(&self, observation: &Observation<'_>) {
                let step = &Step::new(observation, self.clock);
                $(tests::probe(&self.$field, step);)*
            }

            /// Follows a state that has become canonical (see [`State::canonicalize`]).
            pub fn rename(&mut self, names: &mut Renaming, limits: &Limits) {
                self.clock = names.moment(self.clock);
                $(self.$field.rename(names, limits);)*
            }
        }
    };
}

invariants! {
    ends_once: i01_ends_once::EndsOnce,
    no_late_dial: i02_no_late_dial::NoLateDial,
    settled_is_quiet: i03_settled_is_quiet::SettledIsQuiet,
    one_of_each: i04_one_of_each::OneOfEach,
    auth_first: i05_auth_first::AuthFirst,
    in_order: i06_in_order::InOrder,
    resume_from_cursor: i07_resume_from_cursor::ResumeFromCursor,
    backoff: i08_backoff::Backoff,
    silence: i09_silence::Silence,
    only_a_terminal_completes: i10_only_a_terminal_completes::OnlyATerminalCompletes,
    stop_interrupts: i11_stop_interrupts::StopInterrupts,
    tools_once: i12_tools_once::ToolsOnce,
    stale_is_ignored: i14_stale_is_ignored::StaleIsIgnored,
    marker: i18_marker::Marker,
    pace: i19_pace::Pace,
    one_alarm: one_alarm::OneAlarm,
    resent: t03_resent::Resent,
}

/// What an invariant objects to: nearly never anything, so it stands out of the way of what is done at every step.
#[cold]
fn objection<T>(what: fmt::Arguments<'_>) -> Result<T, String> {
    Err(what.to_string())
}

/// Inlined: most steps are the business of few, and there are many steps.
#[inline(always)]
fn observe<I: Invariant>(invariant: &mut I, step: &Step<'_>) -> Result<(), Violation> {
    if !invariant.is_moved_by(step) {
        return Ok(());
    }
    invariant.observe(step).map_err(|what| Violation {
        invariant: I::ID,
        what,
    })
}

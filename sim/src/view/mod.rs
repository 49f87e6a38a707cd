//! What one session looks like: a recording or a trace as steps on lanes, tied by cause and effect.
//!
//! ```text
//!   text ──Session::parse──▶ Session ──View::of──▶ View ──▶ JSON, for whoever draws it
//!                             header?               steps: event, effects, rules, what changed in the state
//!                             events, effects       links: what an event answers
//!                                                   spans: sockets, requests and alarms while they last
//! ```
//! With a header the session is replayed through today's machine, which gives the states, and the rules it followed.
//! What was recorded stays what is shown: where today's machine answers differently, the step says so. Without a
//! header (a trace) there is no state to replay from.

mod change;
mod link;
mod session;
mod span;
mod step;

pub use change::Change;
pub use link::{Link, Place, Tie};
pub use session::{Session, SessionError};
pub use span::{Span, SpanEnd, SpanKind};
pub use step::{Lane, Shown, Step};

use agent_gateway_machine::recording::{self, Header};
use agent_gateway_machine::{Effect, Effects, Notification, State, transition};
use serde::Serialize;

use change::Changes;
use link::Links;
use span::Spans;

/// One session, ready to be drawn.
#[derive(Debug, Serialize)]
pub struct View {
    /// The config and seed, if the session says them.
    pub header: Option<Header>,
    /// How the run ended, by name, and in a sentence.
    pub outcome: Option<(&'static str, String)>,
    /// What whoever looks at it must know, each in one sentence.
    pub notes: Vec<String>,
    /// Every event with its effects, in order.
    pub steps: Vec<Step>,
    /// Which effect each event answers.
    pub links: Vec<Link>,
    /// What lasts: sockets, requests, alarms; in the order of their beginnings.
    pub spans: Vec<Span>,
}

impl View {
    /// Looks at a whole session.
    #[must_use]
    pub fn of(session: Session) -> Self {
        let mut notes = session.notes;
        let mut replay = Replay::begin(session.header.as_ref(), &mut notes);
        let mut links = Links::default();
        let mut spans = Spans::default();
        let mut outcome = None;
        let mut steps = Vec::with_capacity(session.steps.len());
        for recorded in session.steps {
            let answer = replay.as_mut().map(|replay| replay.tell(&recorded));
            links.observe(steps.len(), &recorded.event, &recorded.effects);
            spans.observe(steps.len(), &recorded.event, &recorded.effects);
            for effect in &recorded.effects {
                if let Effect::Notify(Notification::RunEnded { outcome: end, .. }) = effect {
                    outcome = Some((end.name(), end.to_string()));
                }
            }
            steps.push(Step::of(recorded.event, recorded.effects, answer));
        }
        let differing: Vec<usize> = (1..)
            .zip(&steps)
            .filter(|(_, step)| step.today.is_some())
            .map(|(number, _)| number)
            .collect();
        if let Some(first) = differing.first() {
            notes.push(format!(
                "Today's machine answers {} of these {} events differently, first at step {first}; what was recorded is \
                 shown, and from there on the states are those of today's machine.",
                differing.len(),
                steps.len()
            ));
        }
        Self {
            header: session.header,
            outcome,
            notes,
            steps,
            links: links.found,
            spans: spans.finish(),
        }
    }
}

/// Today's machine, told what was recorded.
struct Replay {
    state: State,
    changes: Changes,
}

/// What today's machine answered, and what that made of its state.
struct Answer {
    effects: Effects,
    changes: Vec<Change>,
    phase: &'static str,
    status: &'static str,
}

impl Replay {
    fn begin(header: Option<&Header>, notes: &mut Vec<String>) -> Option<Self> {
        let Some(header) = header else {
            notes.push(
                "A trace without a header: there are no states and no rules to show, since they come from replaying a \
                 recording (`agw run --record`, `agw sim --record`)."
                    .into(),
            );
            return None;
        };
        match State::new(header.config.clone(), header.seed) {
            Ok(state) => Some(Self {
                changes: Changes::from(&state),
                state,
            }),
            Err(error) => {
                notes.push(format!(
                    "It cannot be replayed by today's machine, so no states and rules are shown: {error}."
                ));
                None
            }
        }
    }

    fn tell(&mut self, recorded: &recording::Step) -> Answer {
        let (state, effects) = transition(self.state.clone(), recorded.event.clone());
        self.state = state;
        Answer {
            effects,
            changes: self.changes.step(&self.state),
            phase: self.state.phase(),
            status: self.state.status().as_str(),
        }
    }
}

#[cfg(test)]
mod tests;

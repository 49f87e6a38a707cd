//! The LobeHub server as small as can be: the run it carries out, and what its API says of it.

use super::log::{Ended, Symbol};

/// What the run does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Pushes an event.
    Push(Symbol),
    /// Asks for the tool call and waits for its result.
    Tool,
    /// Ends.
    End,
    /// Ends, and waits for a person.
    Park,
}

/// The run, as the server has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Server {
    /// Whether `execAgent` has been carried out.
    pub(super) started: bool,
    /// Turns taken.
    pub(super) turn: u8,
    /// Whether it waits for the tool's result.
    pub(super) waits: bool,
    /// Whether a stop was asked for.
    pub(super) stopping: bool,
    /// How it went, as the API has it.
    pub(super) ended: Option<Ended>,
    /// Whether the topic is marked with it.
    pub(super) marked: bool,
    /// The values of the results that have come, each once: the caller's, and the machine's own.
    pub(super) results: [bool; 2],
}

impl Server {
    /// Whether the run goes on, or will.
    pub(super) fn is_alive(&self) -> bool {
        self.started && self.ended.is_none()
    }

    /// What the server does next by itself.
    pub(super) fn next(&self, program: &[Turn]) -> Option<Turn> {
        if !self.started || self.waits && !self.stopping {
            return None;
        }
        let next = program.get(usize::from(self.turn)).copied();
        match next {
            Some(_) if self.stopping && self.is_alive() => Some(Turn::End),
            _ => next,
        }
    }

    /// The run ends now, and so it goes.
    pub(super) fn end(&mut self) -> Ended {
        let ended = if self.stopping {
            Ended::Interrupted
        } else {
            Ended::Done
        };
        self.ended = Some(ended);
        self.waits = false;
        self.marked = false;
        ended
    }

    /// The run ends now, until a person answers.
    pub(super) fn park(&mut self) {
        self.ended = Some(Ended::Parked);
        self.marked = false;
    }

    /// `interruptTask`: whether there is anything to stop.
    pub(super) fn interrupt(&mut self) -> bool {
        let alive = self.is_alive();
        self.stopping |= alive;
        alive
    }
}

/// What the API answers to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Answer {
    Started,
    Token,
    NoRunningOperation,
    Interrupted(bool),
    Status(Option<Ended>),
    Messages,
    Marker(bool),
    MarkerCleared,
    UnknownProcedure,
    Unauthorized,
    StartRefused,
    Lost,
}

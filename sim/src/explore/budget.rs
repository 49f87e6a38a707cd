//! How much may happen in one exploration: where it begins, what the run does, and how many faults there are.

use agent_gateway_machine::{Limits, Millis};

use super::gateway::Dialect;
use super::log::Symbol;
use super::server::Turn;

/// A named amount of what may happen. Everything within it is explored.
#[derive(Clone, Debug)]
pub struct Budget {
    /// What `agw check --budget` calls it.
    pub name: &'static str,
    /// What it is, for a person.
    pub about: &'static str,
    pub(super) beginnings: Vec<Beginning>,
}

/// Where an exploration begins, and all that may happen from there.
#[derive(Clone, Debug)]
pub(super) struct Beginning {
    pub(super) name: &'static str,
    pub(super) start: Start,
    /// What the operation has behind it.
    pub(super) before: &'static [Symbol],
    pub(super) program: &'static [Turn],
    pub(super) dialect: Dialect,
    /// Whether the server can compare and clear a marker in one.
    pub(super) settles_markers: bool,
    pub(super) stops: u8,
    pub(super) detaches: u8,
    pub(super) faults: Faults,
}

/// How the caller begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Start {
    Execute {
        new_topic: bool,
    },
    /// The server's run goes on meanwhile; attached to at any point of it.
    Attach {
        cursor: u8,
        executes_tools: bool,
    },
}

/// Faults that are left, in all and of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Faults {
    /// In all.
    pub(super) all: u8,
    /// Sockets that are cut, and dials that fail.
    pub(super) cuts: u8,
    /// Sockets that carry nothing any more without a word.
    pub(super) silences: u8,
    /// Tokens that run out.
    pub(super) expiries: u8,
    /// Requests that get lost before or behind the server, are refused, or are never answered.
    pub(super) requests: u8,
    /// Buffers that the gateway loses.
    pub(super) hibernations: u8,
    /// Answers to requests that were cancelled.
    pub(super) strays: u8,
    /// Alarms that ring while something is still on its way.
    pub(super) delays: u8,
    /// Moments between two alarms at which time stops for something to happen: just before the next one.
    pub(super) pauses: u8,
    /// Ends of the program, and a stored state woken.
    pub(super) crashes: u8,
}

const NEW: Dialect = Dialect {
    answers_resume: true,
    inclusive: false,
    echoes: false,
};

const OLD: Dialect = Dialect {
    answers_resume: false,
    inclusive: true,
    echoes: false,
};

/// Today's, but that it takes the end of every operation on the channel for that of this one.
const ECHOING: Dialect = Dialect {
    answers_resume: true,
    inclusive: false,
    echoes: true,
};

const SHORT: &[Turn] = &[Turn::Push(Symbol::Text), Turn::Tool, Turn::End];

const LONG: &[Turn] = &[
    Turn::Push(Symbol::Text),
    Turn::Tool,
    Turn::Push(Symbol::Text),
    Turn::End,
    Turn::Push(Symbol::StepComplete),
];

const PARKED: &[Turn] = &[Turn::Push(Symbol::Text), Turn::Tool, Turn::Park];

const SUSPENDED: &[Turn] = &[
    Turn::Push(Symbol::Suspended),
    Turn::Push(Symbol::Text),
    Turn::End,
];

const MIRRORED: &[Turn] = &[
    Turn::Push(Symbol::Foreign),
    Turn::Push(Symbol::ForeignEnd),
    Turn::Push(Symbol::Text),
    Turn::End,
];

const AGAIN: &[Turn] = &[Turn::Push(Symbol::Text), Turn::End];

impl Budget {
    /// Seconds: one fault in each way to begin.
    #[must_use]
    pub fn small() -> Self {
        Self {
            name: "small",
            about: "one fault, one stop, one detach, one tool call",
            beginnings: beginnings(1).drain(..SMALL).collect(),
        }
    }

    /// Minutes: two faults in the plainest beginning, one in the others.
    #[must_use]
    pub fn medium() -> Self {
        let mut beginnings = beginnings(1);
        beginnings[0].faults = Faults::each(2);
        Self {
            name: "default",
            about: "two faults where a run is executed in a topic, else one; one stop, one detach, one tool call",
            beginnings,
        }
    }

    /// Hours: three faults.
    #[must_use]
    pub fn large() -> Self {
        Self {
            name: "large",
            about: "three faults, one stop, one detach, one tool call",
            beginnings: beginnings(3),
        }
    }

    /// What the diagrams are drawn from: one fault where a run is executed, attached to, and attached to after it was
    /// started again.
    #[must_use]
    pub fn drawn() -> Self {
        let all = beginnings(1);
        let beginnings = DRAWN.iter().map(|index| all[*index].clone()).collect();
        Self {
            name: "drawn",
            about: "one fault, one stop, one detach, one tool call",
            beginnings,
        }
    }

    /// Where it begins, one sentence each.
    pub fn beginnings(&self) -> impl Iterator<Item = &'static str> {
        self.beginnings.iter().map(|beginning| beginning.name)
    }

    /// A part of a budget: one of its beginnings.
    #[must_use]
    pub fn only(mut self, beginning: usize) -> Self {
        self.beginnings = self
            .beginnings
            .into_iter()
            .skip(beginning)
            .take(1)
            .collect();
        self
    }

    /// A part of a budget: no fault but these, each at most as often as it is named.
    #[must_use]
    pub fn with_faults(mut self, faults: &[FaultKind]) -> Self {
        for beginning in &mut self.beginnings {
            beginning.faults = Faults::of(faults);
        }
        self
    }
}

/// A sort of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// A socket is cut, or a dial fails.
    Cut,
    /// A socket carries nothing any more, without a word.
    Silence,
    /// The token runs out.
    Expiry,
    /// A request gets lost before or behind the server, is refused, or is never answered.
    Request,
    /// The gateway loses its buffer.
    Hibernation,
    /// A request that was cancelled is answered all the same.
    Stray,
    /// The alarm rings while something is still on its way.
    Delay,
    /// Time stops just before an alarm for something to happen.
    Pause,
    /// The program ends, and its stored state is woken.
    Crash,
}

/// The first so many beginnings are explored in the small budget.
const SMALL: usize = 2;
/// Those that the diagrams are drawn from.
const DRAWN: [usize; 3] = [0, 1, 4];

fn beginnings(faults: u8) -> Vec<Beginning> {
    let execute = Beginning {
        name: "execute in a topic",
        start: Start::Execute { new_topic: false },
        before: &[],
        program: SHORT,
        dialect: NEW,
        settles_markers: true,
        stops: 1,
        detaches: 1,
        faults: Faults::each(faults),
    };
    let watch = Start::Attach {
        cursor: 0,
        executes_tools: false,
    };
    vec![
        execute.clone(),
        Beginning {
            name: "attach at any point, to watch",
            start: watch,
            ..execute.clone()
        },
        Beginning {
            name: "execute in a new topic, with an old gateway and an old server",
            start: Start::Execute { new_topic: true },
            dialect: OLD,
            settles_markers: false,
            ..execute.clone()
        },
        Beginning {
            name: "attach at any point with a cursor, to answer tool calls",
            start: Start::Attach {
                cursor: 1,
                executes_tools: true,
            },
            program: LONG,
            ..execute.clone()
        },
        Beginning {
            name: "attach at any point to an operation that was started again after its end",
            start: watch,
            before: &[Symbol::Text, Symbol::Done, Symbol::StepStart],
            program: AGAIN,
            ..execute.clone()
        },
        Beginning {
            name: "execute a run that ends waiting for a person",
            program: PARKED,
            ..execute.clone()
        },
        Beginning {
            name: "execute a run that waits for an asynchronous tool, and goes on",
            program: SUSPENDED,
            ..execute.clone()
        },
        Beginning {
            name: "execute beside another operation, whose end the gateway takes for this one's",
            program: MIRRORED,
            dialect: ECHOING,
            ..execute.clone()
        },
        Beginning {
            name: "the same with an old gateway",
            program: MIRRORED,
            dialect: Dialect {
                echoes: true,
                ..OLD
            },
            ..execute
        },
    ]
}

impl Faults {
    fn of(kinds: &[FaultKind]) -> Self {
        let count = |kind| kinds.iter().filter(|one| **one == kind).count() as u8;
        Self {
            all: kinds.len() as u8,
            cuts: count(FaultKind::Cut),
            silences: count(FaultKind::Silence),
            expiries: count(FaultKind::Expiry),
            requests: count(FaultKind::Request),
            hibernations: count(FaultKind::Hibernation),
            strays: count(FaultKind::Stray),
            delays: count(FaultKind::Delay),
            pauses: count(FaultKind::Pause),
            crashes: count(FaultKind::Crash),
        }
    }

    fn each(count: u8) -> Self {
        Self {
            all: count,
            cuts: count,
            silences: count,
            expiries: count,
            requests: count,
            hibernations: count,
            strays: count,
            delays: count,
            pauses: count,
            crashes: count,
        }
    }
}

/// The numbers of the machine that is explored. Those that only set how often the same comes again are small, so that
/// there are fewer states that differ in nothing else; what stands in which order to what is as in the defaults.
pub(super) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.silent_beats = 1;
    limits.backoff_cap = Millis::seconds(2);
    limits.first_attempts = 3;
    limits.refresh_tries = 2;
    limits.status_tries = 2;
    limits.refused_tokens = 2;
    limits.tool_deadline = Millis::seconds(20);
    limits
}

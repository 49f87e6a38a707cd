use agent_gateway_machine::State;

use crate::names::PHASES;

/// What a diagram is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The phases of a run.
    Run,
    /// The status of its connection, as the caller is told.
    Connection,
    /// Its session: the seam, the token, and what is known of the end, side by side.
    Session,
}

impl Subject {
    /// All of them, in the order in which one reads them.
    pub const ALL: [Self; 3] = [Self::Run, Self::Connection, Self::Session];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Connection => "connection",
            Self::Session => "session",
        }
    }

    /// What it shows, in a sentence or two.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Run => "A run, from the command to the end that is told once.",
            Self::Connection => "The connection of a run, as its status is told to the caller.",
            Self::Session => {
                "The session of a run: the seam of a replay, the token, and what is known of the end. \
                 The three go on side by side; the run may end in any state of seam and token."
            }
        }
    }

    /// The aspects it has, each a region of the diagram.
    #[must_use]
    pub fn aspects(self) -> &'static [Aspect] {
        match self {
            Self::Run => &[Aspect::Phase],
            Self::Connection => &[Aspect::Status],
            Self::Session => &[Aspect::Seam, Aspect::Token, Aspect::End],
        }
    }
}

/// One thing about a run that is always one of a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// [`State::phase`].
    Phase,
    /// [`State::status`].
    Status,
    /// The seam of [`State::session`].
    Seam,
    /// The token of [`State::session`].
    Token,
    /// The end of [`State::session`].
    End,
}

impl Aspect {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Phase,
        Self::Status,
        Self::Seam,
        Self::Token,
        Self::End,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Phase => "phase",
            Self::Status => "status",
            Self::Seam => "seam",
            Self::Token => "token",
            Self::End => "end",
        }
    }

    /// Its words, in the order of a life.
    #[must_use]
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Phase => &PHASES,
            Self::Status => &[
                "disconnected",
                "connecting",
                "authenticating",
                "connected",
                "reconnecting",
            ],
            Self::Seam => &["closed", "open", "probed"],
            Self::Token => &["held", "fetching", "pausing", "missing"],
            Self::End => &["alive", "suspended", "noted", "asking"],
        }
    }

    /// Its word in this state; none while there is no such thing.
    #[must_use]
    pub fn of(self, state: &State) -> Option<&'static str> {
        match self {
            Self::Phase => Some(state.phase()),
            Self::Status => Some(state.status().as_str()),
            Self::Seam => state.session().map(|session| session.seam),
            Self::Token => state.session().map(|session| session.token),
            Self::End => state.session().map(|session| session.end),
        }
    }

    /// Whether it matters how it comes to its end: otherwise that is just the end of the session.
    pub(super) fn has_ends(self) -> bool {
        match self {
            Self::Phase | Self::Status | Self::End => true,
            Self::Seam | Self::Token => false,
        }
    }
}

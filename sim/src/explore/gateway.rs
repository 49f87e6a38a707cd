//! The gateway as small as can be: one operation, one socket at a time, frames as symbols. A test holds it against
//! [`crate::gateway`]: the same inputs, the same frames.

use agent_gateway_machine::{DialId, TokenId};
use arrayvec::ArrayVec;

use super::log::{Ended, LONGEST, Log, Symbol};
use super::news::Said;

/// In which ways gateways differ here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Dialect {
    /// Whether `resume_complete` is sent.
    pub(super) answers_resume: bool,
    /// Whether the frame named by `resume` comes once more.
    pub(super) inclusive: bool,
    /// Whether the end of another operation is taken for that of this one too.
    pub(super) echoes: bool,
}

/// What the gateway keeps of the operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Gateway {
    pub(super) dialect: Dialect,
    pub(super) log: Log,
    /// Frames up to this id are no longer kept.
    pub(super) forgotten: u8,
    /// Whether the operation was initialized, and behind which frame: an end before it was the end of an earlier run.
    pub(super) initialized: Option<u8>,
}

/// One dial and the socket that comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Socket {
    pub(super) dial: DialId,
    pub(super) stage: Stage,
    /// Whether it carries nothing any more, though neither end knows.
    pub(super) silent: bool,
    /// On its way to the gateway.
    pub(super) up: ArrayVec<Up, 6>,
    /// On its way to the client, of what the gateway says by itself.
    pub(super) live: ArrayVec<Down, 16>,
    /// On its way to the client, of what the gateway says in answer, and how much of what it said by itself goes
    /// before it. A replay takes its time: what the gateway says meanwhile comes between, anywhere.
    pub(super) replay: ArrayVec<(Down, u8), 24>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Dialing,
    Open,
    Authenticated,
    Expired,
}

/// A frame to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Up {
    Auth(TokenId),
    Resume {
        after: u8,
    },
    Heartbeat,
    /// Whether the caller answered, and not the machine in its place.
    ToolResult {
        answered: bool,
    },
    Interrupt,
}

/// A frame to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Down {
    AuthSuccess,
    /// The token is too old; the gateway closes the socket behind it.
    AuthFailed,
    AuthExpired,
    HeartbeatAck,
    Numbered(u8),
    /// The status in it is the one at the moment it is said.
    ResumeComplete {
        gap: bool,
    },
    Close,
}

/// What the gateway makes of a frame, beside what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Nothing,
    ToolResult { answered: bool },
}

impl Down {
    fn id(self) -> Option<u8> {
        match self {
            Self::Numbered(id) => Some(id),
            _ => None,
        }
    }
}

impl Socket {
    pub(super) fn new(dial: DialId) -> Self {
        Self {
            dial,
            stage: Stage::Dialing,
            silent: false,
            up: ArrayVec::new(),
            live: ArrayVec::new(),
            replay: ArrayVec::new(),
        }
    }

    pub(super) fn is_authenticated(&self) -> bool {
        matches!(self.stage, Stage::Authenticated | Stage::Expired)
    }

    /// The gateway says something in answer: after all that it has said by itself.
    fn answer(&mut self, down: Down) {
        self.replay.push((down, self.live.len() as u8));
    }

    /// Takes the next of what the gateway said by itself.
    pub(super) fn take_live(&mut self) -> Option<Down> {
        let down = self.live.pop_at(0)?;
        for (_, behind) in &mut self.replay {
            *behind = behind.saturating_sub(1);
        }
        Some(down)
    }

    /// Whether the next of what it said in answer may come now.
    pub(super) fn may_answer(&self) -> bool {
        self.replay.first().is_some_and(|(_, behind)| *behind == 0)
    }

    /// Takes the next of what it said in answer.
    pub(super) fn take_answer(&mut self) -> Option<Down> {
        self.replay.pop_at(0).map(|(down, _)| down)
    }

    /// Whether something is on its way and will arrive.
    pub(super) fn is_busy(&self) -> bool {
        !self.silent
            && (self.stage == Stage::Dialing
                || !(self.up.is_empty() && self.live.is_empty() && self.replay.is_empty()))
    }

    /// It carries nothing any more.
    pub(super) fn fall_silent(&mut self) {
        self.silent = true;
        self.up.clear();
        self.live.clear();
        self.replay.clear();
    }
}

impl Gateway {
    /// The server pushes an event; whoever listens gets it at once. An end brings `session_complete` with it.
    pub(super) fn push(&mut self, symbol: Symbol, socket: Option<&mut Socket>) {
        let mut numbered = ArrayVec::<Down, 2>::new();
        self.log.push(symbol);
        numbered.push(Down::Numbered(self.log.len() as u8));
        if self.status_of(symbol).is_some() {
            self.log.push(Symbol::SessionComplete);
            numbered.push(Down::Numbered(self.log.len() as u8));
        }
        if let Some(socket) = socket
            && socket.is_authenticated()
            && !socket.silent
        {
            socket.live.extend(numbered);
        }
    }

    /// The gateway reads a frame.
    pub(super) fn read(
        &mut self,
        up: Up,
        socket: &mut Socket,
        is_good: impl FnOnce(TokenId) -> bool,
    ) -> Passed {
        match (up, socket.stage) {
            (Up::Auth(token), Stage::Open | Stage::Expired) => {
                if is_good(token) {
                    socket.stage = Stage::Authenticated;
                    socket.live.push(Down::AuthSuccess);
                } else {
                    socket.live.push(Down::AuthFailed);
                    socket.live.push(Down::Close);
                }
            }
            (Up::Resume { after }, Stage::Authenticated | Stage::Expired) => {
                self.replay(after, socket);
            }
            (Up::Heartbeat, Stage::Authenticated | Stage::Expired) => {
                socket.answer(Down::HeartbeatAck);
            }
            (Up::ToolResult { answered }, Stage::Authenticated | Stage::Expired) => {
                return Passed::ToolResult { answered };
            }
            _ => {}
        }
        Passed::Nothing
    }

    fn replay(&self, after: u8, socket: &mut Socket) {
        let dialect = self.dialect;
        let length = self.log.len() as u8;
        let from = if dialect.inclusive {
            // The named frame is looked for; one that is not kept replays everything.
            if (self.forgotten + 1..=length).contains(&after) {
                after
            } else {
                self.forgotten + 1
            }
        } else {
            after.max(self.forgotten) + 1
        };
        for id in from..=length {
            socket.answer(Down::Numbered(id));
        }
        let gap = if self.forgotten == length {
            length > after
        } else {
            self.forgotten + 1 > after + 1
        };
        if dialect.answers_resume && self.initialized.is_some() {
            socket.answer(Down::ResumeComplete { gap });
        }
    }

    /// What a frame says as it comes to the client; nothing is the close behind the last one.
    pub(super) fn say(&self, down: Down, socket: &Socket) -> Option<Said> {
        Some(match down {
            Down::AuthSuccess => Said::AuthSuccess,
            Down::AuthFailed => Said::AuthFailed,
            Down::AuthExpired => Said::AuthExpired,
            Down::HeartbeatAck => Said::HeartbeatAck,
            Down::Numbered(id) => Said::Numbered(id, self.log[usize::from(id) - 1]),
            Down::ResumeComplete { gap } => Said::ResumeComplete {
                status: self.status(socket),
                gap,
            },
            Down::Close => return None,
        })
    }

    /// How the run stands by what this socket has been told: what is still on its way to it is said later.
    fn status(&self, socket: &Socket) -> Option<Ended> {
        let told = match socket.live.iter().find_map(|down| down.id()) {
            Some(pending) => usize::from(pending) - 1,
            None => self.log.len(),
        };
        let from = usize::from(self.initialized.unwrap_or_default());
        let run = self.log.get(from..told).unwrap_or_default();
        run.iter().rev().find_map(|symbol| self.status_of(*symbol))
    }

    /// The status that is stored with a frame, and brings `session_complete` with it. What is no end for the gateway's
    /// server may be one for the gateway.
    fn status_of(&self, symbol: Symbol) -> Option<Ended> {
        match symbol {
            Symbol::Parked | Symbol::Suspended => Some(Ended::Done),
            Symbol::ForeignEnd if self.dialect.echoes => Some(Ended::Done),
            _ => symbol.ends(),
        }
    }

    /// Whether a frame is lost whose stored status looks like the run's end, and which was none: only the frame itself
    /// could have said so (S4, S9b).
    pub(super) fn has_forgotten_a_wait(&self) -> bool {
        let mut forgotten = self.log.iter().take(usize::from(self.forgotten));
        let misleads =
            |symbol: &Symbol| self.status_of(*symbol).is_some() && symbol.ends().is_none();
        forgotten.any(misleads)
    }

    /// Wakes from hibernation: the buffer is gone, the counter and the status are not.
    pub(super) fn hibernate(&mut self) {
        self.forgotten = self.log.len() as u8;
    }
}

/// More frames than a replay can hold would be lost.
const _: () = assert!(LONGEST + 8 <= 24);

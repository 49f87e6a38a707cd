//! One operation's stream: its order, its end, its token, and the question how it stands (C8–C12, S1–S14).
//!
//! The rooms do not know each other; the run follows what they report:
//!
//! - [`sequence`]: every frame with an id takes its place in the sequence, once;
//! - [`terminal`]: what is known of the end;
//! - [`credential`]: the token, its age, its renewal;
//! - [`inquiry`]: ask, don't guess.

pub(crate) mod credential;
mod holes;
pub(crate) mod inquiry;
mod overlap;
mod retry;
mod ring;
mod seam;
pub(crate) mod sequence;
mod status;
pub(crate) mod terminal;

use agent_gateway_protocol::OperationId;
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::context::Context;
use crate::cursor::Cursor;
use credential::Credential;
use inquiry::Inquiry;
use sequence::Sequence;
pub use status::SessionStatus;
use terminal::Terminal;

/// One operation's stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) operation: OperationId,
    pub(crate) sequence: Sequence,
    pub(crate) terminal: Terminal,
    pub(crate) credential: Credential,
    pub(crate) inquiry: Inquiry,
}

impl Session {
    pub(crate) fn new(
        context: &mut Context<'_>,
        operation: OperationId,
        cursor: Cursor,
        credential: Credential,
    ) -> Self {
        Self {
            operation,
            sequence: Sequence::new(cursor),
            terminal: Terminal::default(),
            credential,
            inquiry: Inquiry::new(context),
        }
    }

    pub(crate) fn canonicalize(&mut self, canon: &mut Canon<'_>) {
        self.sequence.canonicalize(canon);
        self.terminal.canonicalize(canon);
        self.credential.canonicalize(canon);
        self.inquiry.canonicalize(canon);
    }

    /// S1: an event is own if it names no operation, or ours.
    pub(crate) fn owns(&self, operation: Option<&OperationId>) -> bool {
        operation.is_none_or(|operation| *operation == self.operation)
    }
}

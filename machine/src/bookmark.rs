//! How far a caller has come in a run.

use alloc::vec::Vec;

use agent_gateway_protocol::event::ToolExecute;
use agent_gateway_protocol::{OperationId, ThreadId, ToolCallId, TopicId};
use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::event::Attach;
use crate::notification::{AnswerId, EventReceived, Notification, RunStarted};
use crate::run::Meaning;

/// How far a caller has come in a run: what to store so that the run can be carried on after a crash, by
/// [`Attach::from`]. As JSON, or in another format that describes itself, like a [`State`](crate::State).
///
/// A pure fold of what the caller was told and has dealt with. Beside the cursor it keeps the tool calls before it that
/// are not seen to be done: no replay from the cursor on would tell of them (T1). A call that was answered stays until
/// the server shows that it has the result, so after a crash a tool may be asked for twice, but none is forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bookmark {
    /// The run.
    pub operation: OperationId,
    /// Its topic.
    pub topic: Option<TopicId>,
    /// Its thread; none means the main scope.
    pub thread: Option<ThreadId>,
    /// Everything up to here has been dealt with.
    pub cursor: Cursor,
    /// Whether the caller executes the run's tools (T6).
    pub executes_tools: bool,
    /// The calls that are open, oldest first; at most 4,096 of 64 MiB together, as many as the machine's own ledger holds by
    /// default (T4). What a larger ledger holds beyond that is not kept here.
    pub open_calls: Vec<ToolExecute>,
}

const MOST_CALLS: usize = 4_096;
const MOST_BYTES: usize = 64 << 20;

impl Bookmark {
    /// The beginning of a run that was just started.
    #[must_use]
    pub fn of_started(started: &RunStarted) -> Self {
        Self {
            operation: started.operation.clone(),
            topic: started.topic.clone(),
            thread: started.thread.clone(),
            cursor: Cursor::start(),
            executes_tools: true,
            open_calls: Vec::new(),
        }
    }

    /// The caller has dealt with one more thing it was told.
    pub fn note(&mut self, notification: &Notification) {
        match notification {
            Notification::EventReceived(received) => self.note_event(received),
            Notification::ToolRequested { call, .. } => self.open(call),
            Notification::ToolSettled { call }
            | Notification::AnswerUndeliverable {
                answer: AnswerId::Tool(call),
            } => self.close(call),
            Notification::RunEnded { outcome, .. } if outcome.is_of_server() => {
                self.open_calls.clear();
            }
            // What was answered stays until the server shows that it has the result, and what is withdrawn because this
            // program watches no longer is still open there; the rest is of no call.
            Notification::RunEnded { .. }
            | Notification::ToolTimedOut { .. }
            | Notification::AnswerWithdrawn { .. }
            | Notification::AnswerUndeliverable { .. }
            | Notification::AnswerRefused { .. }
            | Notification::ConfirmationRequested(_)
            | Notification::InputRequested(_)
            | Notification::StatusChanged(_)
            | Notification::RunStarted(_)
            | Notification::ParentRetired { .. }
            | Notification::TopicCreated { .. }
            | Notification::TopicStatusChanged { .. }
            | Notification::GapFound { .. }
            | Notification::TokenRefreshed
            | Notification::RefreshDelayed { .. }
            | Notification::ReconnectScheduled { .. }
            | Notification::StopAccepted
            | Notification::StopFailed { .. }
            | Notification::WarningRaised(_) => {}
        }
    }

    fn note_event(&mut self, received: &EventReceived) {
        self.cursor = received.cursor.clone();
        if !received.own || !Meaning::may_be_of(&received.event.kind) {
            return;
        }
        match Meaning::of(&received.event) {
            Meaning::ToolExecute(call) => self.open(&call),
            Meaning::ToolSettled(call) => self.close(&call),
            Meaning::Nothing | Meaning::SubThread | Meaning::End(_) | Meaning::Error(_) => {}
        }
    }

    fn open(&mut self, call: &ToolExecute) {
        let mut known = self.open_calls.iter();
        let is_known = known.any(|known| known.tool_call_id == call.tool_call_id);
        if is_known || !self.executes_tools || self.open_calls.len() >= MOST_CALLS {
            return;
        }
        let bytes: usize = self.open_calls.iter().map(ToolExecute::size).sum();
        if bytes + call.size() <= MOST_BYTES {
            self.open_calls.push(call.clone());
        }
    }

    fn close(&mut self, call: &ToolCallId) {
        self.open_calls.retain(|open| open.tool_call_id != *call);
    }
}

impl From<&Attach> for Bookmark {
    fn from(attach: &Attach) -> Self {
        Self {
            operation: attach.operation.clone(),
            topic: attach.topic.clone(),
            thread: attach.thread.clone(),
            cursor: attach.cursor.clone(),
            executes_tools: attach.executes_tools,
            open_calls: attach.open_calls.clone(),
        }
    }
}

impl From<Bookmark> for Attach {
    /// With the server's own tokens.
    fn from(bookmark: Bookmark) -> Self {
        Self {
            thread: bookmark.thread,
            cursor: bookmark.cursor,
            executes_tools: bookmark.executes_tools,
            open_calls: bookmark.open_calls,
            ..Self::new(bookmark.operation, bookmark.topic)
        }
    }
}

//! What the caller is asked.

use alloc::boxed::Box;

use agent_gateway_protocol::event::ToolExecute;
use agent_gateway_protocol::frame::{InputRequest, ToolConfirmationRequest};
use serde::{Deserialize, Serialize};

use crate::canonical::Canon;
use crate::notification::{AnswerId, Notification};
use crate::time::{Millis, Timestamp};

/// Something that wants an answer, whole: whoever carries a run on must be able to ask it again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Execute this tool (T1).
    Tool(Box<ToolExecute>),
    /// May this tool run (T7)?
    Confirmation(Box<ToolConfirmationRequest>),
    /// What does the user say (T7)?
    Input(Box<InputRequest>),
}

impl Ask {
    pub(crate) fn id(&self) -> AnswerId {
        match self {
            Self::Tool(call) => AnswerId::Tool(call.tool_call_id.clone()),
            Self::Confirmation(request) => AnswerId::Confirmation(request.tool_call_id.clone()),
            Self::Input(request) => AnswerId::Input(request.request_id.clone()),
        }
    }

    pub(crate) fn call(&self) -> Option<&ToolExecute> {
        match self {
            Self::Tool(call) => Some(call),
            Self::Confirmation(_) | Self::Input(_) => None,
        }
    }

    pub(crate) fn into_call(self) -> Option<Box<ToolExecute>> {
        match self {
            Self::Tool(call) => Some(call),
            Self::Confirmation(_) | Self::Input(_) => None,
        }
    }

    /// Bytes of text held.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Tool(call) => call.size(),
            Self::Confirmation(request) => request.size(),
            Self::Input(request) => request.size(),
        }
    }

    /// As the caller is told of it. A tool call is answered in their place after `deadline_in`.
    pub(crate) fn request(self, deadline_in: Millis) -> Notification {
        match self {
            Self::Tool(call) => Notification::ToolRequested { call, deadline_in },
            Self::Confirmation(request) => Notification::ConfirmationRequested(request),
            Self::Input(request) => Notification::InputRequested(request),
        }
    }
}

/// An ask that is open.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    /// When a tool call is answered in the caller's place; none before it is asked here, and for all else.
    pub(crate) deadline: Option<Timestamp>,
    /// Whether the one who was asked may be gone: it is asked again, once the replay has not shown it as done (T1).
    pub(crate) again: bool,
}

impl Asked {
    pub(crate) fn canonicalize(&mut self, canon: &Canon<'_>) {
        if let Some(deadline) = &mut self.deadline {
            canon.moment(deadline);
        }
    }
}

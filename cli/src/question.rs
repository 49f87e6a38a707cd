use agent_gateway_machine::{AnswerId, Notification};
use agent_gateway_protocol::frame::{InputRequest, ToolConfirmationRequest};

/// Something that the run wants to know of a person (T7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// May this tool run?
    Confirmation(Box<ToolConfirmationRequest>),
    /// What do they say?
    Input(Box<InputRequest>),
}

impl Question {
    /// The question that the run is told to ask, if it is one.
    pub(crate) fn of(notification: &Notification) -> Option<Self> {
        match notification {
            Notification::ConfirmationRequested(request) => {
                Some(Self::Confirmation(request.clone()))
            }
            Notification::InputRequested(request) => Some(Self::Input(request.clone())),
            _ => None,
        }
    }

    pub(crate) fn id(&self) -> AnswerId {
        match self {
            Self::Confirmation(request) => AnswerId::Confirmation(request.tool_call_id.clone()),
            Self::Input(request) => AnswerId::Input(request.request_id.clone()),
        }
    }
}

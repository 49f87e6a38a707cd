use alloc::boxed::Box;

use agent_gateway_protocol::event::{AgentRuntimeEnd, EndReason, ErrorPayload, ErrorPhase};
use serde::{Deserialize, Serialize};

/// How the run's stream says that it ended. The first end said counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ending {
    /// Why; `None` means completed.
    pub reason: Option<EndReason>,
    /// The same in a sentence.
    pub detail: Option<Box<str>>,
}

impl Ending {
    pub(super) fn read(end: AgentRuntimeEnd) -> Self {
        Self {
            reason: end.reason,
            detail: end.reason_detail,
        }
    }
}

/// Something that failed on the way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// Its type, `AgentRuntimeError` where none is named.
    pub kind: Box<str>,
    /// What went wrong, in words.
    pub text: Box<str>,
    /// Where, if told.
    pub phase: Option<ErrorPhase>,
}

impl Failure {
    pub(super) fn read(error: ErrorPayload) -> Self {
        Self {
            kind: error.kind().into(),
            text: error.text().into(),
            phase: error.phase,
        }
    }

    /// What an end itself says went wrong: the only word of it where no `error` event came before.
    pub(super) fn of_end(end: &AgentRuntimeEnd) -> Option<Self> {
        if end.reason != Some(EndReason::Error) && end.error.is_none() {
            return None;
        }
        let told = end
            .error
            .as_ref()
            .map(|error| ErrorPayload::text_of(error.as_slice()).into());
        Some(Self {
            kind: end
                .error_type
                .clone()
                .unwrap_or_else(|| "AgentRuntimeError".into()),
            text: told
                .or_else(|| end.reason_detail.clone())
                .unwrap_or_else(|| "Unknown error".into()),
            phase: None,
        })
    }

    /// Whether the other one tells the same failure again, perhaps one level up.
    pub(super) fn tells_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.text == other.text
    }
}

use agent_gateway_protocol::{EventType, OperationStatus, ServerFrame};
use arrayvec::ArrayVec;
use serde_json::{Value, json};

use super::OPERATION;

/// More frames than this are in no run that is explored.
pub(super) const LONGEST: usize = 12;

/// The one tool call of a run.
pub(super) const TOOL_CALL: &str = "call_1";

/// An operation whose events are mirrored onto the channel of the one that is explored.
const ANOTHER: &str = "op_2";

/// One numbered frame of the operation, as small as can be. Its id is its place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum Symbol {
    /// A piece of text.
    Text,
    /// The server asks for the tool call.
    ToolExecute,
    /// The server has the call's result, or has stopped waiting for it.
    ToolEnd,
    /// The run is over: completed.
    Done,
    /// The run is over: stopped.
    Interrupted,
    /// The gateway's own last frame.
    SessionComplete,
    /// Trails behind the end.
    StepComplete,
    /// The operation is started again after its end: its next step.
    StepStart,
    /// The run is over: it waits for a person.
    Parked,
    /// The run only waits for an asynchronous tool, though the gateway takes it for an end.
    Suspended,
    /// Another operation speaks.
    Foreign,
    /// Another operation is over.
    ForeignEnd,
}

impl Symbol {
    const ALL: [Self; 12] = [
        Self::Text,
        Self::ToolExecute,
        Self::ToolEnd,
        Self::Done,
        Self::Interrupted,
        Self::SessionComplete,
        Self::StepComplete,
        Self::StepStart,
        Self::Parked,
        Self::Suspended,
        Self::Foreign,
        Self::ForeignEnd,
    ];

    /// The type of the agent event it is; `None` for a frame that is none.
    pub(super) fn event(self) -> Option<EventType> {
        Some(match self {
            Self::Text | Self::Foreign => EventType::StreamChunk,
            Self::ToolExecute => EventType::ToolExecute,
            Self::ToolEnd => EventType::ToolEnd,
            Self::Done | Self::Interrupted | Self::Parked | Self::Suspended | Self::ForeignEnd => {
                EventType::AgentRuntimeEnd
            }
            Self::StepComplete => EventType::StepComplete,
            Self::StepStart => EventType::StepStart,
            Self::SessionComplete => return None,
        })
    }

    /// How the run has ended with it.
    pub(super) fn ends(self) -> Option<Ended> {
        match self {
            Self::Done => Some(Ended::Done),
            Self::Interrupted => Some(Ended::Interrupted),
            Self::Parked => Some(Ended::Parked),
            Self::Suspended
            | Self::Foreign
            | Self::ForeignEnd
            | Self::Text
            | Self::ToolExecute
            | Self::ToolEnd
            | Self::SessionComplete
            | Self::StepComplete
            | Self::StepStart => None,
        }
    }

    /// The data of the event, as the server pushes it.
    pub(super) fn data(self) -> Value {
        match self {
            Self::Text | Self::Foreign => json!({ "chunkType": "text", "content": "x" }),
            // Longer than anything here lasts: the caller's answer is what is explored, not the patience of the server.
            Self::ToolExecute => {
                json!({ "toolCallId": TOOL_CALL, "identifier": "t", "apiName": "a",
                "arguments": "{}" })
            }
            Self::ToolEnd => json!({ "isSuccess": true, "toolCallId": TOOL_CALL }),
            Self::Done | Self::ForeignEnd => json!({ "reason": "done" }),
            Self::Parked => json!({ "reason": "waiting_for_human" }),
            Self::Suspended => json!({ "reason": "waiting_for_async_tool" }),
            Self::Interrupted => json!({ "reason": "interrupted" }),
            Self::SessionComplete | Self::StepComplete | Self::StepStart => json!({}),
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::Foreign | Self::ForeignEnd => ANOTHER,
            _ => OPERATION,
        }
    }

    fn frame(self, id: u8) -> ServerFrame {
        let value = match self.event() {
            Some(kind) => json!({ "type": "agent_event", "id": id.to_string(), "event": {
                "type": kind.as_str(), "data": self.data(), "operationId": self.operation(),
                "stepIndex": 0, "timestamp": id,
            } }),
            None => json!({ "type": "session_complete", "id": id.to_string(), "summary": "" }),
        };
        ServerFrame::decode(&value.to_string()).unwrap_or(ServerFrame::HeartbeatAck)
    }
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Ended {
    Done,
    Interrupted,
    Parked,
}

impl Ended {
    pub(super) fn status(this: Option<Self>) -> OperationStatus {
        match this {
            None => OperationStatus::Running,
            Some(Self::Done) => OperationStatus::Completed,
            Some(Self::Interrupted) => OperationStatus::Interrupted,
            Some(Self::Parked) => OperationStatus::WaitingForHuman,
        }
    }
}

/// All frames an operation was ever given, in order.
pub(super) type Log = ArrayVec<Symbol, LONGEST>;

/// Every numbered frame there can be, built once.
#[derive(Clone, Debug)]
pub(super) struct Frames(Vec<ServerFrame>);

impl Frames {
    pub(super) fn new() -> Self {
        let ids = 1..=LONGEST as u8;
        let frames = ids.flat_map(|id| Symbol::ALL.map(|symbol| symbol.frame(id)));
        Self(frames.collect())
    }

    pub(super) fn get(&self, id: u8, symbol: Symbol) -> ServerFrame {
        let place = (usize::from(id) - 1) * Symbol::ALL.len() + symbol as usize;
        self.0[place].clone()
    }
}

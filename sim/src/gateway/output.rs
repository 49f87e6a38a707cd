use agent_gateway_protocol::frame::ToolResult;
use agent_gateway_protocol::{CloseCode, OperationId, ServerFrame};

use super::{GatewayAnswer, SocketId, Ticket};

/// What a gateway wants done, in the order to do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayOutput {
    /// Send a frame.
    SendFrame {
        /// On which socket.
        socket: SocketId,
        /// The frame.
        frame: ServerFrame,
    },
    /// Close a socket with a close frame. It is forgotten already.
    Close {
        /// Which socket.
        socket: SocketId,
        /// The code.
        code: CloseCode,
        /// The reason.
        reason: Box<str>,
    },
    /// Answer a call of the server.
    Answer {
        /// Which call.
        ticket: Ticket,
        /// The answer.
        answer: GatewayAnswer,
    },
    /// Tell the server a client's tool result (`POST /api/agent/tool-result`).
    DeliverToolResult {
        /// The run.
        operation: OperationId,
        /// The result.
        result: Box<ToolResult>,
    },
    /// Tell the server that a run seems abandoned (`POST /api/agent/finalize-abandoned`); answered by
    /// [`GatewayInput::AbandonedFinalized`](super::GatewayInput::AbandonedFinalized).
    FinalizeAbandoned {
        /// The run.
        operation: OperationId,
    },
    /// Nothing to do: an operation has been forgotten, or the counters are lost. What is numbered from now on is numbered from
    /// 1 again.
    CountRestarted,
}

/// What the server made of a run reported as abandoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finalization {
    /// It was abandoned, or has been finalized, or the server cannot be asked: the status becomes `error`.
    Finalized,
    /// It is over in good order: the session completes.
    NotAbandoned,
}

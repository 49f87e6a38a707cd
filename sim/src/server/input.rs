use agent_gateway_protocol::frame::ToolResult;
use agent_gateway_protocol::{ClientFrame, CloseCode, OperationId, ServerFrame, TopicId};

use crate::api::{ApiAnswer, ApiCall};
use crate::gateway::{SocketId, Ticket};
use crate::http::{HttpRequest, HttpResponse};

/// What a server can be told. Sockets and tickets are named by the host; it uses numbers below 2⁶³, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerInput {
    /// A socket was opened at `/ws?operationId=`.
    SocketOpened {
        /// The socket's name from now on.
        socket: SocketId,
        /// The operation in its URL.
        operation: OperationId,
    },
    /// A frame came, typed already.
    FrameReceived {
        /// On which socket.
        socket: SocketId,
        /// The frame.
        frame: ClientFrame,
    },
    /// A text message came. What is no frame is ignored.
    TextReceived {
        /// On which socket.
        socket: SocketId,
        /// The message.
        text: Box<str>,
    },
    /// The socket is gone.
    SocketClosed {
        /// Which socket.
        socket: SocketId,
    },
    /// An HTTP request came: of the API (`/trpc/lambda/…`), or of the gateway (`/health`, `/api/operations/…`).
    RequestReceived {
        /// What its answer will bring back.
        ticket: Ticket,
        /// The request.
        request: HttpRequest,
    },
    /// The API was called, typed already.
    Called {
        /// What its answer will bring back.
        ticket: Ticket,
        /// The call.
        call: ApiCall,
    },
    /// Whoever sent this request or made this call does not wait any more.
    Abandoned {
        /// Which one.
        ticket: Ticket,
    },
    /// Time has passed: something may be due.
    Ticked,
}

/// What a server wants done, or makes known, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerOutput {
    /// Send a frame.
    SendFrame {
        /// On which socket.
        socket: SocketId,
        /// The frame; [`ServerFrame::encode`] is its text.
        frame: ServerFrame,
    },
    /// Send a text message that may be no frame.
    SendText {
        /// On which socket.
        socket: SocketId,
        /// The message.
        text: Box<str>,
    },
    /// Send a binary message.
    SendBinary {
        /// On which socket.
        socket: SocketId,
        /// The message.
        bytes: Box<[u8]>,
    },
    /// Close a socket with a close frame. The server has forgotten it.
    Close {
        /// Which socket.
        socket: SocketId,
        /// The code.
        code: CloseCode,
        /// The reason.
        reason: Box<str>,
    },
    /// Cut a socket without a close frame. The server has forgotten it.
    Cut {
        /// Which socket.
        socket: SocketId,
    },
    /// Answer an HTTP request.
    Respond {
        /// Which request.
        ticket: Ticket,
        /// The answer.
        response: HttpResponse,
    },
    /// Cut the connection of an HTTP request or a typed call instead of answering.
    Hang {
        /// Which one.
        ticket: Ticket,
    },
    /// Answer a typed call.
    Answer {
        /// Which call.
        ticket: Ticket,
        /// The answer; never [`ApiAnswer::Dropped`].
        answer: Box<ApiAnswer>,
    },
    /// Nothing to do: a run was started.
    RunStarted {
        /// The run.
        operation: OperationId,
        /// Its topic.
        topic: TopicId,
    },
    /// Nothing to do: the server has got a tool result.
    ToolResultReceived {
        /// The run.
        operation: OperationId,
        /// The result.
        result: Box<ToolResult>,
    },
    /// Nothing to do: the gateway has forgotten an operation or lost its counters, and numbers what follows from 1 again.
    CountRestarted,
}

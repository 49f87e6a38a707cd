use agent_gateway_protocol::trpc::TrpcError;
use agent_gateway_protocol::{OperationId, ToolCallId, TopicId, UserId};

use super::{ApiCall, ApiReply};
use crate::gateway::Ticket;
use crate::http::HttpResponse;

/// What the API can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiInput {
    /// A call came.
    Called {
        /// What its answer will bring back.
        ticket: Ticket,
        /// The call.
        call: ApiCall,
    },
    /// The caller does not wait any more. What the call did stays done.
    Abandoned {
        /// Which call.
        ticket: Ticket,
    },
    /// Time has passed: something may be due.
    Ticked,
}

/// What the API makes known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiOutput {
    /// The answer to a call.
    Answered {
        /// Which call.
        ticket: Ticket,
        /// The answer.
        answer: ApiAnswer,
    },
    /// `execAgent` started a run.
    RunStarted {
        /// The run.
        operation: OperationId,
        /// Its topic.
        topic: TopicId,
        /// Its owner.
        user: UserId,
        /// What the user said.
        prompt: Box<str>,
        /// The tool call the user has approved, if the run goes on from there.
        approved: Option<ToolCallId>,
    },
    /// `interruptTask` asked a run that is alive to stop.
    StopRequested {
        /// The run.
        operation: OperationId,
    },
}

/// The answer to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiAnswer {
    /// What the procedure gives.
    Replied(ApiReply),
    /// The server's own "no".
    Refused {
        /// The error, as it goes into the envelope.
        error: TrpcError,
        /// `Retry-After`, s.
        retry_after: Option<u64>,
    },
    /// An answer that is no envelope.
    Page(HttpResponse),
    /// The connection is cut instead of an answer.
    Dropped,
}

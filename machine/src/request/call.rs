use alloc::boxed::Box;
use alloc::sync::Arc;

use agent_gateway_protocol::api::{
    ApiCall, ExecAgent, GetMessages, GetOperationStatus, GetTopicDetail, InterruptTask,
    RefreshGatewayToken, SettleRunningOperation, UpdateTopicMetadata,
};
use agent_gateway_protocol::{OperationId, TopicId};
use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::Reply;

/// One HTTP request, by what it is for. At most one of each is in flight in a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// `aiAgent.execAgent`: start the run (R1). Answered by [`Reply::Started`] or [`Reply::StartRefused`].
    StartRun(Arc<ExecAgent>),
    /// `aiAgent.refreshGatewayToken`: a fresh token for the run of this topic (S8). Answered by
    /// [`Reply::TokenIssued`].
    RefreshToken {
        /// The run's topic.
        topic: TopicId,
    },
    /// A fresh token from the caller's own source (S8). Answered by [`Reply::TokenIssued`].
    MintToken,
    /// `aiAgent.interruptTask`: end the run on the server (R5). Answered by [`Reply::Interrupted`].
    InterruptRun {
        /// The run.
        operation: OperationId,
        /// Its topic, where known.
        topic: Option<TopicId>,
    },
    /// `aiAgent.getOperationStatus`: ask, don't guess (S14). Answered by [`Reply::Status`].
    AskStatus {
        /// The run.
        operation: OperationId,
    },
    /// `message.getMessages` after a new topic was made (R4). Answered by [`Reply::Messages`].
    FetchMessages(Box<GetMessages>),
    /// `topic.getTopicDetail`: which operation the topic's marker names (R6, R7). Answered by [`Reply::Marker`].
    ReadMarker {
        /// The run's topic.
        topic: TopicId,
    },
    /// `topic.settleRunningOperation`: clear the marker if it still names this run (R6). Answered by
    /// [`Reply::MarkerCleared`].
    SettleMarker {
        /// The run's topic.
        topic: TopicId,
        /// The run.
        operation: OperationId,
    },
    /// `topic.updateTopicMetadata`: clear the marker, on servers without `settleRunningOperation` and only after it
    /// was read and named this run (R6). Answered by [`Reply::MarkerCleared`].
    ClearMarker {
        /// The run's topic.
        topic: TopicId,
    },
}

impl Call {
    /// A short name for traces and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::StartRun(_) => "start_run",
            Self::RefreshToken { .. } => "refresh_token",
            Self::MintToken => "mint_token",
            Self::InterruptRun { .. } => "interrupt_run",
            Self::AskStatus { .. } => "ask_status",
            Self::FetchMessages(_) => "fetch_messages",
            Self::ReadMarker { .. } => "read_marker",
            Self::SettleMarker { .. } => "settle_marker",
            Self::ClearMarker { .. } => "clear_marker",
        }
    }

    /// What it asks of the server's API; `None` for [`MintToken`](Self::MintToken), which is asked of the caller.
    #[must_use]
    pub fn api_call(&self) -> Option<ApiCall> {
        Some(match self {
            Self::StartRun(input) => ApiCall::ExecAgent(input.clone()),
            Self::RefreshToken { topic } => {
                ApiCall::RefreshGatewayToken(RefreshGatewayToken::new(topic.clone()))
            }
            Self::MintToken => return None,
            Self::InterruptRun { operation, topic } => ApiCall::InterruptTask(InterruptTask {
                operation_id: Some(operation.clone()),
                topic_id: topic.clone(),
                ..InterruptTask::default()
            }),
            Self::AskStatus { operation } => {
                ApiCall::GetOperationStatus(GetOperationStatus::new(operation.clone()))
            }
            Self::FetchMessages(input) => ApiCall::GetMessages(input.clone()),
            Self::ReadMarker { topic } => {
                ApiCall::GetTopicDetail(GetTopicDetail::new(topic.clone()))
            }
            Self::SettleMarker { topic, operation } => {
                let input = SettleRunningOperation::new(topic.clone(), operation.clone());
                ApiCall::SettleRunningOperation(input)
            }
            Self::ClearMarker { topic } => ApiCall::UpdateTopicMetadata(UpdateTopicMetadata {
                topic_id: topic.clone(),
            }),
        })
    }
}

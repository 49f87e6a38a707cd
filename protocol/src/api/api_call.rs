use alloc::{boxed::Box, sync::Arc};

use super::{
    ExecAgent, GetGlobalConfig, GetMessages, GetOperationStatus, GetTopicDetail, InterruptTask,
    ProcedureName, RefreshGatewayToken, SettleRunningOperation, UpdateTopicMetadata,
};
use crate::trpc::{HttpRequest, request};

/// One call of a procedure, with its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiCall {
    /// `aiAgent.execAgent`.
    ExecAgent(Arc<ExecAgent>),
    /// `aiAgent.refreshGatewayToken`.
    RefreshGatewayToken(RefreshGatewayToken),
    /// `aiAgent.interruptTask`.
    InterruptTask(InterruptTask),
    /// `aiAgent.getOperationStatus`.
    GetOperationStatus(GetOperationStatus),
    /// `message.getMessages`.
    GetMessages(Box<GetMessages>),
    /// `topic.getTopicDetail`.
    GetTopicDetail(GetTopicDetail),
    /// `topic.updateTopicMetadata`, clearing the marker.
    UpdateTopicMetadata(UpdateTopicMetadata),
    /// `topic.settleRunningOperation`.
    SettleRunningOperation(SettleRunningOperation),
    /// `config.getGlobalConfig`.
    GetGlobalConfig,
}

impl ApiCall {
    /// Which procedure it calls.
    #[must_use]
    pub fn procedure(&self) -> ProcedureName {
        match self {
            Self::ExecAgent(_) => ProcedureName::ExecAgent,
            Self::RefreshGatewayToken(_) => ProcedureName::RefreshGatewayToken,
            Self::InterruptTask(_) => ProcedureName::InterruptTask,
            Self::GetOperationStatus(_) => ProcedureName::GetOperationStatus,
            Self::GetMessages(_) => ProcedureName::GetMessages,
            Self::GetTopicDetail(_) => ProcedureName::GetTopicDetail,
            Self::UpdateTopicMetadata(_) => ProcedureName::UpdateTopicMetadata,
            Self::SettleRunningOperation(_) => ProcedureName::SettleRunningOperation,
            Self::GetGlobalConfig => ProcedureName::GetGlobalConfig,
        }
    }

    /// The plain request that makes it.
    #[must_use]
    pub fn request(&self) -> HttpRequest {
        match self {
            Self::ExecAgent(input) => request(&**input),
            Self::RefreshGatewayToken(input) => request(input),
            Self::InterruptTask(input) => request(input),
            Self::GetOperationStatus(input) => request(input),
            Self::GetMessages(input) => request(&**input),
            Self::GetTopicDetail(input) => request(input),
            Self::UpdateTopicMetadata(input) => request(input),
            Self::SettleRunningOperation(input) => request(input),
            Self::GetGlobalConfig => request(&GetGlobalConfig),
        }
    }
}

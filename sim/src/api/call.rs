use core::fmt;
use std::sync::Arc;

use agent_gateway_protocol::api::{
    ExecAgent, GetGlobalConfig, GetMessages, GetOperationStatus, GetTopicDetail, InterruptTask,
    Method, Procedure, RefreshGatewayToken, SettleRunningOperation, UpdateTopicMetadata,
};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// One call of a procedure.
///
/// What a healthy server makes of it. A script's [`Behaviour`](super::Behaviour) may have any of them late, refused, lost or
/// nonsense.
///
/// | call | [`ApiReply`](super::ApiReply) | refused |
/// |---|---|---|
/// | `ExecAgent` | `Started`; the run plays the script from its beginning. The topic is `app_context.topic_id`, or a new one | `BAD_REQUEST` without an `agent_id` or a `slug` |
/// | `RefreshGatewayToken` | `Token` | `NOT_FOUND` where the topic's marker names no run |
/// | `InterruptTask` | `Interrupted`; `success: false` where the run is over or unknown | `BAD_REQUEST` without an `operation_id` or a `thread_id`; `NOT_FOUND` with a thread only |
/// | `GetOperationStatus` | `Status`; `Json` with `null` where the run is not known | |
/// | `GetMessages` | `Json`: the topic's messages, an array | |
/// | `GetTopicDetail` | `Json`: the topic, its marker in `metadata.runningOperation`; `null` where it is not known | |
/// | `UpdateTopicMetadata` | `Json`: the rows that were changed, an array | |
/// | `SettleRunningOperation` | `Settled`: whether the marker was this run's | `NOT_FOUND`, an unknown procedure, where `api.settles_markers` of the script is `false` |
/// | `GetGlobalConfig` | `Json`: `serverConfig.agentGatewayUrl` among others | |
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
}

/// The procedures this API has, by the names scripts use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProcedureName {
    /// `aiAgent.execAgent`.
    ExecAgent,
    /// `aiAgent.refreshGatewayToken`.
    RefreshGatewayToken,
    /// `aiAgent.interruptTask`.
    InterruptTask,
    /// `aiAgent.getOperationStatus`.
    GetOperationStatus,
    /// `message.getMessages`.
    GetMessages,
    /// `topic.getTopicDetail`.
    GetTopicDetail,
    /// `topic.updateTopicMetadata`.
    UpdateTopicMetadata,
    /// `topic.settleRunningOperation`.
    SettleRunningOperation,
    /// `config.getGlobalConfig`.
    GetGlobalConfig,
}

impl ProcedureName {
    /// Every procedure.
    pub const ALL: [Self; 9] = [
        Self::ExecAgent,
        Self::RefreshGatewayToken,
        Self::InterruptTask,
        Self::GetOperationStatus,
        Self::GetMessages,
        Self::GetTopicDetail,
        Self::UpdateTopicMetadata,
        Self::SettleRunningOperation,
        Self::GetGlobalConfig,
    ];

    /// Their names in scripts, in the same order.
    const NAMES: [&str; 9] = [
        "exec_agent",
        "refresh_gateway_token",
        "interrupt_task",
        "get_operation_status",
        "get_messages",
        "get_topic_detail",
        "update_topic_metadata",
        "settle_running_operation",
        "get_global_config",
    ];

    /// Its path on the wire.
    #[must_use]
    pub fn path(self) -> &'static str {
        self.wire().0
    }

    /// How it is called.
    #[must_use]
    pub fn method(self) -> Method {
        self.wire().1
    }

    fn wire(self) -> (&'static str, Method) {
        fn of<P: Procedure>() -> (&'static str, Method) {
            (P::PATH, P::METHOD)
        }
        match self {
            Self::ExecAgent => of::<ExecAgent>(),
            Self::RefreshGatewayToken => of::<RefreshGatewayToken>(),
            Self::InterruptTask => of::<InterruptTask>(),
            Self::GetOperationStatus => of::<GetOperationStatus>(),
            Self::GetMessages => of::<GetMessages>(),
            Self::GetTopicDetail => of::<GetTopicDetail>(),
            Self::UpdateTopicMetadata => of::<UpdateTopicMetadata>(),
            Self::SettleRunningOperation => of::<SettleRunningOperation>(),
            Self::GetGlobalConfig => of::<GetGlobalConfig>(),
        }
    }
}

impl fmt::Display for ProcedureName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.path())
    }
}

/// Read as a string, not as an enum: only so does an error below it say its name in the path.
impl<'de> Deserialize<'de> for ProcedureName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::ALL
            .into_iter()
            .zip(Self::NAMES)
            .find_map(|(procedure, known)| (known == name).then_some(procedure))
            .ok_or_else(|| D::Error::unknown_variant(&name, &Self::NAMES))
    }
}

#[cfg(test)]
mod tests {
    use super::ProcedureName;

    #[test]
    fn a_procedure_is_read_by_the_name_it_is_written_with() {
        for procedure in ProcedureName::ALL {
            let text = serde_json::to_string(&procedure).unwrap();
            assert_eq!(
                serde_json::from_str::<ProcedureName>(&text).unwrap(),
                procedure
            );
        }
    }
}

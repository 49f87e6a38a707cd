use alloc::string::String;
use core::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    ExecAgent, GetGlobalConfig, GetMessages, GetOperationStatus, GetTopicDetail, InterruptTask,
    Method, Procedure, RefreshGatewayToken, SettleRunningOperation, UpdateTopicMetadata,
};

/// The procedures by name: on the wire their [path](Self::path), in scripts and traces these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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
            let text = serde_json::to_string(&procedure).unwrap_or_default();
            assert_eq!(serde_json::from_str(&text).ok(), Some(procedure), "{text}");
        }
    }
}

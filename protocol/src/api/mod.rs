//! The server's API: one file a procedure, its input, and its reply as far as it is needed.
//!
//! An input writes only what is set: `None` is left out, never null, because the server refuses null where it allows
//! absence. Where null says something of its own, it goes into `extra`.

mod api_call;
mod app_context;
mod exec_agent;
mod get_global_config;
mod get_messages;
mod get_operation_status;
mod get_topic_detail;
mod interrupt_task;
mod procedure;
mod procedure_name;
mod refresh_gateway_token;
mod resume;
mod settle_running_operation;
mod update_topic_metadata;
mod user_intervention;

pub use api_call::ApiCall;
pub use app_context::{AppContext, TopicMetadata};
pub use exec_agent::{ExecAgent, ExecAgentReply};
pub use get_global_config::{GetGlobalConfig, GlobalConfig};
pub use get_messages::GetMessages;
pub use get_operation_status::{GetOperationStatus, OperationStatusReport};
pub use get_topic_detail::{GetTopicDetail, RunningOperation, TopicDetail};
pub use interrupt_task::{CancelState, InterruptTask, InterruptTaskReply};
pub use procedure::{Method, Procedure};
pub use procedure_name::ProcedureName;
pub use refresh_gateway_token::{RefreshGatewayToken, RefreshGatewayTokenReply};
pub use resume::{Decision, ResumeApproval, ResumeToolResult};
pub use settle_running_operation::SettleRunningOperation;
pub use update_topic_metadata::UpdateTopicMetadata;
pub use user_intervention::{ApprovalMode, UserInterventionConfig};

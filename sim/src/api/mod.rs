//! The pure stand-in of the LobeHub server's API: what it answers, and when.
//!
//! It keeps the truth about runs (who started them, how they stand, which topic they hold) and issues the tokens that
//! the gateway accepts. Left alone it answers as a healthy server of September 2026; a [`Behaviour`] a call makes it
//! slow, refuse, answer with a proxy's page, or never answer at all.
//!
//! Calls and answers are typed ([`ApiCall`], [`ApiAnswer`]); [`wire`](self) has them as tRPC over HTTP.
//!
//! What a healthy server makes of a call. A script's [`Behaviour`] may have any of them late, refused, lost or nonsense.
//!
//! | call | [`ApiReply`] | refused |
//! |---|---|---|
//! | `ExecAgent` | `Started`; the run plays the script from its beginning. The topic is `app_context.topic_id`, or a new one | `BAD_REQUEST` without an `agent_id` or a `slug` |
//! | `RefreshGatewayToken` | `Token` | `NOT_FOUND` where the topic's marker names no run |
//! | `InterruptTask` | `Interrupted`; `success: false` where the run is over or unknown | `BAD_REQUEST` without an `operation_id` or a `thread_id`; `NOT_FOUND` with a thread only |
//! | `GetOperationStatus` | `Status`; `Json` with `null` where the run is not known | |
//! | `GetMessages` | `Json`: the topic's messages, an array | |
//! | `GetTopicDetail` | `Json`: the topic, its marker in `metadata.runningOperation`; `null` where it is not known | |
//! | `UpdateTopicMetadata` | `Json`: the rows that were changed, an array | |
//! | `SettleRunningOperation` | `Settled`: whether the marker was this run's | `NOT_FOUND`, an unknown procedure, where `api.settles_markers` of the script is `false` |
//! | `GetGlobalConfig` | `Json`: `serverConfig.agentGatewayUrl` among others | |

mod answer;
mod behaviour;
mod machine;
mod reply;
mod run;
mod wire;

pub use answer::{ApiAnswer, ApiInput, ApiOutput};
pub use behaviour::{Behaviour, Page, Plan, Refuse, TokenTerms};
pub use machine::{Api, ApiConfig};
pub use reply::ApiReply;

pub use agent_gateway_protocol::api::{ApiCall, ProcedureName};

pub(crate) use wire::{BatchBook, WireCall, is_open};

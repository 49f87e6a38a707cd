use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{Behaviour, ProcedureName};

/// How the API answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiSection {
    /// Whether it has `topic.settleRunningOperation`; older servers do not.
    pub settles_markers: bool,
    /// By procedure: how the first call is treated, the second, and so on. Later calls are answered as usual.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Vec<Behaviour>>")]
    pub calls: BTreeMap<ProcedureName, Vec<Behaviour>>,
}

impl Default for ApiSection {
    fn default() -> Self {
        Self {
            settles_markers: true,
            calls: BTreeMap::new(),
        }
    }
}

use serde::{Deserialize, Serialize};

use crate::OperationStatus;

/// `resume_complete`: the replay asked for by `resume` is done. It has no place in the sequence, and old gateways never
/// send it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResumeComplete {
    /// The status the gateway keeps; absent if it says none.
    pub status: Option<OperationStatus>,
    /// Some frames after the one named in `resume` are gone.
    pub gap: bool,
}

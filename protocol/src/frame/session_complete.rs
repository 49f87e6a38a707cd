use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::EventId;

/// `session_complete`: the operation is over. It follows every end, failed ones too, and says nothing of the outcome.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionComplete {
    /// Its place in the sequence.
    pub id: Option<EventId>,
    /// The end's `reasonDetail`, mostly `""` or absent.
    pub summary: Option<Box<str>>,
}

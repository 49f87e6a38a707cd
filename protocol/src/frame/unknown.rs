use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::{EventId, RawJson};

/// A frame of a type not known here, or without a member that its type needs. Kept whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UnknownFrame {
    /// The frame's `type`.
    pub kind: Box<str>,
    /// Its place in the sequence, if it has one.
    pub id: Option<EventId>,
    /// The whole frame.
    pub raw: RawJson,
}

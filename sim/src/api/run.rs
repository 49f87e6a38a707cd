use agent_gateway_protocol::{OperationId, OperationStatus, TopicId, UserId};

/// What the server knows of one run: the truth.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) topic: TopicId,
    pub(super) status: OperationStatus,
    /// What failed, in a sentence.
    pub(super) error: Option<Box<str>>,
    /// Whether the server still knows it.
    pub(super) known: bool,
}

/// One topic.
#[derive(Clone, Debug)]
pub(super) struct Topic {
    pub(super) user: UserId,
    /// The marker.
    pub(super) running: Option<OperationId>,
}

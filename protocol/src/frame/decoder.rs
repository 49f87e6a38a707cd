use super::{FrameError, ServerFrame};
use crate::OperationId;

/// Reads the frames of one socket: the operation that one event after the other names is one text in all of them, where
/// they come in the form in which LobeHub writes them.
///
/// What it reads is what [`ServerFrame::decode`] reads.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    /// The operation named last.
    operation: Option<OperationId>,
}

impl Decoder {
    /// The operation that will be named: then its text is the one that the caller has already.
    pub fn expect_operation(&mut self, operation: OperationId) {
        self.operation = Some(operation);
    }

    /// Reads one text message; see [`ServerFrame::decode`].
    ///
    /// # Errors
    /// The message is not JSON, no object, or has no `type`.
    #[inline]
    pub fn decode(&mut self, text: &str) -> Result<ServerFrame, FrameError> {
        ServerFrame::decode_naming(text, |name| self.named(name))
    }

    #[inline]
    fn named(&mut self, name: &str) -> OperationId {
        match &self.operation {
            Some(operation) if operation.as_str() == name => operation.clone(),
            _ => self.operation.insert(OperationId::from(name)).clone(),
        }
    }
}

use crate::{MessageId, members::members};

members! {
    /// `notify_update`: messages changed; fetch them again.
    #[derive(Default)]
    pub struct NotifyUpdate {
        /// Which one.
        message_id: optional MessageId = "messageId",
    }
}

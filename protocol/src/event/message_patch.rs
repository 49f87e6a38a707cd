use alloc::vec::Vec;

use crate::{MessageId, RawJson, members::members};

members! {
    /// `message_patch` (protocol 2): a change of the message list. It applies only right after the one before;
    /// otherwise fetch the messages.
    #[derive(Default)]
    pub struct MessagePatch {
        /// Its number; grows by one.
        revision: optional u64 = "revision",
        /// Rows to remove.
        deletes: optional Vec<MessageId> = "deletes",
        /// Rows to put or replace.
        upserts: optional Vec<MessageUpsert> = "upserts",
    }
}

members! {
    /// A row to put or replace.
    #[derive(Default)]
    pub struct MessageUpsert {
        /// The row it follows; absent (null on the wire, kept in `extra`) means the first.
        after_id: optional MessageId = "afterId",
        /// The row.
        message: optional RawJson = "message",
    }
}

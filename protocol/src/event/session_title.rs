use alloc::boxed::Box;

use crate::members::members;

members! {
    /// `session_title`: the conversation has a title.
    #[derive(Default)]
    pub struct SessionTitle {
        /// The title.
        title: optional Box<str> = "title",
        /// Who gave it: `model` or `user`.
        origin: optional Box<str> = "origin",
    }
}

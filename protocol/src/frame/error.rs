use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::JsonError;

/// A socket message is no frame.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
pub enum FrameError {
    /// The message is not one JSON value.
    #[error("{error}, near `{excerpt}`")]
    NotJson {
        /// Where and why.
        error: JsonError,
        /// At most 80 bytes around that place; empty for what a client sent, since that may be a token.
        excerpt: Box<str>,
    },
    /// The message is JSON, but no object.
    #[error("a frame must be a JSON object")]
    NotAnObject,
    /// The object has no `type`, or one that is no string.
    #[error("a frame must have a string `type`")]
    NoType,
}

impl FrameError {
    /// The error without any text of the message.
    pub(super) fn silent(error: JsonError) -> Self {
        Self::NotJson {
            error,
            excerpt: Box::default(),
        }
    }

    /// The error with what stands around the place, unless a token might be shown.
    pub(crate) fn shown(error: JsonError, text: &str) -> Self {
        const BEFORE: usize = 40;
        const LONGEST: usize = 80;
        if text.contains("token") || text.contains("auth") {
            return Self::silent(error);
        }
        let from = text.floor_char_boundary(error.at.saturating_sub(BEFORE));
        let to = text.floor_char_boundary((from + LONGEST).min(text.len()));
        let excerpt = text
            .get(from..to)
            .unwrap_or_default()
            .replace(char::is_control, " ");
        Self::NotJson {
            error,
            excerpt: excerpt.into(),
        }
    }
}

use alloc::{boxed::Box, string::String};

use serde::{Deserialize, Serialize};

/// A text that grows as it streams, and is now and then replaced by a snapshot of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Passage {
    text: String,
    /// The number of the last snapshot applied.
    sequence: Option<u64>,
}

impl Passage {
    /// The text so far.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is no text yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn append(&mut self, piece: &str) -> Option<Edit> {
        if piece.is_empty() {
            return None;
        }
        self.text.push_str(piece);
        Some(Edit::Appended(piece.into()))
    }

    /// Applies a snapshot of the whole, unless a later one has been applied.
    pub(super) fn snapshot(&mut self, whole: &str, sequence: Option<u64>) -> Option<Edit> {
        if sequence.is_some() && sequence <= self.sequence {
            return None;
        }
        self.sequence = sequence.or(self.sequence);
        self.replace(whole)
    }

    /// Applies the whole as told at the end; an empty one erases nothing.
    pub(super) fn settle(&mut self, whole: &str) -> Option<Edit> {
        if whole.is_empty() {
            None
        } else {
            self.replace(whole)
        }
    }

    fn replace(&mut self, whole: &str) -> Option<Edit> {
        let edit = match whole.strip_prefix(self.text.as_str()) {
            Some("") => return None,
            Some(more) => Edit::Appended(more.into()),
            None => Edit::Replaced(whole.into()),
        };
        self.text.clear();
        self.text.push_str(whole);
        Some(edit)
    }
}

/// What became of a passage.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// This was added at its end.
    Appended(Box<str>),
    /// All of it is now this.
    Replaced(Box<str>),
}

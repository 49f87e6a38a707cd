use alloc::boxed::Box;

use thiserror::Error;

use super::VERSION;

/// Why a recording cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// Nothing at all.
    #[error("the recording is empty; its first line must be a header")]
    Empty,
    /// The first line is no header.
    #[error(
        "this is no recording: its first line must be a header, {{\"version\":{VERSION},\"config\":…,\"seed\":…}} ({why})"
    )]
    NoHeader {
        /// Where in the line, counted from 1.
        column: usize,
        /// What is wrong there.
        why: Box<str>,
    },
    /// A form this version does not know.
    #[error("the recording has version {found}; this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: u64,
    },
    /// A line that is no step.
    #[error("{why}")]
    Step {
        /// Which line, counted from 1.
        line: usize,
        /// Where in it, counted from 1.
        column: usize,
        /// What is wrong there.
        why: Box<str>,
    },
}

impl RecordingError {
    /// The line and the column it is about, both counted from 1.
    #[must_use]
    pub fn place(&self) -> (usize, usize) {
        match self {
            Self::Empty | Self::Version { .. } => (1, 1),
            Self::NoHeader { column, .. } => (1, *column),
            Self::Step { line, column, .. } => (*line, *column),
        }
    }
}

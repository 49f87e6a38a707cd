//! The receipt of a run: what happened on the way to its end (S11).

use serde::{Deserialize, Serialize};

/// Counts over one run. Told with the end, and readable while the run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// Events handed on.
    pub delivered: u64,
    /// Of those: passed inside a seam that was opened with a cursor.
    pub replayed: u64,
    /// Frames dropped because they had been passed before.
    pub duplicates: u64,
    /// Frames dropped because what they would have filled had been told as a gap.
    pub late: u64,
    /// Gaps told.
    pub gaps: u64,
    /// Connections opened after the first one.
    pub reconnects: u64,
    /// Fresh tokens received.
    pub refreshes: u64,
    /// Things that came and could not be used (C12).
    pub warnings: u64,
    /// Events that changed nothing (C13).
    pub ignored: u64,
}

impl Receipt {
    /// The largest of the counts.
    pub(crate) fn largest(&self) -> u64 {
        let Self {
            delivered,
            replayed,
            duplicates,
            late,
            gaps,
            reconnects,
            refreshes,
            warnings,
            ignored,
        } = *self;
        let counts = [
            delivered, replayed, duplicates, late, gaps, reconnects, refreshes, warnings, ignored,
        ];
        counts.into_iter().fold(0, u64::max)
    }
}

//! Fences: the ids that tie an answer to what was asked (C13).
//!
//! A client without them takes the late answer of a socket or request it has given up for the answer of the one it is
//! waiting for: LobeHub's client opened a socket nobody owned when a refresh came back after the caller had
//! disconnected (defect D1). Ids are minted here, count up, and are never used twice in a run.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Names one dial and the socket that came of it.
///
/// Every fact about a socket brings it back, so that a frame of a socket already dropped cannot touch the one that
/// replaced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DialId(pub u64);

impl fmt::Display for DialId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "dial#{}", self.0)
    }
}

/// Names one HTTP request.
///
/// Its reply brings it back, so that the reply of a request that was cancelled, timed out or joined by another changes
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "request#{}", self.0)
    }
}

/// The mint of both kinds of id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Fences {
    dials: u64,
    requests: u64,
}

impl Fences {
    /// As if only these many had been minted.
    pub(crate) fn after(dials: usize, requests: usize) -> Self {
        Self {
            dials: dials as u64,
            requests: requests as u64,
        }
    }

    pub(crate) fn largest(&self) -> u64 {
        self.dials.max(self.requests)
    }

    pub(crate) fn mint_dial(&mut self) -> DialId {
        self.dials += 1;
        DialId(self.dials)
    }

    pub(crate) fn mint_request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }
}

//! Machines broken on purpose, so that tests can show that the invariants bite.
//!
//! A run-time switch behind the feature `mutations`, which only the tests turn on: without it nothing of this is in
//! the state, and every question is answered "no" at compile time.

use serde::{Deserialize, Serialize};

/// One way to break the machine. Each is a mistake a client of this kind has really made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mutation {
    /// The reply to a refresh that was given up counts all the same (C13, D1).
    RefreshUnfenced,
    /// The cursor moves when a frame comes, not when it is passed (C8, C10).
    CursorMovedEarly,
    /// A socket that merely opened starts the backoff over (C6, D7).
    BackoffResetOnOpen,
    /// The end is told again when the run has settled (S11).
    EndLatchedTwice,
    /// After `resume` frames are handed on as they come (C8, D11).
    SeamRemoved,
    /// Answers are not sent again on a new socket (T3, D8, D14).
    OutboxDroppedOnReconnect,
    /// An answer that finds no socket to go out on is forgotten (T3, D8).
    AnswerForgotten,
    /// A second `auth_expired` starts a second refresh (S8, D3).
    RefreshNotJoined,
    /// A stop cuts `execAgent` and forgets what it started (R2, D9).
    StopForgetsLateId,
    /// Silence is never noticed (C5).
    SilenceUnnoticed,
    /// The marker is cleared whatever the server's side is (R6, D10).
    MarkerClearedBlindly,
    /// An answer is given up at the first close for a frame that was too large (C7, T3).
    AnswerGivenUp,
    /// Where the gateway may have forgotten the operation `resume` names the cursor all the same (C10).
    OverlapNotAsked,
}

impl Mutation {
    /// Those that every way to look for mistakes must find.
    pub const ALL: [Self; 11] = [
        Self::RefreshUnfenced,
        Self::CursorMovedEarly,
        Self::BackoffResetOnOpen,
        Self::EndLatchedTwice,
        Self::SeamRemoved,
        Self::OutboxDroppedOnReconnect,
        Self::AnswerForgotten,
        Self::RefreshNotJoined,
        Self::StopForgetsLateId,
        Self::SilenceUnnoticed,
        Self::MarkerClearedBlindly,
    ];

    /// Those that it takes a campaign to find: a gateway that closes for a frame over its limit, or forgets an operation.
    pub const OF_CAMPAIGNS: [Self; 2] = [Self::AnswerGivenUp, Self::OverlapNotAsked];
}

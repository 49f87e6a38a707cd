//! A deterministic simulator of Agent Gateway sessions (under construction).

pub mod invariant;

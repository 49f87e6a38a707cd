//! Tests of the wire, through its public doors.

mod api;
mod events;
mod fixtures;
mod frames;
mod json;
mod nouns;
mod properties;
mod trpc;

//! Everything that needs more than one crate: the rules of the lifecycle, properties, golden traces, end to end.

mod bookmark;
mod campaign;
mod end_to_end;
mod exploration;
mod properties;
mod purity;
mod registry;
mod rules;
mod traces;

//! State diagrams drawn from what the real machine did, not from what somebody thinks it does.
//!
//! ```text
//!   (before, event, effects, after) ──▶ Collector ──▶ Diagram ──▶ Mermaid, SVG
//! ```
//! The [`Collector`] is shown transitions, wherever they come from, and keeps those that move a run from one word of an
//! [`Aspect`] to another, with the rules that decided them. [`collect`] shows it all there are. A [`Diagram`] of a
//! [`Subject`] puts the words and the moves side by side, and is written as Mermaid or as SVG.
//!
//! An edge says by which event and which rule. Of many ways to the same move only the least are told: `resume_complete`
//! ends a run by S5, whatever else a history made of the same step.

mod aspect;
mod collector;
mod mermaid;
mod model;
mod page;
mod reasons;
mod source;
mod svg;
mod trigger;

pub use aspect::{Aspect, Subject};
pub use collector::Collector;
pub use model::{Cause, Diagram, Edge, Node, Region};
pub use reasons::Reasons;
pub use source::collect;

//! Moments at which something is due, if it is due by itself at all.

use agent_gateway_machine::Timestamp;

/// The earlier of two; `None` is never.
pub(crate) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

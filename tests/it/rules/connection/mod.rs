//! C1–C7, C12–C15: one socket at a time, for one operation.

mod arrivals;
mod backoff;
mod liveness;
mod opening;
mod violation;

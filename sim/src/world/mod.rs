//! The world: one virtual clock, one seed, one queue, in which a script is played against the real lifecycle machine.
//!
//! ```text
//!     user ──commands──▶ ┌─────────┐ ◀──facts── hands ◀──network── Server
//!          ◀notifications│ machine │ ──effects─▶      ───latency──▶
//!                        └─────────┘
//! ```
//! The world is another pair of hands: it carries out every effect in virtual time, keeps the tokens in a vault of its
//! own, and feeds back what happens. Every invariant watches. Same script, same seed, same bytes.
//! The user is the script's; a [`Caller`] puts a client's own logic beside them.
//!
//! At one moment, what came is read first, then the user acts, then the server, and the alarm rings last (C14).

mod act;
mod arrival;
mod caller;
mod clock;
mod comparison;
mod counts;
mod far_side;
mod fault;
mod hands;
mod happening;
mod link;
mod network;
mod outcome;
mod outgoing;
mod owed;
mod rehearsal;
mod reply;
mod run;
mod user;

pub use caller::{Act, Caller};
pub use comparison::Unmet;
pub use outcome::Played;
pub use rehearsal::Rehearsal;
pub use run::{LONGEST, MOST_EVENTS, Spectator, World};

//! The rules of the lifecycle, each shown on the machine alone: one file for each family, one test or more for each
//! rule, named after it. `machine/LIFECYCLE.md` has the table, and `table.rs` holds it against the sources.

mod connection;
mod hostile;
mod restored;
mod run;
mod seam;
mod sequence;
mod session;
mod stage;
mod table;
mod timers;
mod tools;

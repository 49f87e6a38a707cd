//! The hands, through their public doors.

mod double;
mod run;

//! The hands, through their public doors.

mod api;
mod double;
mod run;
mod tls;
mod transport;

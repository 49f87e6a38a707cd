//! `agw` as a program: spawned, spoken to, and judged by what it writes and leaves with.

mod errors;
mod machine;
mod program;
mod run;
mod serve;
mod sim;
mod stub;

//! `agw` as a program: spawned, spoken to, and judged by what it writes and leaves with.

mod campaign;
mod check;
mod diagram;
mod errors;
#[cfg(unix)]
mod leftovers;
mod machine;
mod program;
mod proxy;
mod run;
mod serve;
mod sim;
mod stub;
#[cfg(target_os = "linux")]
mod terminal;
mod view;

//! `agw`: run, watch, serve and replay Agent Gateway sessions.
#![allow(dead_code)]

mod arguments;
mod environment;
mod error;
mod exit_code;
mod machine;
mod render;
mod replay;
mod tools;

use clap::Parser;

use arguments::{Arguments, Command};
use error::Error;
use exit_code::ExitCode;

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    let code = match perform(&arguments.command) {
        Ok(code) => code,
        Err(error) => {
            if !error.is_broken_pipe() {
                anstream::eprintln!("agw: {error}");
            }
            error.exit_code()
        }
    };
    code.into()
}

fn perform(command: &Command) -> Result<ExitCode, Error> {
    match command {
        Command::Machine(arguments) => {
            machine::run(arguments, std::io::stdin().lock(), std::io::stdout().lock())?;
        }
        Command::Replay(arguments) => replay::run(arguments, anstream::stdout().lock())?,
        Command::Run(_) | Command::Serve(_) => {}
    }
    Ok(ExitCode::Completed)
}

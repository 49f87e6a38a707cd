//! `agw`: run, watch, serve and replay Agent Gateway sessions.

mod arguments;
mod campaign;
mod check;
mod complaint;
mod count;
mod diagram;
mod duration;
mod environment;
mod error;
mod exit_code;
mod input;
mod log;
mod machine;
mod outlet;
mod question;
mod render;
mod replace;
mod replay;
mod run;
mod script;
mod serve;
mod signals;
mod sim;
mod tools;
mod view;

use std::io;

use clap::Parser;
use mimalloc::MiMalloc;

use arguments::{Arguments, Command};
use complaint::complain;
use environment::Environment;
use error::Error;
use exit_code::ExitCode;

/// Campaigns and checks take and free small pieces of memory all the time, on every thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> std::process::ExitCode {
    let arguments = Arguments::parse();
    log::set_up(arguments.verbose);
    let code = match perform(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            if !error.is_broken_pipe() {
                complain(format_args!("agw: {error}"));
            }
            error.exit_code()
        }
    };
    code.into()
}

fn perform(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Run(arguments) => with_runtime(run::run(*arguments, Environment::read())),
        Command::Attach(arguments) => with_runtime(run::attach(*arguments, Environment::read())),
        Command::Serve(arguments) => with_runtime(serve::run(arguments)),
        Command::Sim(arguments) => sim::run(&arguments, anstream::stdout().lock()),
        Command::Machine(arguments) => {
            machine::run(&arguments, io::stdin().lock(), io::stdout().lock())
        }
        Command::Campaign(arguments) => with_runtime(campaign::run(arguments, anstream::stdout())),
        Command::Check(arguments) => with_runtime(check::run(arguments, anstream::stdout())),
        Command::Diagram(arguments) => diagram::run(&arguments, io::stdout().lock()),
        Command::Replay(arguments) => replay::run(&arguments, anstream::stdout().lock()),
        Command::View(arguments) => view::run(&arguments, anstream::stdout().lock()),
    }
}

/// Drives `future` to its end. Tasks that are left by then are dropped, their sockets and programs with them.
fn with_runtime(future: impl Future<Output = Result<ExitCode, Error>>) -> Result<ExitCode, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Setup {
            what: "the runtime cannot be started",
            error,
        })?;
    let result = runtime.block_on(future);
    runtime.shutdown_background();
    result
}

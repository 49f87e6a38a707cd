//! `agw diagram`: the states of a run, drawn from what the machine does.

use std::fs;
use std::io::Write;

use agent_gateway_sim::diagram::{Diagram, Subject, collect};

use crate::arguments::{DiagramArguments, DiagramForm, Drawn};
use crate::error::Error;
use crate::exit_code::ExitCode;

/// Draws, and writes to the file or to `output`.
///
/// # Errors
/// The file cannot be written, or the output fails.
pub(crate) fn run(arguments: &DiagramArguments, mut output: impl Write) -> Result<ExitCode, Error> {
    let subject = match arguments.of {
        Drawn::Run => Subject::Run,
        Drawn::Connection => Subject::Connection,
        Drawn::Session => Subject::Session,
    };
    let diagram = Diagram::new(subject, &collect(), arguments.loops);
    let text = match form(arguments) {
        DiagramForm::Mermaid => diagram.to_mermaid(),
        DiagramForm::Svg => diagram.to_svg(),
    };
    match &arguments.output {
        Some(path) => fs::write(path, text).map_err(|error| Error::File {
            path: path.clone(),
            error,
        })?,
        None => output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush())
            .map_err(Error::Output)?,
    }
    Ok(ExitCode::Completed)
}

fn form(arguments: &DiagramArguments) -> DiagramForm {
    let ending = arguments.output.as_ref().and_then(|path| path.extension());
    arguments.format.unwrap_or(match ending {
        Some(ending) if ending.eq_ignore_ascii_case("svg") => DiagramForm::Svg,
        _ => DiagramForm::Mermaid,
    })
}

//! `agw view`: a recording or a trace as one page that opens from disk and loads nothing.

mod page;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use agent_gateway_sim::view::{Session, View};

use crate::arguments::ViewArguments;
use crate::count::count;
use crate::error::Error;
use crate::exit_code::ExitCode;
use crate::input::{self, is_standard};
use crate::script;

/// Reads the session, writes its page, and says where on `output`; or writes the page itself there.
///
/// # Errors
/// The file cannot be read or holds no session, or the page cannot be written where it should go.
pub(crate) fn run(arguments: &ViewArguments, mut output: impl Write) -> Result<ExitCode, Error> {
    let source = &arguments.file;
    let text = read(source)?;
    let session = Session::parse(&text).map_err(|error| Error::Session {
        path: input::called(source),
        error,
    })?;
    let view = View::of(session);
    let name = source.file_name().map_or_else(
        || "standard input".into(),
        |name| name.to_string_lossy().into_owned(),
    );
    let html = page::write(&name, &view);
    match target(arguments)? {
        None => {
            output.write_all(html.as_bytes()).map_err(Error::Output)?;
        }
        Some(path) => {
            let verb = if path.exists() { "replaced" } else { "wrote" };
            fs::write(&path, &html).map_err(|error| Error::File {
                path: path.clone(),
                error,
            })?;
            let steps = count(view.steps.len() as u64, "step");
            let size = html.len().div_ceil(1024);
            writeln!(output, "{verb} {}: {steps}, {size} KiB", path.display())
                .map_err(Error::Output)?;
        }
    }
    output.flush().map_err(Error::Output)?;
    Ok(ExitCode::Completed)
}

fn read(source: &Path) -> Result<String, Error> {
    let mut bytes = input::read(source)?;
    if let Err(error) = str::from_utf8(&bytes)
        && error.error_len().is_none()
    {
        // Torn in the middle of a character: so is its line, and that is noted.
        bytes.truncate(error.valid_up_to());
    }
    script::text(&input::called(source), bytes)
}

/// Where the page goes; none: to standard output.
///
/// A page of ours is replaced when its session is looked at again. Any other file is only replaced if `--output` names
/// it, and the session itself never is.
fn target(arguments: &ViewArguments) -> Result<Option<PathBuf>, Error> {
    let source = &arguments.file;
    let path = match &arguments.output {
        Some(path) if is_standard(path) => return Ok(None),
        Some(path) => path.clone(),
        None if is_standard(source) => return Ok(None),
        None => source.with_extension("html"),
    };
    let is_source = match (fs::canonicalize(&path), fs::canonicalize(source)) {
        (Ok(path), Ok(source)) => path == source,
        _ => path == *source,
    };
    let is_foreign = arguments.output.is_none() && path.exists() && !page::is_ours(&path);
    if is_source || is_foreign {
        return Err(Error::WouldReplace {
            path,
            ours: Some("page of `agw view`"),
            option: "--output",
        });
    }
    Ok(Some(path))
}

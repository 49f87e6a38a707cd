use std::fs;
use std::path::Path;

use agent_gateway_sim::script::Script;

use crate::error::Error;

/// Reads a script file.
///
/// # Errors
/// It cannot be read, or is no script: told with file, line, column and path.
pub(crate) fn read(path: &Path) -> Result<Script, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::File {
        path: path.into(),
        error,
    })?;
    Ok(Script::parse(&path.display().to_string(), &text)?)
}

/// The session that `agw run` shows when neither a server nor a script is given.
///
/// # Errors
/// None as long as the library's own test passes.
pub(crate) fn demo() -> Result<Script, Error> {
    let demo = agent_gateway_sim::script::find("demo");
    Ok(Script::parse(
        "demo",
        demo.map_or("", |script| script.text),
    )?)
}

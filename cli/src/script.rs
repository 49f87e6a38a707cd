//! Scripts by file, folder, pattern, or by the name they have in the library.

use std::path::Path;

use agent_gateway_machine::recording::Recording;
use agent_gateway_sim::names::did_you_mean;
use agent_gateway_sim::script::{LIBRARY, Script, find, locate};

use crate::error::Error;
use crate::input;

/// A script and what to call it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) script: Script,
    file: String,
    text: String,
}

impl Named {
    fn parse(name: &str, file: &str, text: String) -> Result<Self, Error> {
        let script = Script::parse(file, &text).map_err(|error| {
            // The two lie side by side, and are told apart by their endings only.
            if Recording::parse(&text).is_ok() {
                Error::RecordingNotScript(file.to_owned())
            } else {
                error.into()
            }
        })?;
        Ok(Self {
            name: name.to_owned(),
            script,
            file: file.to_owned(),
            text,
        })
    }

    fn of_library(name: &str) -> Result<Option<Self>, Error> {
        let script = find(name).map(|script| Self::parse(name, name, script.text.to_owned()));
        script.transpose()
    }

    fn read(path: &Path) -> Result<Self, Error> {
        let name = path.file_stem().unwrap_or_default();
        let file = path.display().to_string();
        Self::parse(&name.to_string_lossy(), &file, read_text(path)?)
    }

    fn read_standard() -> Result<Self, Error> {
        let name = "standard input";
        let text = text(Path::new(name), input::read(Path::new("-"))?)?;
        Self::parse(name, name, text)
    }

    /// Where a member of the script stands, as `file:line:column`.
    pub(crate) fn place(&self, path: &str) -> String {
        let (line, column) = locate(&self.text, path);
        format!("{}:{line}:{column}", self.file)
    }
}

/// The one script of a file, or of this name in the library.
///
/// # Errors
/// There is none; or it cannot be read, or is no script: told with file, line, column and path.
pub(crate) fn find_one(place: &str) -> Result<Script, Error> {
    let named = if Path::new(place).exists() {
        Named::read(Path::new(place))?
    } else {
        Named::of_library(place)?.ok_or_else(|| no_script(place))?
    };
    Ok(named.script)
}

fn read_text(path: &Path) -> Result<String, Error> {
    text(path, input::read(path)?)
}

/// What was read from a file, as text.
///
/// # Errors
/// It is none: told with file, line and column.
pub(crate) fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good
            .split(|byte| *byte == b'\n')
            .next_back()
            .unwrap_or_default();
        Error::NoText {
            path: path.to_owned(),
            line: good.iter().filter(|byte| **byte == b'\n').count() + 1,
            column: String::from_utf8_lossy(line).chars().count() + 1,
        }
    })
}

/// The session that `agw run` shows when neither a server nor a script is given.
///
/// # Errors
/// None as long as the library's own test passes.
pub(crate) fn demo() -> Result<Script, Error> {
    let demo = find("demo");
    Ok(Script::parse(
        "demo",
        demo.map_or("", |script| script.text),
    )?)
}

/// All scripts that `places` name, in order; those of a folder or a pattern by name.
///
/// # Errors
/// The first place without a script, or script that is none.
pub(crate) fn find_all(places: &[String]) -> Result<Vec<Named>, Error> {
    let mut scripts = Vec::new();
    for place in places {
        let path = Path::new(place);
        if input::is_standard(path) {
            scripts.push(Named::read_standard()?);
        } else if path.is_dir() {
            // The folder's own name is no pattern.
            let folder = glob::Pattern::escape(place);
            let found = fitting(&format!("{folder}/*.json"))?;
            if found.is_empty() {
                return Err(Error::NoScriptIn(place.to_owned()));
            }
            scripts.extend(found);
        } else if path.exists() {
            scripts.push(Named::read(path)?);
        } else if let Some(named) = Named::of_library(place)? {
            scripts.push(named);
        } else {
            let found = fitting(place)?;
            if found.is_empty() {
                return Err(no_script(place));
            }
            scripts.extend(found);
        }
    }
    Ok(scripts)
}

/// The scripts whose paths fit a pattern, by name; not the schema that lies beside scripts. None fit what is no pattern.
fn fitting(pattern: &str) -> Result<Vec<Named>, Error> {
    let paths = glob::glob(pattern).into_iter().flatten();
    paths
        .filter_map(Result::ok)
        .filter(|path| path.is_file() && !path.to_string_lossy().ends_with(".schema.json"))
        .map(|path| Named::read(&path))
        .collect()
}

/// Nothing by this name; the script of the library that may be meant is named.
fn no_script(place: &str) -> Error {
    let names = LIBRARY.iter().map(|script| script.name);
    Error::NoScript {
        place: place.to_owned(),
        hint: did_you_mean(place, names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_of_the_library_is_found_by_name() {
        let found = find_all(&["good_run".into()]).unwrap();
        assert_eq!(found[0].name, "good_run");
        let missing = find_all(&["bad_run".into()]).unwrap_err();
        assert!(missing.to_string().contains("bad_run"));
        assert!(missing.to_string().contains("did you mean `good_run`?"));
    }
}

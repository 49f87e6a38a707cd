//! Scripts by file, folder, pattern, or by the name they have in the library.

use std::fs;
use std::path::{Path, PathBuf};

use agent_gateway_sim::script::{Script, find};

use crate::error::Error;

/// A script and what to call it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) script: Script,
}

/// Reads a script file.
///
/// # Errors
/// It cannot be read, or is no script: told with file, line, column and path.
pub(crate) fn read(path: &Path) -> Result<Script, Error> {
    let text = fs::read_to_string(path).map_err(file(path))?;
    Ok(Script::parse(&path.display().to_string(), &text)?)
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
        if path.is_dir() {
            scripts.extend(read_all(&in_folder(path, "*.json")?)?);
        } else if path.exists() {
            scripts.extend(read_all(&[path.into()])?);
        } else if let Some(library) = find(place) {
            scripts.push(Named {
                name: place.clone(),
                script: Script::parse(place, library.text)?,
            });
        } else if let Some((folder, pattern)) = pattern(path) {
            let files = in_folder(folder, pattern)?;
            if files.is_empty() {
                return Err(Error::NoScript(place.clone()));
            }
            scripts.extend(read_all(&files)?);
        } else {
            return Err(Error::NoScript(place.clone()));
        }
    }
    Ok(scripts)
}

fn read_all(files: &[PathBuf]) -> Result<Vec<Named>, Error> {
    let scripts = files.iter().map(|path| {
        let name = path.file_stem().unwrap_or_default();
        Ok(Named {
            name: name.to_string_lossy().into_owned(),
            script: read(path)?,
        })
    });
    scripts.collect()
}

/// The files of a folder that fit the pattern, in order; not the schema that lies beside scripts.
fn in_folder(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(file(folder))? {
        let path = entry.map_err(file(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_file() && fits(pattern, &name) && !name.ends_with(".schema.json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The folder and the last part of a path, if that is a pattern.
fn pattern(path: &Path) -> Option<(&Path, &str)> {
    let last = path.file_name()?.to_str()?;
    if !last.contains(['*', '?']) {
        return None;
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    Some((folder.unwrap_or(Path::new(".")), last))
}

/// Whether `*` (any characters) and `?` (any one) of the pattern can stand for what is in the name.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pattern_rest = pattern.chars();
    match pattern_rest.next() {
        None => name.is_empty(),
        Some('*') => {
            let after = pattern_rest.as_str();
            let mut rests = name.char_indices().map(|(at, _)| &name[at..]);
            after.is_empty()
                || fits(after, "") && name.is_empty()
                || rests.any(|rest| fits(after, rest))
        }
        Some(expected) => {
            let mut rest = name.chars();
            let found = rest.next();
            found.is_some_and(|found| expected == '?' || expected == found)
                && fits(pattern_rest.as_str(), rest.as_str())
        }
    }
}

fn file(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |error| Error::File {
        path: path.into(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_what_it_can_stand_for() {
        for (pattern, name, expected) in [
            ("*.json", "a.json", true),
            ("*.json", "a.jsonl", false),
            ("d?_*.json", "d1_refresh.json", true),
            ("d?_*.json", "d12_refresh.json", false),
            ("*", "", true),
            ("a*", "a", true),
            ("a*b*c", "abxbc", true),
            ("a*b*c", "abxb", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_script_of_the_library_is_found_by_name() {
        let found = find_all(&["good_run".into()]).unwrap();
        assert_eq!(found[0].name, "good_run");
        let missing = find_all(&["bad_run".into()]).unwrap_err();
        assert!(missing.to_string().contains("bad_run"));
    }
}

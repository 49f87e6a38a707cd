use thiserror::Error;

/// Why a script is refused: one sentence with the place.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScriptError {
    /// Not JSON, or not of the form.
    #[error("{file}:{line}:{column}: {}{what}", at(path))]
    Form {
        /// The file.
        file: Box<str>,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The member, as `gateway.steps[3].do`; empty if the file is not JSON.
        path: Box<str>,
        /// What is wrong with it.
        what: Box<str>,
    },
    /// Of the form, but it cannot be meant.
    #[error("{file}:{line}:{column}: {path}: {what}")]
    Sense {
        /// The file.
        file: Box<str>,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The member.
        path: Box<str>,
        /// What is wrong with it.
        what: Box<str>,
    },
}

fn at(path: &str) -> String {
    if path.is_empty() || path == "." {
        String::new()
    } else {
        format!("{path}: ")
    }
}

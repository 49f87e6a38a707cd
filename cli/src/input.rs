//! Standard input instead of a file: `-`.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::script;

/// Most bytes of a prompt. No model reads as much.
const MOST_PROMPT: usize = 4 << 20;

/// U+FEFF in UTF-8.
pub(crate) const MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether this means standard input or output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// What a file that is read is called in what is said of it.
pub(crate) fn called(path: &Path) -> PathBuf {
    if is_standard(path) {
        "standard input".into()
    } else {
        path.to_owned()
    }
}

/// All of a file, or of standard input, but for the mark of its encoding with which some editors begin one.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let read = if is_standard(path) {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    read.map(without_mark).map_err(|error| Error::File {
        path: called(path),
        error,
    })
}

fn without_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
    bytes
}

/// The prompt as it was given, or for `-` all of standard input but the newline at its end.
///
/// # Errors
/// There is none; or standard input cannot be read, is no text, or holds more than a prompt may have.
pub(crate) fn prompt(given: String) -> Result<String, Error> {
    if !is_standard(Path::new(&given)) {
        return if given.trim().is_empty() {
            Err(Error::NoPrompt)
        } else {
            Ok(given)
        };
    }
    let mut bytes = Vec::new();
    let most = MOST_PROMPT as u64 + 1;
    let input = io::stdin().lock();
    input
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(Error::Input)?;
    if bytes.len() > MOST_PROMPT {
        let why = format!("a prompt has at most {} MiB", MOST_PROMPT >> 20);
        return Err(Error::Prompt(why));
    }
    let mut text = script::text(Path::new("standard input"), without_mark(bytes))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(Error::Prompt("there is no prompt in it".into()));
    }
    Ok(text)
}

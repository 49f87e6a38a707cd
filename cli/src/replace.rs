//! What may be written over: a file that the user names may be there already, and hold what nothing brings back.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

use crate::error::Error;

/// Bytes that a recording's header has at most.
const HEADER: u64 = 1 << 20;

/// Refuses to write over a file that holds something. What is no plain file (a pipe, a device) keeps nothing that could be
/// lost, and neither does an empty one.
///
/// # Errors
/// There is one; says which `option` names another.
pub(crate) fn spare(path: &Path, option: &'static str) -> Result<(), Error> {
    if !holds_something(path) {
        return Ok(());
    }
    Err(Error::WouldReplace {
        path: path.to_owned(),
        ours: None,
        option,
    })
}

/// The same, but a recording may be replaced: what is played again is recorded again.
///
/// # Errors
/// There is a file that is none.
pub(crate) fn spare_all_but_recordings(path: &Path, option: &'static str) -> Result<(), Error> {
    if !holds_something(path) || is_recording(path) {
        return Ok(());
    }
    Err(Error::WouldReplace {
        path: path.to_owned(),
        ours: Some("recording"),
        option,
    })
}

fn holds_something(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0)
}

/// Whether it begins as a recording does, of whatever version.
fn is_recording(path: &Path) -> bool {
    let mut header = Vec::new();
    let read = File::open(path)
        .and_then(|file| BufReader::new(file.take(HEADER)).read_until(b'\n', &mut header));
    let header: Value = match read {
        Ok(_) => serde_json::from_slice(&header).unwrap_or_default(),
        Err(_) => Value::Null,
    };
    header["version"].is_u64() && header["config"].is_object()
}

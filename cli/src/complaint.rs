use std::fmt::Display;
use std::io::Write;

use crate::render::plain;

/// Writes a line to standard error, made harmless for a terminal: a server's words may be in it. Whether anybody is there to read it changes nothing: a terminal may be gone.
pub(crate) fn complain(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{}", plain(&line.to_string()));
}

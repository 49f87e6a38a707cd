use std::fmt::Display;
use std::io::Write;

/// Writes a line to standard error. Whether anybody is there to read it changes nothing: a terminal may be gone.
pub(crate) fn complain(line: impl Display) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

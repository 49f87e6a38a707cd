use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::outlet::Outlet;
use crate::replace::spare;

/// Bytes of a recording that may wait for a slow disk.
const ROOM: usize = 64 << 20;

/// The file a run is recorded to. A disk that is slow holds nothing up, and what cannot be recorded ends no run: it is
/// told when the run is over.
pub(super) struct Record {
    path: PathBuf,
    outlet: Outlet,
}

/// What the client writes the recording to.
#[derive(Clone)]
pub(super) struct Target(Outlet);

impl Record {
    /// # Errors
    /// The file cannot be made, or holds something already: a recording cannot be made again.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        spare(path, "--record")?;
        let outlet = File::create(path).and_then(|file| Outlet::new(file, ROOM));
        let outlet = outlet.map_err(|error| failed(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            outlet,
        })
    }

    pub(super) fn target(&self) -> Target {
        Target(self.outlet.clone())
    }

    /// Until the whole recording is written. Cancel-safe.
    ///
    /// # Errors
    /// It cannot be.
    pub(super) async fn written(&self) -> Result<(), Error> {
        let written = self.outlet.emptied().await;
        written.map_err(|error| failed(&self.path, error))
    }
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        error,
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.is_full() {
            self.0.give_up(io::Error::other(format!(
                "the recording ends here: {ROOM} bytes wait to be written"
            )));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

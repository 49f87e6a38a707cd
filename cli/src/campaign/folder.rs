use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The folder for what is found. One that was made for it and stays empty goes again.
pub(super) struct Folder {
    made: Option<PathBuf>,
}

impl Folder {
    /// # Errors
    /// It cannot be made, or something else is in its place.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            return Ok(Self { made: None });
        }
        if path.exists() {
            return Err(Error::NoFolder(path.to_owned()));
        }
        fs::create_dir_all(path).map_err(|error| Error::File {
            path: path.to_owned(),
            error,
        })?;
        Ok(Self {
            made: Some(path.to_owned()),
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(path) = &self.made {
            // It is only removed if it is empty.
            let _ = fs::remove_dir(path);
        }
    }
}

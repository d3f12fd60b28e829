//! The folder that a command writes its results to.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hal::archive;

use super::{Failure, PNG_SCALE};
use crate::figure::png;

/// The folder of a run.
pub(super) struct Folder {
    path: PathBuf,
    names: Vec<String>,
}

impl Folder {
    /// Makes the folder if it does not exist.
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(path)
            .with_context(|| format!("folder {} cannot be made", path.display()))
            .map_err(Failure::Request)?;
        let path = std::path::absolute(path)
            .with_context(|| format!("folder {} has no absolute path", path.display()))
            .map_err(Failure::Request)?;
        Ok(Self { path, names: Vec::new() })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Counts a file that will be written later.
    pub(super) fn announce(&mut self, name: &str) {
        if !self.names.iter().any(|n| n == name) {
            self.names.push(name.to_owned());
        }
    }

    /// Absolute paths of the files so far.
    pub(super) fn files(&self) -> Vec<String> {
        self.names.iter().map(|n| self.path.join(n).display().to_string()).collect()
    }

    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.announce(name);
        archive::write_atomically(&self.path.join(name), bytes).map_err(Failure::other)
    }

    pub(super) fn archive<T: archive::Archive>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), Failure> {
        self.announce(name);
        archive::write(&self.path.join(name), value).map_err(Failure::other)
    }

    /// A picture as SVG and PNG.
    pub(super) fn figure(&mut self, name: &str, svg: &str) -> Result<(), Failure> {
        self.bytes(&format!("{name}.svg"), svg.as_bytes())?;
        let pixels = png(svg, PNG_SCALE).map_err(Failure::other)?;
        self.bytes(&format!("{name}.png"), &pixels)
    }
}

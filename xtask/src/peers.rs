//! Other simulators, each in an environment of its own below `target/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell;

/// A simulator that runs exported networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// NEST, the wheel of the package index.
    Nest,
    /// Brian2 with C++ code of its own making.
    Brian2,
}

impl Peer {
    /// What is installed, as pip names it. They do not agree about numpy.
    const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Nest => &["nest-simulator==3.10.0", "numpy==2.4.6"],
            Self::Brian2 => &["brian2==2.9.0", "numpy==2.3.5"],
        }
    }

    const fn environment(self) -> &'static str {
        match self {
            Self::Nest => "venv-nest",
            Self::Brian2 => "venv-brian2",
        }
    }

    const fn script(self) -> &'static str {
        match self {
            Self::Nest => "pynn-front/python/nest_reference.py",
            Self::Brian2 => "pynn-front/python/brian2_reference.py",
        }
    }

    /// Installs it if it is not there yet.
    pub(crate) fn install(self) -> Result<Installed> {
        let venv = shell::target().join(self.environment());
        let python = venv.join("bin").join("python");
        // written last, so that a broken installation is made anew
        let marker = venv.join("installed");
        let wanted = self.packages().join(" ");
        if !fs::read_to_string(&marker).is_ok_and(|found| found == wanted) {
            eprintln!("installing {wanted} into {} ...", venv.display());
            shell::run("python3", ["-m", "venv", &venv.display().to_string()])
                .context("a Python 3.11 or newer with venv is needed")?;
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
            shell::run(&python, pip.into_iter().chain(self.packages().iter().copied()))?;
            fs::write(&marker, wanted).with_context(|| marker.display().to_string())?;
        }
        Ok(Installed { python, script: shell::root().join(self.script()) })
    }
}

/// A simulator that is ready to run.
#[derive(Debug)]
pub(crate) struct Installed {
    python: PathBuf,
    script: PathBuf,
}

impl Installed {
    /// The Python that has it.
    pub(crate) fn python(&self) -> &Path {
        &self.python
    }

    /// Runs an exported network for `duration_ms` and returns the script's report: statistics of
    /// what follows the first `discard_ms`, and times.
    pub(crate) fn run(
        &self,
        network: &Path,
        duration_ms: u32,
        discard_ms: u32,
        more: &[String],
    ) -> Result<Value> {
        let out = network.join("other.json");
        let mut arguments = vec![
            self.script.display().to_string(),
            network.display().to_string(),
            format!("--duration={duration_ms}"),
            format!("--discard={discard_ms}"),
            format!("--out={}", out.display()),
        ];
        arguments.extend_from_slice(more);
        shell::quietly(&self.python, arguments)?;
        read_json(&out)
    }
}

/// A JSON file.
pub(crate) fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

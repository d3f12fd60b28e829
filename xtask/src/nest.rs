//! NEST in an environment of its own below `target/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::shell;

/// What is installed, as pip names it.
const PACKAGES: [&str; 2] = ["nest-simulator==3.10.0", "numpy"];

/// A Python with NEST.
#[derive(Debug)]
pub(crate) struct Nest {
    python: PathBuf,
}

impl Nest {
    /// Installs NEST if it is not there yet.
    pub(crate) fn install() -> Result<Self> {
        let venv = shell::target().join("venv");
        let python = venv.join("bin").join("python");
        // written last, so that a broken installation is made anew
        let marker = venv.join("nest-installed");
        let wanted = PACKAGES.join(" ");
        if fs::read_to_string(&marker).is_ok_and(|found| found == wanted) {
            return Ok(Self { python });
        }
        eprintln!("installing {wanted} into {} ...", venv.display());
        shell::run("python3", ["-m", "venv", &venv.display().to_string()])
            .context("a Python 3.11 or newer with venv is needed")?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        shell::run(&python, pip.into_iter().chain(PACKAGES))?;
        fs::write(&marker, wanted).with_context(|| marker.display().to_string())?;
        Ok(Self { python })
    }

    /// Runs an exported network for `duration_ms` and returns the statistics of what follows the
    /// first `discard_ms`.
    pub(crate) fn run(&self, network: &Path, duration_ms: u32, discard_ms: u32) -> Result<Value> {
        let out = network.join("nest.json");
        let script = shell::root().join("pynn-front/python/nest_reference.py");
        let arguments = [
            script.display().to_string(),
            network.display().to_string(),
            format!("--duration={duration_ms}"),
            format!("--discard={discard_ms}"),
            format!("--out={}", out.display()),
            "--resolution=0.02".to_owned(),
            "--threads=2".to_owned(),
        ];
        shell::run(&self.python, arguments)?;
        let text = fs::read_to_string(&out).with_context(|| out.display().to_string())?;
        serde_json::from_str(&text).context("nest.json")
    }
}

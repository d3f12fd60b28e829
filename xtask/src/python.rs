//! The Python package: built into an environment below `target/`, and tested there.

use std::fs;

use anyhow::{Context as _, Result};

use crate::shell;

/// What the tests need besides the package: its build tool, what it depends on, and pytest.
const PACKAGES: [&str; 6] =
    ["maturin>=1.9.4,<2", "PyNN>=0.13,<0.14", "neo>=0.14", "numpy>=2", "pytest>=8", "scipy"];

/// Builds and installs the package, then runs its tests.
pub(crate) fn test() -> Result<()> {
    let venv = shell::target().join("venv-python");
    let bin = venv.join("bin");
    let python = bin.join("python");
    // written last, so that a broken installation is made anew
    let marker = venv.join("installed");
    let wanted = PACKAGES.join(" ");
    if !fs::read_to_string(&marker).is_ok_and(|found| found == wanted) {
        eprintln!("installing {wanted} into {} ...", venv.display());
        shell::run("python3", ["-m", "venv", &venv.display().to_string()])
            .context("a Python 3.11 or newer with venv is needed")?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        shell::run(&python, pip.into_iter().chain(PACKAGES))?;
        fs::write(&marker, wanted).with_context(|| marker.display().to_string())?;
    }
    eprintln!("building the Python package ...");
    let wheels = shell::target().join("wheels");
    let (manifest, out) = ("pynn-front/Cargo.toml", wheels.display().to_string());
    let build = ["build", "--release", "--manifest-path", manifest, "--out", &out];
    shell::run(bin.join("maturin"), build)?;
    let newest = fs::read_dir(&wheels)
        .with_context(|| out.clone())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "whl"))
        .max_by_key(|path| path.metadata().and_then(|m| m.modified()).ok())
        .context("maturin built no wheel")?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let wheel = newest.display().to_string();
    shell::run(&python, pip.into_iter().chain(["--no-deps", "--force-reinstall", &wheel]))?;
    let cache = "cache_dir=".to_owned() + &shell::target().join("pytest").display().to_string();
    shell::run(&python, ["-m", "pytest", "-q", "-o", &cache, "pynn-front/tests/python"])
}

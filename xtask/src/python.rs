//! The Python package: built into an environment below `target/`, tested and timed there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::shell;

/// What the tests need besides the package: its build tool, what it depends on, pytest, and what
/// notebooks and plots take.
const PACKAGES: [&str; 10] = [
    "maturin>=1.9.4,<2",
    "PyNN>=0.13,<0.14",
    "neo>=0.14",
    "numpy>=2",
    "pytest>=8",
    "scipy",
    "matplotlib",
    "nbclient",
    "nbformat",
    "ipykernel",
];
/// PyNN with its examples and test scenarios, which the installed package lacks.
const PYNN: &str = "0.13.0";
/// How pip is called.
const PIP: [&str; 2] = ["-m", "pip"];
const QUIETLY: [&str; 2] = ["--quiet", "--disable-pip-version-check"];

/// Builds and installs the package, then runs its tests.
pub(crate) fn test() -> Result<()> {
    let python = install()?;
    let cache = "cache_dir=".to_owned() + &shell::target().join("pytest").display().to_string();
    let mut command = Command::new(&python);
    command
        .args(["-m", "pytest", "-q", "-rs", "-o", &cache, "pynn-front/tests/python"])
        .current_dir(shell::root());
    match pynn_source(&python) {
        Ok(source) => command.env("BSS1_PYNN_SOURCE", source),
        Err(error) => {
            eprintln!("without the examples of PyNN: {error:#}");
            &mut command
        }
    };
    for (name, variable) in [("nest", "BSS1_NEST_PYTHON"), ("brian2", "BSS1_BRIAN2_PYTHON")] {
        let peer = shell::target().join(format!("venv-{name}")).join("bin").join("python");
        if peer.exists() {
            command.env(variable, peer);
        } else {
            eprintln!("without {name}, which `cargo xtask bench emulator --peers` installs");
        }
    }
    shell::finish(command)
}

/// Times of the Python package, written as JSON.
pub(crate) fn bench(quick: bool, json: &Path) -> Result<()> {
    let python = install()?;
    let mut arguments = vec!["pynn-front/python/front_bench.py"];
    arguments.extend(quick.then_some("--quick"));
    let times = shell::answer(&python, arguments)?;
    let text = serde_json::to_string_pretty(&times)? + "\n";
    eprint!("{text}");
    fs::write(json, text).with_context(|| json.display().to_string())
}

/// Builds the package into its environment; returns the Python there.
fn install() -> Result<PathBuf> {
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
        shell::run(&python, PIP.into_iter().chain(["install"]).chain(QUIETLY).chain(PACKAGES))?;
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
    let wheel = newest.display().to_string();
    let install = ["install", "--no-deps", "--force-reinstall", &wheel];
    shell::run(&python, PIP.into_iter().chain(install).chain(QUIETLY))?;
    Ok(python)
}

/// The folder of PyNN's sources, fetched once from the package index.
fn pynn_source(python: &Path) -> Result<PathBuf> {
    let folder = shell::target().join("pynn");
    let source = folder.join(format!("pynn-{PYNN}"));
    if source.exists() {
        return Ok(source);
    }
    let (package, dest) = (format!("PyNN=={PYNN}"), folder.display().to_string());
    let fetch = ["download", "--no-deps", "--no-binary", "PyNN", "--dest", &dest, &package];
    shell::run(python, PIP.into_iter().chain(fetch).chain(QUIETLY))?;
    let archive = folder.join(format!("pynn-{PYNN}.tar.gz")).display().to_string();
    shell::run(python, ["-m", "tarfile", "-e", &archive, &dest])?;
    Ok(source)
}

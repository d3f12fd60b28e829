//! Other programs: where they are, and how they are run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The top of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies below the top")
}

/// Where cargo builds, as cargo itself decides it.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Runs a program at the top of the project and waits for it; its output goes through.
pub(crate) fn run<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = A>,
) -> Result<()> {
    let mut command = Command::new(&program);
    command.args(arguments).current_dir(root());
    finish(command)
}

/// The same for programs that greet on stdout, which is not shown.
pub(crate) fn quietly<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = A>,
) -> Result<()> {
    let mut command = Command::new(&program);
    command.args(arguments).current_dir(root()).stdout(Stdio::null());
    finish(command)
}

/// Runs a program whose stdout is one JSON object; its stderr goes through.
pub(crate) fn answer<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = A>,
) -> Result<serde_json::Value> {
    let mut command = Command::new(&program);
    command.args(arguments).current_dir(root()).stderr(Stdio::null());
    let line = format!("{command:?}").replace('"', "");
    let output = command.output().with_context(|| format!("cannot start: {line}"))?;
    let answer: serde_json::Value =
        serde_json::from_slice(&output.stdout).with_context(|| format!("no answer: {line}"))?;
    if !output.status.success() {
        bail!("{}: {line}: {}", output.status, answer["error"]);
    }
    Ok(answer)
}

/// Runs cargo.
pub(crate) fn cargo<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<()> {
    run(cargo_program(), arguments)
}

/// The cargo that runs this.
pub(crate) fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Waits for a command; an unhappy end is an error that tells the command.
pub(crate) fn finish(mut command: Command) -> Result<()> {
    let line = format!("{command:?}").replace('"', "");
    let status = command.status().with_context(|| format!("cannot start: {line}"))?;
    if !status.success() {
        bail!("{status}: {line}");
    }
    Ok(())
}

/// Builds the program `bss1` for speed and tells where it is.
pub(crate) fn bss1() -> Result<PathBuf> {
    eprintln!("building bss1 (the first time takes a few minutes) ...");
    cargo(["build", "--release", "--package", "pynn-front", "--bin", "bss1"])?;
    let name = format!("bss1{}", std::env::consts::EXE_SUFFIX);
    Ok(target().join("release").join(name))
}

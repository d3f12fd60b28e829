//! Tests, lints and documentation: what runs before a change is taken.

use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use crate::{python, shell, tidy};

/// All tests: unit, integration, property and documentation tests of every crate, and those of the
/// Python package.
pub(crate) fn test() -> Result<()> {
    shell::cargo(["test", "--workspace"])?;
    python::test()
}

/// API documentation of all crates; a broken link is an error.
pub(crate) fn doc() -> Result<()> {
    let mut command = Command::new(shell::cargo_program());
    command
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .current_dir(shell::root());
    shell::finish(command)
}

/// A named part of [`ci`].
type Step = (&'static str, fn() -> Result<()>);

/// Everything, stopping at the first failure.
pub(crate) fn ci() -> Result<()> {
    let steps: [Step; 5] = [
        ("format", || shell::cargo(["fmt", "--all", "--check"])),
        ("tidy", tidy::check),
        ("lints", || {
            shell::cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
            let python = ["--package", "pynn-front", "--features", "python"];
            shell::cargo(["clippy"].into_iter().chain(python).chain(["--", "-D", "warnings"]))
        }),
        ("doc", doc),
        ("test", test),
    ];
    let mut times = Vec::new();
    for (name, step) in steps {
        eprintln!("== {name}");
        let clock = Instant::now();
        step()?;
        times.push((name, clock.elapsed().as_secs_f64()));
    }
    for (name, seconds) in times {
        eprintln!("{name:<8} {seconds:>7.1} s");
    }
    Ok(())
}

//! Whole runs: the demo, and the check that words alone give the same run.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::shell;

/// The balanced random network at g = 8, eta = 0.8 on the ideal wafer.
pub(crate) fn demo() -> Result<()> {
    let bss1 = shell::bss1()?;
    let out = shell::root().join("out").join("demo");
    let clock = Instant::now();
    shell::run(&bss1, experiment("balanced-random-network", &["g=8", "eta=0.8"], &[], &out))?;
    eprintln!("demo done in {:.1} s", clock.elapsed().as_secs_f64());
    Ok(())
}

/// Arguments of `bss1 experiment run`, on the ideal wafer unless `more` says otherwise.
pub(crate) fn experiment(name: &str, settings: &[&str], more: &[&str], out: &Path) -> Vec<String> {
    let mut arguments: Vec<String> = ["experiment", "run", name].map(String::from).into();
    for setting in settings {
        arguments.extend(["--set", setting].map(String::from));
    }
    if !more.contains(&"--wafer") {
        arguments.extend(["--wafer", "ideal"].map(String::from));
    }
    arguments.extend(more.iter().map(|&argument| argument.to_owned()));
    arguments.extend(["--out".to_owned(), out.display().to_string()]);
    arguments
}

/// Runs an experiment, verifies its mapping, runs the wafer again in a fresh process from the words
/// alone, and demands the same trace.
pub(crate) fn e2e(name: &str, quick: bool) -> Result<()> {
    let bss1 = shell::bss1()?;
    let out = shell::target().join("e2e").join(name);
    let quick_settings = ["scale=60", "simulation_time=1000"];
    let settings: &[&str] = if quick { &quick_settings } else { &[] };
    shell::run(&bss1, experiment(name, settings, &[], &out))?;

    let file = |name: &str| out.join(name).display().to_string();
    shell::run(&bss1, ["verify", &file("mapping.bss1")])?;
    let again = file("again");
    shell::run(&bss1, ["emulate", &file("words.bss1"), &file("input.bss1"), "--out", &again])?;
    let read = |path: &str| fs::read(path).with_context(|| path.to_owned());
    let (first, second) = (read(&file("trace.bss1"))?, read(&file("again/trace.bss1"))?);
    ensure!(
        first == second,
        "the words alone give another trace; compare {again} with {}",
        out.display()
    );
    shell::run(&bss1, ["export-network", &file("mapping.bss1"), "--out", &file("network")])?;
    eprintln!("{name}: verified; the words alone give the same trace, byte by byte");
    Ok(())
}

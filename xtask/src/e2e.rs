//! Whole runs: the demo, and the check that words alone give the same run.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::peers::read_json;
use crate::shell;

const BALANCED: &str = "balanced-random-network";
const CORTICAL: &str = "cortical-microcircuit";

/// The balanced random network at g = 8, eta = 0.8 on the ideal wafer.
pub(crate) fn demo() -> Result<()> {
    let bss1 = shell::bss1()?;
    let out = shell::root().join("out").join("demo");
    let clock = Instant::now();
    shell::run(&bss1, experiment(BALANCED, &["g=8", "eta=0.8"], &[], &out))?;
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

/// One experiment from end to end, or both in quick form if none is named.
pub(crate) fn e2e(name: Option<&str>, quick: bool) -> Result<()> {
    let bss1 = shell::bss1()?;
    if let Some(name) = name {
        return one(&bss1, name, quick);
    }
    let clock = Instant::now();
    one(&bss1, BALANCED, true)?;
    one(&bss1, CORTICAL, true)?;
    sweep(&bss1)?;
    manufactured(&bss1)?;
    eprintln!("both experiments done in {:.0} s", clock.elapsed().as_secs_f64());
    Ok(())
}

/// Runs an experiment, verifies its mapping, runs the wafer again in a fresh process from the words
/// alone, and demands the same trace.
fn one(bss1: &Path, name: &str, quick: bool) -> Result<()> {
    let out = shell::target().join("e2e").join(name);
    let quick_settings: &[&str] = match name {
        CORTICAL => &["scale=0.03", "simulation_time=1000", "second_sample_after_s=1"],
        _ => &["scale=60", "simulation_time=1000"],
    };
    let settings = if quick { quick_settings } else { &[] };
    shell::run(bss1, experiment(name, settings, &[], &out))?;

    let file = |name: &str| out.join(name).display().to_string();
    shell::run(bss1, ["verify", &file("mapping.bss1")])?;
    let again = file("again");
    shell::run(bss1, ["emulate", &file("words.bss1"), &file("input.bss1"), "--out", &again])?;
    let read = |path: &str| fs::read(path).with_context(|| path.to_owned());
    let (first, second) = (read(&file("trace.bss1"))?, read(&file("again/trace.bss1"))?);
    ensure!(
        first == second,
        "the words alone give another trace; compare {again} with {}",
        out.display()
    );
    shell::run(bss1, ["export-network", &file("mapping.bss1"), "--out", &file("network")])?;
    eprintln!("{name}: verified; the words alone give the same trace, byte by byte");
    Ok(())
}

/// A small sweep on one mapping: rates fall with inhibition and rise with inputs.
fn sweep(bss1: &Path) -> Result<()> {
    let out = shell::target().join("e2e").join("sweep");
    let settings = ["scale=20", "g=1,8", "eta=0.8,1.6", "simulation_time=1000"];
    shell::run(bss1, experiment(BALANCED, &settings, &[], &out))?;
    let report = read_json(&out.join("report.json"))?;
    let rate = |point: usize| report["points"][point]["wafer"]["rate_hz"].as_f64();
    let rates = [rate(0), rate(1), rate(2), rate(3)];
    let [Some(first), Some(second), Some(third), Some(fourth)] = rates else {
        anyhow::bail!("the sweep has no four points");
    };
    ensure!(
        first > 2.0 * second && third > 2.0 * fourth && fourth > second,
        "rates of the sweep are not ordered as they should be: {first}, {second}, {third}, {fourth}"
    );
    eprintln!("sweep: four points on one mapping");
    Ok(())
}

/// A small balanced network on the manufactured wafer 30 with all its effects, on chips that are
/// calibrated for it.
fn manufactured(bss1: &Path) -> Result<()> {
    let folder = shell::target().join("e2e");
    let database = folder.join("calibration.db").display().to_string();
    // measured anew, as by somebody who runs it for the first time
    if Path::new(&database).exists() {
        fs::remove_file(&database).with_context(|| database.clone())?;
    }
    let on_wafer = ["--wafer", "30", "--calibration", &database];
    let out = folder.join("wafer-30");
    let settings = ["scale=150", "simulation_time=2000"];
    shell::run(bss1, experiment(BALANCED, &settings, &on_wafer, &out))?;
    let report = read_json(&out.join("report.json"))?;
    ensure!(report["mapping_report"]["verified"] == true, "on wafer 30 it is not verified");
    let spikes = report["run_report"]["spikes"]["recorded"].as_u64();
    ensure!(spikes > Some(100), "on wafer 30 it is silent");
    eprintln!("wafer 30: calibrated, verified and alive");
    Ok(())
}

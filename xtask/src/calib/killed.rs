//! `bss1 calibrate`, killed again and again at any moment of its work.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::shell;

/// Kills in a full and in a quick run.
const KILLS: [u64; 2] = [50, 5];
/// Longest life, ms: enough for two chips side by side, measured with one repetition.
const LONGEST_MS: u64 = 9_000;

/// Calibrates chips of a wafer in lives of any length, and looks after each of them whether the database
/// is sound and has every chip that was announced as stored.
pub(super) fn kill(bss1: &Path, folder: &Path, quick: bool) -> Result<Value> {
    let path = folder.join("killed.db");
    let database = path.display().to_string();
    let kills = KILLS[usize::from(quick)];
    let mut stored = BTreeSet::new();
    let (mut lost, mut damaged) = (BTreeSet::new(), 0);
    for kill in 1..=kills {
        let mut child = Command::new(bss1)
            .args(["calibrate", "--wafer", "30", "--hicanns", "all", "--repetitions", "1", "--db"])
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("bss1 does not start")?;
        std::thread::sleep(Duration::from_millis(kill * 3_571 % LONGEST_MS));
        child.kill()?;
        child.wait()?;
        let told = child.stderr.take().into_iter().flat_map(|told| BufReader::new(told).lines());
        stored.extend(told.map_while(Result::ok).filter_map(|line| {
            let chip = line.strip_prefix("chip ")?.split_once(": done")?.0;
            chip.parse::<u64>().ok()
        }));
        if !path.exists() && stored.is_empty() {
            continue;
        }
        let place = ["--json", "--db", &database];
        let sound = shell::answer(bss1, [&["calibration", "check"][..], &place].concat());
        damaged += usize::from(sound.is_err());
        let shown = shell::answer(bss1, [&["calibration", "show"][..], &place].concat())?;
        let there: BTreeSet<u64> = shown["chips"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|chip| chip["hicann"].as_u64())
            .collect();
        lost.extend(stored.difference(&there).copied());
        eprintln!("kill {kill} of {kills}: {} chips are there", there.len());
    }
    Ok(json!({ "kills": kills, "stored": stored.len(), "lost": lost.len(), "damaged": damaged }))
}

/// What of it is not as it should be.
pub(super) fn judged(killed: &Value) -> Option<String> {
    let good = killed["lost"] == 0 && killed["damaged"] == 0;
    (!good).then(|| format!("killed: {killed}"))
}

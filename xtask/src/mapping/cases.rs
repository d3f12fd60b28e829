//! What the benchmark maps, and how one mapping is run.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;

use super::row::{Figures, Row};

/// A mapping that takes longer is stopped.
const ROW_LIMIT: Duration = Duration::from_mins(2);
/// The same for the greatest effort.
const MAX_ROW_LIMIT: Duration = Duration::from_mins(8);

/// A kind of wafer.
#[derive(Debug, Clone, Copy)]
struct Wafer {
    name: &'static str,
    /// Arguments that make it.
    defects: &'static [&'static str],
    /// Seeds of the defects; one that is not used on a wafer without them.
    seeds: &'static [u64],
}

const WAFERS: [Wafer; 3] = [
    Wafer { name: "perfect", defects: &[], seeds: &[0] },
    Wafer { name: "d1", defects: &["--defect-rate", "0.01"], seeds: &[1, 2, 3] },
    Wafer {
        name: "d5",
        defects: &["--defect-rate", "0.05", "--missing-reticles", "3"],
        seeds: &[1, 2, 3],
    },
];

/// One row to be.
#[derive(Debug)]
pub(crate) struct Case {
    network: String,
    settings: String,
    neuron_size: String,
    effort: &'static str,
    wafer: Wafer,
}

/// What `bss1 network list` tells of a network.
#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    benchmark: Vec<String>,
    benchmark_neuron_sizes: Vec<String>,
}

/// All rows, networks in the order of the program's list, wafer by wafer.
pub(crate) fn cases(bss1: &Path, quick: bool, only: Option<&str>) -> Result<Vec<Case>> {
    let output = Command::new(bss1)
        .args(["network", "list", "--json"])
        .stderr(Stdio::null())
        .output()
        .with_context(|| bss1.display().to_string())?;
    let mut list: Value = serde_json::from_slice(&output.stdout).context("bss1 network list")?;
    let mut networks: Vec<Listed> = serde_json::from_value(list["networks"].take())?;
    networks.retain(|network| only.is_none_or(|name| network.name == name));
    let mut cases = Vec::new();
    for wafer in WAFERS.into_iter().take(if quick { 1 } else { WAFERS.len() }) {
        for network in &networks {
            for neuron_size in &network.benchmark_neuron_sizes {
                if quick && neuron_size == "4" {
                    continue;
                }
                for settings in &network.benchmark {
                    for &effort in efforts(&network.name, settings, neuron_size, wafer.name) {
                        if quick && effort == "max" {
                            continue;
                        }
                        cases.push(Case {
                            network: network.name.clone(),
                            settings: settings.clone(),
                            neuron_size: neuron_size.clone(),
                            effort,
                            wafer,
                        });
                    }
                }
            }
        }
    }
    Ok(cases)
}

/// Most rows take the normal effort; those with goals for the others take these too.
fn efforts(
    network: &str,
    settings: &str,
    neuron_size: &str,
    wafer: &str,
) -> &'static [&'static str] {
    let is_cortical = network.starts_with("cortical") && settings == "scale=0.1";
    match (network, neuron_size, wafer) {
        (_, "auto", "perfect") if is_cortical => &["quick", "normal", "max"],
        (_, "auto", "d1") if is_cortical => &["normal", "max"],
        ("balanced-demo", "auto", "perfect") | ("full-wafer", _, "perfect") => &["quick", "normal"],
        _ => &["normal"],
    }
}

impl Case {
    /// Maps for each seed of the defects; each takes no longer than is left of the budget.
    pub(crate) fn run(&self, bss1: &Path, deadline: Instant) -> Result<Row> {
        let mut worst: Option<Row> = None;
        for &seed in self.wafer.seeds {
            let row = self.run_one(bss1, seed, deadline)?;
            worst = Some(match worst {
                Some(other) => other.worse(row),
                None => row,
            });
        }
        worst.context("a wafer without seeds")
    }

    fn run_one(&self, bss1: &Path, seed: u64, deadline: Instant) -> Result<Row> {
        let row = Row {
            network: self.network.clone(),
            settings: self.settings.clone(),
            neuron_size: self.neuron_size.clone(),
            effort: self.effort.to_owned(),
            wafer: self.wafer.name.to_owned(),
            seed,
            ..Row::default()
        };
        let most = if self.effort == "max" { MAX_ROW_LIMIT } else { ROW_LIMIT };
        let limit = most.min(deadline.saturating_duration_since(Instant::now()));
        if limit.is_zero() {
            return Ok(Row { error: Some("left out: the time is over".to_owned()), ..row });
        }
        Ok(match map(bss1, &self.arguments(seed), limit)? {
            Ok(figures) => Row { mapping: Some(figures), ..row },
            Err(error) => Row { error: Some(error), ..row },
        })
    }

    fn arguments(&self, seed: u64) -> Vec<String> {
        let mut arguments = vec!["map", &self.network, "--json"];
        for setting in self.settings.split_whitespace() {
            arguments.extend(["--set", setting]);
        }
        arguments.extend(["--neuron-size", &self.neuron_size, "--effort", self.effort]);
        arguments.extend(self.wafer.defects);
        let seed = seed.to_string();
        if !self.wafer.defects.is_empty() {
            arguments.extend(["--defect-seed", &seed]);
        }
        arguments.into_iter().map(str::to_owned).collect()
    }
}

/// The figures, or why there are none.
fn map(
    bss1: &Path,
    arguments: &[String],
    limit: Duration,
) -> Result<std::result::Result<Figures, String>> {
    let mut child = Command::new(bss1)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| bss1.display().to_string())?;
    // reports of many projections are larger than a pipe
    let mut stdout = child.stdout.take().context("the child has no stdout")?;
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        stdout.read_to_end(&mut text).map(|_| text)
    });
    if !ends_within(&mut child, limit)? {
        return Ok(Err(format!("stopped after {:.0} s", limit.as_secs_f64())));
    }
    let text = reader.join().ok().context("the reader of a child has failed")??;
    if let Ok(figures) = serde_json::from_slice::<Figures>(&text) {
        return Ok(Ok(figures));
    }
    let answer: Value = serde_json::from_slice(&text).unwrap_or_default();
    let error = answer["error"].as_str().unwrap_or("ended without an answer");
    Ok(Err(error.to_owned()))
}

/// Waits for a child, and stops it when the time is over.
fn ends_within(child: &mut Child, limit: Duration) -> Result<bool> {
    let clock = Instant::now();
    while child.try_wait()?.is_none() {
        if clock.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(true)
}

//! `bss1 experiment list` and `bss1 experiment run`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use hal::archive;
use marocco::SavedMapping;
use marocco::mapping::StageTimes;
use marocco::view::wafer_svg;
use serde_json::{Value, json};

use super::console::{Stages, say};
use super::{Failure, Machine, Remote, summary};
use crate::experiment::{EXPERIMENTS, Experiment, Parameter, Protocol, Value as Setting};
use crate::figure::{png, raster_svg, rates_svg};
use crate::report::ExperimentReport;
use crate::run::{self, Outcome, RunError, RunOptions};

/// Pixels per unit of the pictures.
pub(super) const PNG_SCALE: f32 = 2.0;
/// Violations that are printed.
pub(super) const SHOWN_VIOLATIONS: usize = 20;

pub(super) fn list() -> Value {
    for experiment in EXPERIMENTS {
        say(&format!("{}\n  {}", experiment.name, experiment.summary));
        for p in experiment.parameters {
            let range = format!("{} {}", p.domain, p.unit);
            say(&format!(
                "    {:<16} {:<7} {:<36} {}",
                p.name,
                p.default.to_string(),
                range.trim_end(),
                p.meaning
            ));
        }
    }
    let parameters = |experiment: &Experiment| -> Vec<Value> {
        let describe = |p: &Parameter| {
            json!({
                "name": p.name, "default": p.default, "range": p.domain.to_string(),
                "unit": p.unit, "meaning": p.meaning,
            })
        };
        experiment.parameters.iter().map(describe).collect()
    };
    let experiments: Vec<Value> = EXPERIMENTS
        .iter()
        .map(|e| json!({ "name": e.name, "summary": e.summary, "parameters": parameters(e) }))
        .collect();
    json!({ "experiments": experiments })
}

pub(super) fn run(
    name: &str,
    settings: &[String],
    machine: &Machine,
    remote: Remote,
    seed: u64,
    out: &Path,
) -> Result<Value, Failure> {
    let experiment = Experiment::find(name).map_err(Failure::request)?;
    let mut parameters = experiment.defaults();
    for setting in settings {
        parameters.set(setting).map_err(Failure::request)?;
    }
    let folder = Folder::new(out)?;
    let protocol = experiment.build(&parameters).map_err(Failure::request)?;

    let options = RunOptions {
        effects: machine.effects(),
        seed,
        threads: machine.threads(),
        remote: remote.address,
    };
    let stages = Stages::new();
    let outcome = run::run(&protocol, &options, &mut |p| stages.note(p));
    stages.done();
    let outcome = outcome.map_err(failure)?;

    let violations = outcome.verification.violations.clone();
    let report = save(folder, name, parameters.values(), &protocol, outcome)?;
    say(&summary::page(&report));
    for violation in violations.iter().take(SHOWN_VIOLATIONS) {
        say(&violation.to_string());
    }
    if !violations.is_empty() {
        let n = violations.len();
        return Err(Failure::other(anyhow!(
            "{n} violations; the words do not realise the mapping"
        )));
    }
    serde_json::to_value(&report).map_err(Failure::other)
}

/// Networks, rates and sizes that cannot be had are wrong requests.
fn failure(error: RunError) -> Failure {
    match error {
        RunError::Map(_) | RunError::Playback(_) | RunError::Threads { .. } => {
            Failure::request(error)
        }
        _ => Failure::other(error),
    }
}

/// Name of the experiment and the parameters that shape its dynamics.
fn title(name: &str, parameters: &BTreeMap<&'static str, Setting>) -> String {
    let shaping = ["g", "eta"].into_iter().filter_map(|key| {
        let value = parameters.get(key)?;
        Some(format!("{key} = {value}"))
    });
    std::iter::once(name.replace('-', " ")).chain(shaping).collect::<Vec<_>>().join(", ")
}

fn save(
    mut folder: Folder,
    name: &str,
    parameters: &BTreeMap<&'static str, Setting>,
    protocol: &Protocol,
    outcome: Outcome,
) -> Result<ExperimentReport, Failure> {
    let Outcome { mut mapping, words, released, recording, .. } = outcome;
    let title = title(name, parameters);
    folder.archive("words.bss1", &words)?;
    folder.archive("input.bss1", &outcome.input)?;
    folder.archive("trace.bss1", &outcome.trace)?;
    folder.bytes("spikes.csv", recording.to_csv().as_bytes())?;
    folder.figure("raster", &raster_svg(&recording, &title).map_err(Failure::other)?)?;
    folder.figure("rates", &rates_svg(&recording, &title).map_err(Failure::other)?)?;
    folder.figure("wafer", &wafer_svg(protocol.model.network(), &mapping))?;
    // times of the mapper would make equal mappings unequal files
    mapping.times = StageTimes::default();
    let network = protocol.model.network().clone();
    let saved = SavedMapping { network, mapping, words, released };
    folder.archive("mapping.bss1", &saved)?;

    folder.announce("report.json");
    let report = ExperimentReport::new(
        name,
        parameters.clone(),
        outcome.mapping_report,
        outcome.run_report,
        &recording,
        folder.files(),
    );
    let text = serde_json::to_string_pretty(&report).map_err(Failure::other)?;
    folder.bytes("report.json", text.as_bytes())?;
    Ok(report)
}

/// The folder of a run.
pub(super) struct Folder {
    path: PathBuf,
    names: Vec<String>,
}

impl Folder {
    /// Makes the folder if it does not exist.
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(path)
            .with_context(|| format!("folder {} cannot be made", path.display()))
            .map_err(Failure::Request)?;
        let path = std::path::absolute(path)
            .with_context(|| format!("folder {} has no absolute path", path.display()))
            .map_err(Failure::Request)?;
        Ok(Self { path, names: Vec::new() })
    }

    /// Counts a file that will be written later.
    fn announce(&mut self, name: &str) {
        if !self.names.iter().any(|n| n == name) {
            self.names.push(name.to_owned());
        }
    }

    /// Absolute paths of the files so far.
    pub(super) fn files(&self) -> Vec<String> {
        self.names.iter().map(|n| self.path.join(n).display().to_string()).collect()
    }

    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.announce(name);
        archive::write_atomically(&self.path.join(name), bytes).map_err(Failure::other)
    }

    pub(super) fn archive<T: archive::Archive>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), Failure> {
        self.announce(name);
        archive::write(&self.path.join(name), value).map_err(Failure::other)
    }

    /// A picture as SVG and PNG.
    fn figure(&mut self, name: &str, svg: &str) -> Result<(), Failure> {
        self.bytes(&format!("{name}.svg"), svg.as_bytes())?;
        let pixels = png(svg, PNG_SCALE).map_err(Failure::other)?;
        self.bytes(&format!("{name}.png"), &pixels)
    }
}

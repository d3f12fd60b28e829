//! `bss1 experiment run`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::anyhow;
use hal::defects::Defects;
use marocco::SavedMapping;
use marocco::mapping::StageTimes;
use serde_json::Value;

use super::console::{Stages, say};
use super::folder::Folder;
use super::{Failure, Machine, Remote, SHOWN_VIOLATIONS, summary};
use crate::experiment::{Experiment, Protocol};
use crate::figure::{raster_svg, rates_svg};
use crate::parameter::Value as Setting;
use crate::picture::{self, Facts, View};
use crate::report::ExperimentReport;
use crate::run::{self, Outcome, RunError, RunOptions};

pub(super) fn run(
    name: &str,
    settings: &[String],
    machine: &Machine,
    ignore_defects: bool,
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
        instance: machine.wafer,
        effects: machine.effects(),
        ignore_defects,
        seed,
        threads: machine.threads(),
        remote: remote.address,
    };
    let stages = Stages::new();
    let outcome = run::run(&protocol, &options, &mut |p| stages.note(p));
    stages.done();
    let outcome = outcome.map_err(failure)?;

    let violations = outcome.verification.violations.clone();
    let defects = machine.wafer.defects();
    let report = save(folder, name, parameters.values(), &protocol, &defects, outcome)?;
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
pub(super) fn failure(error: RunError) -> Failure {
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
    defects: &Defects,
    outcome: Outcome,
) -> Result<ExperimentReport, Failure> {
    let Outcome { mut mapping, words, rules, released, recording, .. } = outcome;
    let title = title(name, parameters);
    folder.archive("words.bss1", &words)?;
    folder.archive("input.bss1", &outcome.input)?;
    folder.archive("trace.bss1", &outcome.trace)?;
    folder.bytes("spikes.csv", recording.to_csv().as_bytes())?;
    folder.figure("raster", &raster_svg(&recording, &title).map_err(Failure::other)?)?;
    folder.figure("rates", &rates_svg(&recording, &title).map_err(Failure::other)?)?;
    let facts = Facts::new(protocol.model.network(), &mapping, defects);
    folder.figure("wafer", &picture::svg(&facts, View::Wafer))?;
    // times of the mapper would make equal mappings unequal files
    mapping.times = StageTimes::default();
    let network = protocol.model.network().clone();
    let saved = SavedMapping { network, mapping, words, rules, released };
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

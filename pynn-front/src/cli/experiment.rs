//! `bss1 experiment run`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use calib::database::Database;
use clap::Args;
use hal::coord::HicannOnWafer;
use hal::defects::Defects;
use marocco::SavedMapping;
use marocco::mapping::StageTimes;
use serde_json::Value;

use super::calibrate::{self, Watch};
use super::console::{Stages, say};
use super::folder::Folder;
use super::{Failure, Machine, Remote, SHOWN_VIOLATIONS, summary};
use crate::calibration::{
    Bench, CalibratedError, bench_for, complete, default_database, open_or_create,
};
use crate::experiment::{Experiment, Protocol};
use crate::figure::{raster_svg, rates_svg};
use crate::parameter::Value as Setting;
use crate::picture::{self, Facts, View};
use crate::report::ExperimentReport;
use crate::run::{self, Outcome, RunError, RunOptions};

/// What a user chooses besides experiment and wafer.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Map as if nothing of the wafer were broken
    #[arg(long)]
    ignore_defects: bool,
    /// Calibration of a manufactured wafer: none, or a database, in which missing chips are measured
    /// [default: calibration.db in BSS1_HOME or ~/.bss1]
    #[arg(long, value_name = "none|FILE")]
    calibration: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
    /// Seed of mapping and stimulus
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

pub(super) fn run(
    name: &str,
    settings: &[String],
    machine: &Machine,
    how: &How,
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
        ignore_defects: how.ignore_defects,
        seed: how.seed,
        threads: machine.threads(),
        remote: how.remote.address,
    };
    let outcome = if let Some((bench, database)) = measured(machine, how)? {
        run_calibrated(&protocol, &options, &bench, &database)
    } else {
        let stages = Stages::new();
        let outcome = run::run(&protocol, &options, &mut |p| stages.note(p));
        stages.done();
        outcome
    };
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

/// The wafer to calibrate and the database for it; none for a wafer whose circuits are nominal, or if
/// that is not wanted.
fn measured(machine: &Machine, how: &How) -> Result<Option<(Bench, Database)>, Failure> {
    let unwanted = how.calibration.as_ref().is_some_and(|c| c.as_os_str() == "none");
    if unwanted || how.remote.address.is_some() {
        return Ok(None);
    }
    let Some(bench) = bench_for(machine.wafer, machine.effects()) else { return Ok(None) };
    let path = match &how.calibration {
        Some(path) => path.clone(),
        None => default_database().map_err(Failure::request)?,
    };
    let database = open_or_create(&path).map_err(calibrate::database_failure)?;
    Ok(Some((bench, database)))
}

/// Seconds of a processor that a chip takes, about, for the announcement.
const CHIP_S: f64 = 11.0;

fn run_calibrated(
    protocol: &Protocol,
    options: &RunOptions,
    bench: &Bench,
    database: &Database,
) -> Result<Outcome, RunError> {
    let threads = calibrate::threads(options.threads);
    let mut source = |hicanns: &[HicannOnWafer]| {
        let watch = Watch::new();
        let mut announce = |missing: &[HicannOnWafer]| {
            let (n, of) = (missing.len(), hicanns.len());
            let seconds = CHIP_S * n as f64 / threads.min(n) as f64;
            say(&format!(
                "calibrating {n} of {of} chips that the network uses, about {seconds:.0} s; later \
                 runs use them again ({})",
                database.path().display()
            ));
        };
        let observe = |progress: &_| watch.note(progress);
        let done = complete(bench, database, hicanns, threads, &mut announce, &observe);
        watch.done();
        done
    };
    let stages = Stages::new();
    let outcome = run::run_calibrated(protocol, options, &mut source, &mut |p| stages.note(p));
    stages.done();
    outcome
}

/// Networks, rates and sizes that cannot be had are wrong requests.
pub(super) fn failure(error: RunError) -> Failure {
    match error {
        RunError::Map(_) | RunError::Playback(_) | RunError::Threads { .. } => {
            Failure::request(error)
        }
        RunError::Calibration(CalibratedError::Map(_)) => Failure::request(error),
        RunError::Calibration(CalibratedError::Campaign(error)) => {
            calibrate::campaign_failure(error)
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
    let columns = recording.to_parquet().map_err(Failure::other)?;
    folder.bytes("spikes.parquet", &columns)?;
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

//! `bss1 experiment run`: one point, or many on one mapping.

use std::path::{Path, PathBuf};

use calib::database::Database;
use clap::Args;
use hal::coord::HicannOnWafer;
use marocco::SavedMapping;
use serde_json::Value;

use super::calibrate::{self, Watch};
use super::console::{Stages, say};
use super::folder::Folder;
use super::point::{Costs, Point, must_verify};
use super::simulate::PeerArguments;
use super::{Failure, Machine, Remote, compare, sample, summary, sweep};
use crate::accounting::Configuring;
use crate::calibration::{
    Bench, CalibratedError, bench_for, complete, default_database, open_or_create,
};
use crate::experiment::sweep::Sweep;
use crate::experiment::variation::choose_variation;
use crate::experiment::{Experiment, Protocol};
use crate::figure::raster_svg;
use crate::parameter::Parameters;
use crate::peer::Peer;
use crate::ready::Ready;
use crate::realise::on_threads;
use crate::run::{self, RunError, RunOptions};
use crate::second_sample::{SecondSampleError, second_sample};

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
    /// Do not choose on the programmed wafer which circuit of each neuron fires: neurons then differ as
    /// the calibration leaves them
    #[arg(long)]
    untrimmed: bool,
    #[command(flatten)]
    remote: Remote,
    /// Seed of mapping and stimulus
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Run the realised network in this simulator as well, and compare
    #[arg(long, value_name = "nest|brian2", conflicts_with = "address")]
    pub(super) peer: Option<Peer>,
    #[command(flatten)]
    pub(super) peer_arguments: PeerArguments,
}

pub(super) fn run(
    name: &str,
    settings: &[String],
    machine: &Machine,
    how: &How,
    out: &Path,
) -> Result<Value, Failure> {
    let experiment = Experiment::find(name).map_err(Failure::request)?;
    // not only after minutes
    how.peer.map_or(Ok(()), |peer| how.peer_arguments.check(peer))?;
    let mut sweep = Sweep::new(experiment, settings).map_err(Failure::request)?;
    let peer_varies = how.peer.is_some() && how.peer_arguments.cells_vary();
    sweep.points.iter_mut().for_each(|point| choose_variation(point, peer_varies));
    let options = RunOptions {
        instance: machine.wafer,
        effects: machine.effects(),
        ignore_defects: how.ignore_defects,
        untrimmed: how.untrimmed,
        seed: how.seed,
        threads: machine.threads(),
        remote: how.remote.address,
    };
    match sweep.points.as_slice() {
        [parameters] => single(experiment, parameters, machine, &options, how, out),
        _ => sweep::run(experiment, &sweep, machine, &options, how, out),
    }
}

fn single(
    experiment: &Experiment,
    parameters: &Parameters,
    machine: &Machine,
    options: &RunOptions,
    how: &How,
    out: &Path,
) -> Result<Value, Failure> {
    let folder = Folder::new(out)?;
    let protocol = experiment.build(parameters).map_err(Failure::request)?;
    let ready = ready(&protocol, options, machine, how)?;
    let stages = Stages::new();
    let outcome = run::run_ready(&protocol, ready, options, &mut |p| stages.note(p));
    stages.done();
    let outcome = outcome.map_err(failure)?;

    let defects = machine.wafer.defects();
    let point = Point { experiment, parameters, protocol: &protocol, defects: &defects, how };
    // the same configuration again takes nothing but other inputs
    let costs = Costs {
        mapping_s: outcome.mapping_report.wall_s.total,
        first: Configuring::first(&outcome.words),
        again: Configuring::default(),
    };
    let saved = point.save(folder, outcome, costs)?;
    say(&summary::page(&saved.report));
    if how.peer.is_some() {
        let peer = out.join(saved.peer_folder.unwrap_or_default());
        compare::run(out, &peer, &[], &peer.join("compare"))?;
    }
    let mut answer = serde_json::to_value(&saved.report).map_err(Failure::other)?;
    if let Some(after_ms) = protocol.second_after_ms {
        let mapping: &SavedMapping = &saved.mapping;
        answer["second_sample"] = second(experiment, &protocol, mapping, options, after_ms, out)?;
    }
    must_verify(saved.violations)?;
    Ok(answer)
}

/// Maps a network, after those chips were calibrated that need it.
pub(super) fn ready(
    protocol: &Protocol,
    options: &RunOptions,
    machine: &Machine,
    how: &How,
) -> Result<Ready, Failure> {
    let measured = measured(machine, how)?;
    let stages = Stages::new();
    let mapped = on_threads(options.threads, |threads| match &measured {
        None => Ready::new(protocol, options, None, &mut |p| stages.note(p)),
        Some((bench, database)) => {
            let source =
                &mut |hicanns: &[HicannOnWafer]| calibrations(bench, database, hicanns, threads);
            Ready::new(protocol, options, Some(source), &mut |p| stages.note(p))
        }
    });
    stages.done();
    mapped.and_then(|ready| ready).map_err(failure)
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

/// The calibrations of chips, measured as far as the database lacks them.
fn calibrations(
    bench: &Bench,
    database: &Database,
    hicanns: &[HicannOnWafer],
    threads: usize,
) -> Result<calib::WaferCalibration, calib::campaign::CampaignError> {
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
}

/// Takes a second sample, in a folder of its own below that of the run.
pub(super) fn second(
    experiment: &Experiment,
    protocol: &Protocol,
    mapping: &SavedMapping,
    options: &RunOptions,
    after_ms: f64,
    out: &Path,
) -> Result<Value, Failure> {
    let path = out.join("second");
    let mut folder = Folder::new(&path)?;
    let stages = Stages::new();
    say(&format!(
        "second sample after {:.0} s of biology; if it is stopped, the same command goes on from its \
         checkpoint",
        1e-3 * after_ms
    ));
    let checkpoint = path.join("checkpoint.bss1");
    let observe = &mut |p| stages.note(p);
    let sampled = second_sample(protocol, mapping, options, after_ms, &checkpoint, observe);
    stages.done();
    let recording = sampled.map_err(|error| match error {
        SecondSampleError::Run(error) => failure(error),
        other => Failure::other(other),
    })?;
    let title = format!("{}, {:.0} s later", experiment.name.replace('-', " "), 1e-3 * after_ms);
    folder.figure("raster", &raster_svg(&recording, &title).map_err(Failure::other)?)?;
    let more = [("after_s", Value::from(1e-3 * after_ms))];
    let report = sample::save(&mut folder, experiment.name, &recording, &more)?;
    compare::run(out, &path, &[], &path.join("compare"))?;
    Ok(report)
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

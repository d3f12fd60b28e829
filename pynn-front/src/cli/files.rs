//! Commands on files of earlier runs: `verify`, `emulate`, `export-network`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::anyhow;
use calib::database::Database;
use hal::archive::{self, Archive};
use hal::coord::{HicannOnDnc, HicannOnWafer};
use hal::wafer::{ConfigurationWords, PlaybackWords, TraceWords, WaferError};
use marocco::SavedMapping;
use serde_json::{Value, json};

use super::calibrate::database_failure;
use super::console::{Stages, say};
use super::defects::WaferDefects;
use super::folder::Folder;
use super::{Failure, Machine, Remote, SHOWN_VIOLATIONS};
use crate::calibration::{DEFAULT_SET, default_database};
use crate::export::{self, ExportError};
use crate::report::FlowReport;
use crate::run::{self, Progress};
use crate::wafer::AnyWafer;

/// A file that is missing or not what it should be is a wrong request.
pub(super) fn read<T: Archive>(path: &Path) -> Result<T, Failure> {
    archive::read(path).map_err(Failure::request)
}

/// Verifies a mapping against what it was made for, or against the defects of another wafer; the cells
/// of a calibrated one against the calibration in a database.
pub(super) fn verify(
    mapping: &Path,
    wafer: &WaferDefects,
    database: Option<&Path>,
) -> Result<Value, Failure> {
    let mut saved: SavedMapping = read(mapping)?;
    if let Some(defects) = wafer.load()? {
        saved.rules.defects = defects;
    }
    let unknown = look_up_calibration(&mut saved, database)?;
    let SavedMapping { network, mapping: claim, words, rules, .. } = &saved;
    let verification =
        marocco::verify::verify(network, claim, words, rules).map_err(Failure::request)?;
    let report = marocco::report(network, claim, verification.is_ok());
    if !verification.is_ok() {
        for violation in verification.violations.iter().take(SHOWN_VIOLATIONS) {
            say(&violation.to_string());
        }
        let n = verification.violations.len();
        return Err(Failure::other(anyhow!(
            "{}: {n} violations; the words do not realise the mapping on this wafer",
            mapping.display()
        )));
    }
    say(&format!(
        "{}: verified; {} synapses in {} words, {} of {} lost",
        mapping.display(),
        verification.functional,
        words.len(),
        report.synapses_lost,
        report.synapses_requested
    ));
    Ok(json!({
        "verified": true,
        "functional_synapses": verification.functional,
        "words": words.len(),
        "uncompared_hicanns": unknown.iter().map(|h| h.index()).collect::<Vec<_>>(),
        "mapping_report": report,
    }))
}

/// Finds the calibration of a mapping's chips: in this database, which must have it, or in that of the
/// user, if it does. Tells the chips whose cells cannot be compared.
fn look_up_calibration(
    saved: &mut SavedMapping,
    database: Option<&Path>,
) -> Result<Vec<HicannOnWafer>, Failure> {
    let Some(wafer) = saved.rules.calibrated else { return Ok(Vec::new()) };
    let placed = saved.mapping.placement.neurons.iter().flatten();
    let used: BTreeSet<HicannOnWafer> = placed.map(|neuron| neuron.hicann).collect();
    let path = match database {
        Some(path) => Some(path.to_owned()),
        None => default_database().ok().filter(|path| path.exists()),
    };
    let mut unknown: Vec<HicannOnWafer> = used.iter().copied().collect();
    if let Some(path) = path {
        let found = Database::open(&path)
            .and_then(|database| database.snapshot()?.wafer(DEFAULT_SET, wafer, used))
            .map_err(database_failure)?;
        unknown.retain(|hicann| !found.hicanns.contains_key(hicann));
        saved.rules.calibration = Some(Arc::new(found));
    }
    if let Some(first) = unknown.first() {
        let (n, wafer) = (unknown.len(), wafer.0);
        let what =
            format!("the calibration of {n} chips of wafer {wafer} is not at hand, first {first}");
        if database.is_some() {
            return Err(Failure::request(anyhow!("{what}; name the database of the run")));
        }
        say(&format!("{what}: their cells are not compared; name a database with --calibration"));
    }
    Ok(unknown)
}

pub(super) fn emulate(
    words: &Path,
    input: &Path,
    machine: &Machine,
    remote: Remote,
    out: &Path,
) -> Result<Value, Failure> {
    let configuration: ConfigurationWords = read(words)?;
    let playback: PlaybackWords = read(input)?;
    let mut folder = Folder::new(out)?;
    let settings = machine.settings();
    let step_ns = (settings.step.hardware_s() * 1e9).round() as u64;
    let mut wafer = AnyWafer::new(settings, remote.address).map_err(Failure::other)?;
    let wafer = wafer.wafer();
    let stages = Stages::new();
    stages.note(Progress::Configuring);
    wafer.configure(&configuration).map_err(|e| refused(words, &e))?;
    wafer.stimulate(&playback).map_err(|e| refused(input, &e))?;
    let done = run::emulate(wafer, &mut |p| stages.note(p));
    stages.done();
    let (mut wall_s, _) = done.map_err(Failure::other)?;

    let clock = Instant::now();
    let trace = wafer.read_trace().map_err(Failure::other)?;
    wall_s.read = clock.elapsed().as_secs_f64();
    folder.archive("trace.bss1", &trace)?;
    folder.bytes("spikes.csv", events_csv(&trace)?.as_bytes())?;
    let counters = wafer.counters();
    let counters = json!({
        "stimulus": FlowReport::from(&counters.stimulus),
        "readout": FlowReport::from(&counters.readout),
        "mergers": FlowReport::from(&counters.mergers),
        "neuron_spikes": counters.neuron_spikes,
        "synaptic_events": counters.synaptic_events,
    });
    folder.bytes("counters.json", format!("{counters:#}").as_bytes())?;
    say(&format!(
        "{} neuron spikes, {} synaptic events in {:.2} s; results in {}",
        counters["neuron_spikes"],
        counters["synaptic_events"],
        wall_s.emulate,
        out.display()
    ));
    Ok(
        json!({ "counters": counters, "wall_s": wall_s, "step_ns": step_ns, "files": folder.files() }),
    )
}

/// The words of a file make no sense to the wafer.
fn refused(file: &Path, error: &WaferError) -> Failure {
    Failure::request(anyhow!("{}: {error}", file.display()))
}

/// Recorded events as a wafer knows them: chip, link, address, and time in cycles of 4 ns.
fn events_csv(trace: &TraceWords) -> Result<String, Failure> {
    let mut text = String::from("hicann,link,address,cycle\n");
    for (fpga, words) in &trace.by_fpga {
        for event in hal::trace::decode(words).map_err(Failure::other)? {
            let on_dnc: HicannOnDnc = event.label.link.hicann();
            let hicann = fpga.dnc().hicann(on_dnc);
            let (link, address) = (event.label.gbit_link, event.label.address);
            // writing to a string cannot fail
            let _ = writeln!(
                text,
                "{},{},{},{}",
                hicann.index(),
                link.index(),
                address.index(),
                event.time.0
            );
        }
    }
    Ok(text)
}

pub(super) fn export(mapping: &Path, out: &Path) -> Result<Value, Failure> {
    let saved: SavedMapping = read(mapping)?;
    let files = export::write(&saved, None, out).map_err(|error| match error {
        ExportError::Folder { .. } => Failure::request(error),
        ExportError::File(_) | ExportError::NoRoute { .. } => Failure::other(error),
    })?;
    say(&format!("{} files in {}", files.len(), out.display()));
    Ok(json!({ "files": files }))
}

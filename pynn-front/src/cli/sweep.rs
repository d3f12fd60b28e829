//! A sweep: many points of an experiment on one mapping, of which only weights and inputs change.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::console::{Stages, say};
use super::experiment::{How, failure, ready, second};
use super::folder::Folder;
use super::point::{Costs, Point, must_verify};
use super::{Failure, Machine, compare, wafer_name};
use crate::accounting::{Accounting, Configuring, joules, time};
use crate::experiment::Experiment;
use crate::experiment::sweep::Sweep;
use crate::figure::{Curve, HeatMap, curves_svg, heat_svg};
use crate::parameter::Parameters;
use crate::recording::Recording;
use crate::report::ExperimentReport;
use crate::run::{self, RunOptions};
use crate::statistics::{Window, common_cv, cv_isi, rate_hz};

/// Numbers of all neurons that were read out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Whole {
    neurons: usize,
    /// Mean over neurons in Hz.
    rate_hz: f64,
    cv_isi: Option<f64>,
    /// Standard deviation over mean of the common histogram in bins of 0.2 ms, last second.
    synchrony: Option<f64>,
}

impl Whole {
    fn of(recording: &Recording) -> Self {
        let trains: Vec<Vec<f64>> =
            recording.populations.iter().flat_map(|p| p.trains.clone()).collect();
        let window = Window::settled(recording.duration_ms);
        Self {
            neurons: trains.len(),
            rate_hz: rate_hz(&trains, window).mean,
            cv_isi: cv_isi(&trains, window),
            synchrony: common_cv(&trains, recording.duration_ms),
        }
    }
}

/// A point in `report.json`.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    parameters: Value,
    wafer: Whole,
    peer: Option<Whole>,
    synapses_lost: usize,
    /// Spikes that the links from the chips could not carry.
    readout_dropped: u64,
    synaptic_events: u64,
    accounting: Accounting,
    report: String,
}

pub(super) fn run(
    experiment: &Experiment,
    sweep: &Sweep,
    machine: &Machine,
    options: &RunOptions,
    how: &How,
    out: &Path,
) -> Result<Value, Failure> {
    let clock = std::time::Instant::now();
    let mut folder = Folder::new(out)?;
    let Some(mapped) = sweep.mapped() else { return Ok(Value::Null) };
    let base = experiment.build(&mapped).map_err(Failure::request)?;
    let placed = ready(&base, options, machine, how)?;
    let mapped_s = clock.elapsed().as_secs_f64();
    say(&format!("mapped once in {mapped_s:.1} s, for {} points", sweep.points.len()));
    let defects = machine.wafer.defects();
    let mut rows: Vec<Row> = Vec::new();
    let mut mapping_report = Value::Null;
    let mut violations = 0;
    let mut before = placed.realised.config.clone();
    for parameters in &sweep.points {
        let name = sweep.name(parameters);
        let protocol = experiment.build(parameters).map_err(Failure::request)?;
        let stages = Stages::new();
        let remapping = std::time::Instant::now();
        let ready = placed.again(&protocol, &mut |p| stages.note(p)).map_err(failure)?;
        let remapping_s = remapping.elapsed().as_secs_f64();
        let outcome = run::run_ready(&protocol, ready, options, &mut |p| stages.note(p));
        stages.done();
        let outcome = outcome.map_err(failure)?;
        let again = Configuring::change(&before, &outcome.config).map_err(Failure::other)?;
        let first = Configuring::first(&outcome.words);
        before.clone_from(&outcome.config);
        let wafer = Whole::of(&outcome.recording);
        let point = Point { experiment, parameters, protocol: &protocol, defects: &defects, how };
        let path = out.join(&name);
        let costs = Costs { mapping_s: remapping_s, first, again };
        let saved = point.save(Folder::new(&path)?, outcome, costs)?;
        if let Some(peer) = saved.peer_folder {
            compare::run(&path, &path.join(peer), &[], &path.join(peer).join("compare"))?;
        }
        if let Some(after_ms) = protocol.second_after_ms {
            second(experiment, &protocol, &saved.mapping, options, after_ms, &path)?;
        }
        violations += saved.violations;
        let report: &ExperimentReport = &saved.report;
        if mapping_report.is_null() {
            mapping_report =
                serde_json::to_value(&report.mapping_report).map_err(Failure::other)?;
        }
        rows.push(Row {
            name: name.clone(),
            parameters: serde_json::to_value(&report.parameters).map_err(Failure::other)?,
            wafer,
            peer: saved.peer.as_ref().map(|peer| Whole::of(&peer.recording)),
            synapses_lost: report.mapping_report.synapses_lost,
            readout_dropped: report.run_report.readout.dropped,
            synaptic_events: report.run_report.synaptic_events,
            accounting: report.accounting.clone(),
            report: path.join("report.json").display().to_string(),
        });
        say(&line(sweep, rows.len() - 1, &rows));
    }

    let peer_name =
        rows.iter().find_map(|r| r.accounting.peer.as_ref()).map(|p| p.simulator.clone());
    let wafer = wafer_name(&options.instance.to_string());
    figures(&mut folder, experiment, sweep, &rows, &wafer, peer_name.as_deref())?;
    let table = table(sweep, &rows);
    folder.bytes("table.md", table.as_bytes())?;
    folder.bytes("table.csv", csv(sweep, &rows).as_bytes())?;
    folder.announce("report.json");
    let axes: serde_json::Map<String, Value> = sweep
        .axes
        .iter()
        .map(|(name, values)| ((*name).to_owned(), values.clone().into()))
        .collect();
    let report = serde_json::json!({
        "experiment": experiment.name,
        "wafer": options.instance.to_string(),
        "axes": axes,
        "mapping_report": mapping_report,
        "mapping_s": mapped_s,
        "wall_s": clock.elapsed().as_secs_f64(),
        "points": rows,
        "files": folder.files(),
    });
    folder.bytes("report.json", format!("{report:#}\n").as_bytes())?;
    say(&format!("\n{table}"));
    say(&format!("all in {:.0} s; results in {}", clock.elapsed().as_secs_f64(), out.display()));
    must_verify(violations)?;
    Ok(report)
}

/// Heat maps of a sweep over two parameters, and rates over the first one.
fn figures(
    folder: &mut Folder,
    experiment: &Experiment,
    sweep: &Sweep,
    rows: &[Row],
    wafer: &str,
    peer: Option<&str>,
) -> Result<(), Failure> {
    let [x, y] = match sweep.axes.as_slice() {
        [x, y] => [x.clone(), y.clone()],
        [x] => [x.clone(), ("", vec![0.0])],
        _ => return Ok(()),
    };
    let at = |point: &Parameters, axis: &str| {
        if axis.is_empty() { 0.0 } else { point.real(axis) }
    };
    let find = |xv: f64, yv: f64| {
        let same = |p: &&Parameters| at(p, x.0) == xv && at(p, y.0) == yv;
        sweep.points.iter().position(|p| same(&p)).and_then(|i| rows.get(i))
    };
    let map = |label: &str, logarithmic, value: &dyn Fn(&Row) -> Option<f64>| HeatMap {
        label: label.to_owned(),
        values: y
            .1
            .iter()
            .map(|&yv| x.1.iter().map(|&xv| value(find(xv, yv)?)).collect())
            .collect(),
        logarithmic,
    };
    let title = experiment.name.replace('-', " ");
    let maps = [
        map("rate [Hz]", true, &|r| Some(r.wafer.rate_hz)),
        map("CV of intervals", false, &|r| r.wafer.cv_isi),
        map("synchrony (CV of the histogram)", true, &|r| r.wafer.synchrony),
    ];
    let (xs, ys) = ((x.0, x.1.as_slice()), (y.0, y.1.as_slice()));
    let heading = format!("{title}, {wafer}");
    folder.figure("heat", &heat_svg(&maps, xs, ys, &heading).map_err(Failure::other)?)?;
    if let Some(peer) = peer {
        let maps = [
            map("rate [Hz]", true, &|r| Some(r.peer?.rate_hz)),
            map("CV of intervals", false, &|r| r.peer?.cv_isi),
            map("synchrony (CV of the histogram)", true, &|r| r.peer?.synchrony),
        ];
        let of_peer = format!("{title}, {peer}");
        folder.figure("heat-peer", &heat_svg(&maps, xs, ys, &of_peer).map_err(Failure::other)?)?;
    }
    let curves: Vec<Curve> = y
        .1
        .iter()
        .map(|&yv| {
            let points = |value: &dyn Fn(&Row) -> Option<f64>| -> Vec<(f64, f64)> {
                x.1.iter().filter_map(|&xv| Some((xv, value(find(xv, yv)?)?))).collect()
            };
            Curve {
                label: if y.0.is_empty() { "rate".to_owned() } else { format!("{} = {yv}", y.0) },
                wafer: points(&|r| Some(r.wafer.rate_hz)),
                peer: points(&|r| Some(r.peer?.rate_hz)),
            }
        })
        .collect();
    let svg = curves_svg(&curves, x.0, peer, &heading).map_err(Failure::other)?;
    folder.figure("rates", &svg)
}

/// A point in words.
fn line(sweep: &Sweep, i: usize, rows: &[Row]) -> String {
    let row = &rows[i];
    let number = |v: Option<f64>| v.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
    let peer = row.peer.map_or(String::new(), |p| {
        format!("; simulated {:.2} Hz, CV {}", p.rate_hz, number(p.cv_isi))
    });
    format!(
        "{} of {}: {}: {:.2} Hz, CV {}, synchrony {} ({} neurons){peer}",
        i + 1,
        sweep.points.len(),
        row.name,
        row.wafer.rate_hz,
        number(row.wafer.cv_isi),
        number(row.wafer.synchrony),
        row.wafer.neurons
    )
}

/// Columns of both tables: swept parameters, and what came of them.
fn columns(sweep: &Sweep, rows: &[Row]) -> (Vec<String>, Vec<Vec<String>>) {
    let axes = sweep.axes.iter().map(|(name, _)| (*name).to_owned());
    let head: Vec<String> = axes
        .chain(
            [
                "neurons",
                "rate [Hz]",
                "CV",
                "synchrony",
                "simulated rate [Hz]",
                "simulated CV",
                "simulated synchrony",
                "events",
                "set-up again",
                "wafer run",
                "emulator run",
                "simulator run",
                "energy per event, run",
            ]
            .map(str::to_owned),
        )
        .collect();
    let number = |v: Option<f64>, digits: usize| {
        v.map_or_else(|| "-".to_owned(), |v| format!("{v:.digits$}"))
    };
    let row = |(row, point): (&Row, &Parameters)| -> Vec<String> {
        let (wafer, peer, a) = (row.wafer, row.peer, &row.accounting);
        let axes = sweep.axes.iter().map(|(name, _)| point.real(name).to_string());
        axes.chain([
            wafer.neurons.to_string(),
            number(Some(wafer.rate_hz), 2),
            number(wafer.cv_isi, 3),
            number(wafer.synchrony, 3),
            number(peer.map(|p| p.rate_hz), 2),
            number(peer.and_then(|p| p.cv_isi), 3),
            number(peer.and_then(|p| p.synchrony), 3),
            row.synaptic_events.to_string(),
            time(a.again.hardware_s),
            time(a.wafer_s),
            time(a.emulator_s),
            a.peer.as_ref().map_or_else(|| "-".to_owned(), |p| time(p.simulate_s)),
            a.energy_j.wafer_run_per_event_j.map_or_else(|| "-".to_owned(), joules),
        ])
        .collect()
    };
    (head, rows.iter().zip(&sweep.points).map(row).collect())
}

fn table(sweep: &Sweep, rows: &[Row]) -> String {
    let (head, lines) = columns(sweep, rows);
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for line in lines {
        // writing to a string cannot fail
        let _ = writeln!(text, "| {} |", line.join(" | "));
    }
    text
}

fn csv(sweep: &Sweep, rows: &[Row]) -> String {
    let (head, lines) = columns(sweep, rows);
    std::iter::once(head).chain(lines).map(|line| line.join(",") + "\n").collect()
}

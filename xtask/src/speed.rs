//! `bench emulator`: how fast the emulator is on the two published networks, alone or beside other
//! simulators.
//!
//! A network is mapped and run once from end to end. Then its words and input are emulated again
//! and again, in turn with the other simulators, which run the realised network. Times are those
//! of the loops alone, without tracing of words, building of networks or compilation. A full run also
//! measures a network that fills the wafer, and parts of it.

mod page;
mod scale;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::Value;

use crate::peers::{Installed, Peer, read_json};
use crate::{e2e, shell};

/// Threads of the emulator and of NEST; Brian2 is faster with one (peers §5).
const THREADS: &str = "2";
/// Step of the other simulators in ms, at which they are usually run.
const PEER_RESOLUTION_MS: &str = "0.1";

/// A network that is measured.
struct Network {
    name: &'static str,
    experiment: &'static str,
    settings: &'static [&'static str],
    /// Wall seconds per biological second of one thread that simulates the same network unmapped,
    /// in 0.1 ms steps, with nothing else to do (peers §5, netc expEuler-mid f32).
    bare_bound: f64,
}

const NETWORKS: [Network; 2] = [
    Network {
        name: "balanced g=8 eta=1.6",
        experiment: "balanced-random-network",
        settings: &["g=8", "eta=1.6"],
        bare_bound: 0.026,
    },
    Network {
        name: "cortical 10 %",
        experiment: "cortical-microcircuit",
        settings: &["variation=on"],
        bare_bound: 0.105,
    },
];

/// How the emulator runs a network.
#[derive(Debug, Clone, Copy)]
struct Mode {
    neuron_size: &'static str,
    effects: &'static str,
    wafer: &'static str,
    /// Times as fast as NEST and Brian2, wanted.
    goals: Option<[f64; 2]>,
}

const MODES: [Mode; 4] = [
    Mode { neuron_size: "8", effects: "off", wafer: "ideal", goals: Some([40.0, 4.0]) },
    Mode { neuron_size: "8", effects: "on", wafer: "30", goals: Some([20.0, 2.0]) },
    Mode { neuron_size: "auto", effects: "off", wafer: "ideal", goals: None },
    Mode { neuron_size: "auto", effects: "on", wafer: "30", goals: None },
];

/// The emulator on a network.
#[derive(Debug, Serialize)]
struct Emulated {
    neuron_size: String,
    effects: String,
    wafer: String,
    circuits: u64,
    step_ns: u64,
    rate_hz: Value,
    synaptic_events: u64,
    /// Wall seconds per biological second, one entry per run.
    runs: Vec<f64>,
    median: f64,
    ns_per_circuit_step: f64,
    ns_per_synaptic_event: f64,
    /// Time over that of the bare simulation.
    over_bare_bound: f64,
    /// Times as fast as the other simulator, and what is wanted.
    speedups: Vec<Speedup>,
    peak_rss_bytes: Value,
}

#[derive(Debug, Serialize)]
struct Speedup {
    over: String,
    factor: f64,
    goal: Option<f64>,
}

/// Another simulator on a network.
#[derive(Debug, Serialize)]
struct Other {
    simulator: Value,
    threads: Value,
    resolution_ms: Value,
    rate_hz: Value,
    runs: Vec<f64>,
    median: f64,
}

#[derive(Debug, Serialize)]
struct NetworkResult {
    network: String,
    bare_bound: f64,
    emulated: Vec<Emulated>,
    others: Vec<Other>,
}

#[derive(Debug, Serialize)]
struct Results {
    duration_ms: u32,
    runs: usize,
    /// Whether the manufactured wafer was calibrated.
    calibrated: bool,
    networks: Vec<NetworkResult>,
    /// A network that fills the wafer, and parts of it; none in a quick run.
    sizes: Vec<scale::Size>,
}

/// Measures, and writes the results after each network.
pub(crate) fn bench(quick: bool, peers: bool, calibration: &str, json: &Path) -> Result<()> {
    let bss1 = shell::bss1()?;
    let others = if peers {
        vec![(Peer::Nest, Peer::Nest.install()?), (Peer::Brian2, Peer::Brian2.install()?)]
    } else {
        Vec::new()
    };
    let (duration_ms, runs) = if quick { (2000, 2) } else { (10_000, 5) };
    let calibrated = calibration != "none";
    let mut results =
        Results { duration_ms, runs, calibrated, networks: Vec::new(), sizes: Vec::new() };
    for network in &NETWORKS {
        let bench = Bench { bss1: &bss1, others: &others, network, calibration, duration_ms, runs };
        results.networks.push(bench.run()?);
        store(&results, json)?;
    }
    if !quick {
        results.sizes = scale::measure(&bss1)?;
        store(&results, json)?;
    }
    if peers && !quick {
        page::write(&results)?;
    }
    Ok(())
}

fn store(results: &Results, json: &Path) -> Result<()> {
    let text = serde_json::to_string_pretty(&results)?;
    fs::write(json, text + "\n").with_context(|| json.display().to_string())?;
    eprintln!("{}", page::text(results));
    Ok(())
}

struct Bench<'a> {
    bss1: &'a Path,
    others: &'a [(Peer, Installed)],
    network: &'a Network,
    /// `none` or a database, in which missing chips are measured.
    calibration: &'a str,
    duration_ms: u32,
    runs: usize,
}

impl Bench<'_> {
    fn run(&self) -> Result<NetworkResult> {
        let bio_s = f64::from(self.duration_ms) * 1e-3;
        let mut emulated = Vec::new();
        for mode in &MODES {
            eprintln!(
                "{}: mapping at neuron size {}, effects {} ...",
                self.network.name, mode.neuron_size, mode.effects
            );
            emulated.push(self.prepare(mode)?);
        }
        let mapping = self.folder(&MODES[0]).join("mapping.bss1").display().to_string();
        let exported = self.folder(&MODES[0]).join("network");
        if !self.others.is_empty() {
            let out = exported.display().to_string();
            shell::run(self.bss1, ["export-network", &mapping, "--out", &out])?;
        }
        let mut others: Vec<Other> = Vec::new();
        for turn in 0..self.runs {
            eprintln!("{}: turn {} of {} ...", self.network.name, turn + 1, self.runs);
            for (mode, into) in MODES.iter().zip(&mut emulated) {
                let seconds = self.emulate(mode, into)?;
                into.runs.push(seconds / bio_s);
            }
            for (i, (peer, installed)) in self.others.iter().enumerate() {
                let more = match peer {
                    Peer::Nest => {
                        vec![
                            format!("--threads={THREADS}"),
                            format!("--resolution={PEER_RESOLUTION_MS}"),
                        ]
                    }
                    Peer::Brian2 => Vec::new(),
                };
                let report = installed.run(&exported, self.duration_ms, 0, &more)?;
                let seconds = report["wall_s"]["simulate"].as_f64().context("no time told")?;
                if turn == 0 {
                    others.push(Other::new(&report));
                }
                others[i].runs.push(seconds / bio_s);
            }
        }
        for other in &mut others {
            other.median = median(&other.runs);
        }
        for (mode, row) in MODES.iter().zip(&mut emulated) {
            row.finish(mode, self.network, &others, bio_s);
        }
        Ok(NetworkResult {
            network: self.network.name.to_owned(),
            bare_bound: self.network.bare_bound,
            emulated,
            others,
        })
    }

    fn folder(&self, mode: &Mode) -> PathBuf {
        let Mode { neuron_size, effects, .. } = mode;
        let name = format!("speed-{}-{neuron_size}-{effects}", self.network.experiment);
        shell::target().join("bench").join(name)
    }

    /// Maps and runs a network; leaves its words and input in the folder.
    fn prepare(&self, mode: &Mode) -> Result<Emulated> {
        let out = self.folder(mode);
        let duration = format!("simulation_time={}", self.duration_ms);
        let size = format!("neuron_size={}", mode.neuron_size);
        let mut settings = self.network.settings.to_vec();
        settings.extend([duration.as_str(), size.as_str()]);
        let more = ["--wafer", mode.wafer, "--threads", THREADS, "--calibration", self.calibration];
        shell::quietly(
            self.bss1,
            e2e::experiment(self.network.experiment, &settings, &more, &out),
        )?;
        let report = read_json(&out.join("report.json"))?;
        Ok(Emulated {
            neuron_size: mode.neuron_size.to_owned(),
            effects: mode.effects.to_owned(),
            wafer: mode.wafer.to_owned(),
            circuits: circuits(&report)?,
            step_ns: 0,
            rate_hz: report["rates_hz"].clone(),
            synaptic_events: report["run_report"]["synaptic_events"].as_u64().unwrap_or_default(),
            runs: Vec::new(),
            median: 0.0,
            ns_per_circuit_step: 0.0,
            ns_per_synaptic_event: 0.0,
            over_bare_bound: 0.0,
            speedups: Vec::new(),
            peak_rss_bytes: report["run_report"]["peak_rss_bytes"].clone(),
        })
    }

    /// Wall seconds of the emulation of words and input.
    fn emulate(&self, mode: &Mode, row: &mut Emulated) -> Result<f64> {
        let file = |name: &str| self.folder(mode).join(name).display().to_string();
        let (words, input, out) = (file("words.bss1"), file("input.bss1"), file("again"));
        let arguments = [
            "emulate",
            &words,
            &input,
            "--wafer",
            mode.wafer,
            "--threads",
            THREADS,
            "--json",
            "--out",
            &out,
        ];
        let answer = shell::answer(self.bss1, arguments)?;
        row.step_ns = answer["step_ns"].as_u64().context("no step told")?;
        answer["wall_s"]["emulate"].as_f64().context("no time told")
    }
}

impl Other {
    fn new(report: &Value) -> Self {
        let populations = report["populations"].as_object().into_iter().flatten();
        let rates = populations.map(|(label, p)| (label.clone(), p["rate_hz"].clone()));
        Self {
            simulator: report["simulator"].clone(),
            threads: report["threads"].clone(),
            resolution_ms: report["resolution_ms"].clone(),
            rate_hz: Value::Object(rates.collect()),
            runs: Vec::new(),
            median: 0.0,
        }
    }
}

impl Emulated {
    fn finish(&mut self, mode: &Mode, network: &Network, others: &[Other], bio_s: f64) {
        self.median = median(&self.runs);
        let wall_ns = 1e9 * self.median * bio_s;
        // a biological second is 0.1 ms on the wafer
        let steps = bio_s * 1e-4 / (self.step_ns as f64 * 1e-9);
        self.ns_per_circuit_step = wall_ns / (self.circuits as f64 * steps);
        self.ns_per_synaptic_event = wall_ns / self.synaptic_events as f64;
        self.over_bare_bound = self.median / network.bare_bound;
        self.speedups = others
            .iter()
            .enumerate()
            .map(|(i, other)| Speedup {
                over: other.simulator.as_str().unwrap_or_default().to_owned(),
                factor: other.median / self.median,
                goal: mode.goals.map(|goals| goals[i.min(1)]),
            })
            .collect();
    }
}

/// Circuits that the neurons of a mapping have.
fn circuits(report: &Value) -> Result<u64> {
    let sizes = report["mapping_report"]["neuron_sizes"].as_object().context("no sizes")?;
    let of_size =
        |(size, count): (&String, &Value)| Some(size.parse::<u64>().ok()? * count.as_u64()?);
    Ok(sizes.iter().filter_map(of_size).sum())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

//! `bench nest`: the realised network on the emulated wafer against the same network in NEST.
//!
//! Both get the same connections, conductances of the 4-bit weights, cell parameters of the 10-bit
//! cells, route delays and released inputs; effects are off. What remains is the emulator's
//! integration, and that NEST puts spikes and delays on a grid. The balanced network is also run
//! with the effects of timing, to see what they alone change.

mod points;
mod statistics;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::peers::{Installed, Peer, read_json};
use crate::{e2e, shell};
use points::{BALANCED, CORTICAL, Case};
use statistics::{Population, Run, Sizes};

/// Settling time in ms, also that of the experiments' own statistics.
const DISCARD_MS: u32 = 1000;
/// Steps of NEST in ms: the finer one is what the wafer is held against, both together tell how
/// much NEST agrees with itself.
const RESOLUTIONS_MS: [f64; 2] = [0.05, 0.1];
/// Allowed difference of CVs.
const CV_TOLERANCE: f64 = 0.05;
/// How much less the rates of single neurons may correlate with NEST's than NEST's with its own.
const CORRELATION_TOLERANCE: f64 = 0.05;
/// Populations that are slower have no tolerance of their own.
const SLOWEST_HZ: f64 = 1.0;

/// A population in both simulators.
#[derive(Debug, Serialize, Deserialize)]
struct Compared {
    label: String,
    wafer: Population,
    nest: Population,
    rate_ratio: Option<f64>,
    passed: bool,
}

/// What the effects of timing change.
#[derive(Debug, Serialize, Deserialize)]
struct Timing {
    rate_hz: f64,
    /// Over the rate without them.
    rate_ratio: f64,
    cv_isi: Option<f64>,
    stimulus: Value,
    mergers: Value,
    readout: Value,
    queueing: Value,
}

/// One network at one point of its parameters.
#[derive(Debug, Serialize, Deserialize)]
struct CaseResult {
    case: String,
    duration_ms: u32,
    rate_tolerance: f64,
    rate_wafer_hz: f64,
    rate_nest_hz: f64,
    rate_ratio: f64,
    populations: Vec<Compared>,
    /// Of the rates of single neurons, wafer against NEST; the mean over NEST's steps if it ran with
    /// two.
    correlation: f64,
    /// The same of NEST at two steps.
    correlation_nest: Option<f64>,
    /// Mean rate of networks drawn from the description, of which the mapping knows nothing.
    described_hz: Option<f64>,
    loss_fraction: Value,
    timing: Option<Timing>,
    passed: bool,
}

/// Everything, as it is written to the file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Results {
    nest: Value,
    resolutions_ms: [f64; 2],
    discarded_ms: u32,
    cases: Vec<CaseResult>,
    /// Whether all cases so far lie within their tolerances.
    passed: bool,
}

/// Runs the comparison, but for cases that the file has already if it is resumed; fails if a case lies
/// outside its tolerances.
pub(crate) fn nest(quick: bool, resume: bool, json: &Path) -> Result<()> {
    let bss1 = shell::bss1()?;
    let nest = Peer::Nest.install()?;
    let mut before = Results::default();
    if resume {
        before = serde_json::from_value(read_json(json)?)
            .with_context(|| format!("{} is of another program", json.display()))?;
    }
    let cases: Vec<&Case> = if quick {
        BALANCED.iter().filter(|case| case.is_quick).collect()
    } else {
        BALANCED.iter().chain(&CORTICAL).collect()
    };
    let mut results = Results {
        resolutions_ms: RESOLUTIONS_MS,
        discarded_ms: DISCARD_MS,
        passed: true,
        nest: before.nest,
        cases: Vec::new(),
    };
    for case in cases {
        let bench = Bench { bss1: &bss1, nest: &nest, case, quick };
        let known = |known: &CaseResult| {
            known.case == case.name() && known.duration_ms == bench.duration_ms()
        };
        let result = if let Some(known) = before.cases.iter().position(known) {
            before.cases.swap_remove(known)
        } else {
            let (result, version) = bench.run()?;
            results.nest = version;
            result
        };
        results.passed &= result.passed;
        results.cases.push(result);
        let text = serde_json::to_string_pretty(&results)?;
        fs::write(json, text + "\n").with_context(|| json.display().to_string())?;
        eprintln!("{}", table::text(&results));
    }
    if !quick {
        table::write_page(&results)?;
    }
    if !results.passed {
        bail!("a case lies outside its tolerances; see the table and {}", json.display());
    }
    Ok(())
}

/// What a case needs to run.
struct Bench<'a> {
    bss1: &'a Path,
    nest: &'a Installed,
    case: &'a Case,
    quick: bool,
}

impl Bench<'_> {
    fn run(&self) -> Result<(CaseResult, Value)> {
        let case = self.case;
        eprintln!("{}: emulator, then NEST (minutes) ...", case.name());
        // short runs of a network that tends to synchrony scatter more
        let slack = if self.quick { 2.0 } else { 1.0 };
        self.emulate("off", &[])?;
        let mapping = self.folder("off").join("mapping.bss1").display().to_string();
        let network = self.folder("off").join("network");
        shell::run(
            self.bss1,
            ["export-network", &mapping, "--out", &network.display().to_string()],
        )?;
        let sizes = sizes(&network)?;
        let wafer = Run::of_wafer(&self.folder("off"), &sizes, DISCARD_MS)?;
        let (finer, version) = self.nest_at(&network, RESOLUTIONS_MS[0])?;
        let coarser = if case.compares_neurons {
            Some(self.nest_at(&network, RESOLUTIONS_MS[1])?.0)
        } else {
            None
        };

        let mut populations = Vec::new();
        for (label, ours) in &wafer.populations {
            let theirs = finer
                .populations
                .get(label)
                .with_context(|| format!("NEST tells nothing of {label}"))?;
            let tolerance = slack * case.population_tolerance;
            let rate_ratio = (theirs.rate_hz > 0.0).then(|| ours.rate_hz / theirs.rate_hz);
            let counts = theirs.rate_hz >= SLOWEST_HZ;
            let rate_agrees = !counts || rate_ratio.is_some_and(|r| (r - 1.0).abs() <= tolerance);
            let cv_agrees = match (ours.cv_isi, theirs.cv_isi) {
                (Some(ours), Some(theirs)) => (ours - theirs).abs() <= slack * CV_TOLERANCE,
                (ours, theirs) => ours.is_none() == theirs.is_none(),
            };
            populations.push(Compared {
                label: label.clone(),
                wafer: ours.clone(),
                nest: theirs.clone(),
                rate_ratio,
                passed: rate_agrees && (cv_agrees || !counts),
            });
        }
        let (rate_wafer_hz, rate_nest_hz) = (wafer.rate_hz(), finer.rate_hz());
        let rate_ratio = rate_wafer_hz / rate_nest_hz;
        // two runs of a chaotic network scatter by some 0.04: two comparisons are better than one
        let with_finer = wafer.correlation(&finer);
        let with_coarser = coarser.as_ref().map_or(with_finer, |nest| wafer.correlation(nest));
        let correlation = f64::midpoint(with_finer, with_coarser);
        let correlation_nest = coarser.map(|coarser| coarser.correlation(&finer));
        let neurons_agree =
            correlation_nest.is_none_or(|own| correlation >= own - slack * CORRELATION_TOLERANCE);
        let passed = (rate_ratio - 1.0).abs() <= slack * case.rate_tolerance
            && populations.iter().all(|p| p.passed)
            && neurons_agree;
        let timing =
            if case.with_timing { Some(self.timing(rate_wafer_hz, &sizes)?) } else { None };
        let result = CaseResult {
            case: case.name(),
            duration_ms: self.duration_ms(),
            rate_tolerance: slack * case.rate_tolerance,
            rate_wafer_hz,
            rate_nest_hz,
            rate_ratio,
            populations,
            correlation,
            correlation_nest,
            described_hz: case.described_hz,
            loss_fraction: wafer.report["mapping_report"]["loss_fraction"].clone(),
            timing,
            passed,
        };
        Ok((result, version))
    }

    fn duration_ms(&self) -> u32 {
        if self.quick { 3000 } else { self.case.duration_ms }
    }

    fn folder(&self, timing: &str) -> PathBuf {
        let name = format!("nest-{}-timing-{timing}", self.case.folder());
        shell::target().join("bench").join(name)
    }

    fn emulate(&self, timing: &str, more: &[&str]) -> Result<()> {
        let out = self.folder(timing);
        let duration = format!("simulation_time={}", self.duration_ms());
        let mut settings = self.case.settings.to_vec();
        settings.push(&duration);
        shell::quietly(self.bss1, e2e::experiment(self.case.experiment, &settings, more, &out))
    }

    fn nest_at(&self, network: &Path, resolution_ms: f64) -> Result<(Run, Value)> {
        let more = [format!("--resolution={resolution_ms}"), "--threads=2".to_owned()];
        let report = self.nest.run(network, self.duration_ms(), DISCARD_MS, &more)?;
        let version = report["simulator"].clone();
        Ok((Run::of_other(report)?, version))
    }

    fn timing(&self, without_hz: f64, sizes: &Sizes) -> Result<Timing> {
        self.emulate("on", &["--effect", "timing=on"])?;
        let run = Run::of_wafer(&self.folder("on"), sizes, DISCARD_MS)?;
        let of_run = |key: &str| run.report["run_report"][key].clone();
        Ok(Timing {
            rate_hz: run.rate_hz(),
            rate_ratio: run.rate_hz() / without_hz,
            cv_isi: run.cv_isi(),
            stimulus: of_run("stimulus"),
            mergers: of_run("mergers"),
            readout: of_run("readout"),
            queueing: of_run("queueing"),
        })
    }
}

/// Neurons of each population of an exported network.
fn sizes(network: &Path) -> Result<Sizes> {
    let description = read_json(&network.join("network.json"))?;
    let populations = description["populations"].as_array().context("no populations")?;
    let neurons = populations.iter().filter(|p| p["model"] != "sources");
    neurons
        .map(|p| {
            let label = p["label"].as_str().context("a population has no label")?;
            let size = p["size"].as_u64().context("a population has no size")?;
            Ok((label.to_owned(), size as usize))
        })
        .collect()
}

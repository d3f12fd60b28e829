//! `bench nest`: the realised network on the emulated wafer against the same network in NEST.
//!
//! Both get the same connections, conductances of the 4-bit weights, cell parameters of the 10-bit
//! cells, route delays and input spikes; effects are off. What remains is the emulator's
//! integration. The rates are also held against the network as it is described (peers §1), of
//! which the mapping knows nothing.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::Value;

use crate::nest::Nest;
use crate::{e2e, shell};

/// Allowed deviation of a population's rate from NEST.
const RATE_TOLERANCE: f64 = 0.05;
/// Allowed difference of a population's CV from NEST.
const CV_TOLERANCE: f64 = 0.05;
/// Allowed deviation of the rate from the described network: cells are rounded and delays are those
/// of routes.
const RECIPE_TOLERANCE: f64 = 0.15;
/// Settling time in ms, also that of the experiment's own statistics.
const DISCARD_MS: u32 = 1000;

/// A point of the comparison.
struct Point {
    g: &'static str,
    eta: &'static str,
    /// Mean rate in Hz of six networks drawn from the description, without parameter variation
    /// (peers §1, "variation off").
    recipe_rate_hz: f64,
}

const POINTS: [Point; 3] = [
    Point { g: "8", eta: "0.8", recipe_rate_hz: 4.266 },
    Point { g: "8", eta: "1.6", recipe_rate_hz: 18.45 },
    Point { g: "10", eta: "1.6", recipe_rate_hz: 14.84 },
];

/// One population at one point.
#[derive(Debug, Serialize)]
struct PopulationResult {
    label: String,
    neurons: u64,
    rate_emulator_hz: f64,
    rate_nest_hz: f64,
    rate_ratio: f64,
    cv_emulator: Option<f64>,
    cv_nest: Option<f64>,
    passed: bool,
}

/// One point.
#[derive(Debug, Serialize)]
struct PointResult {
    g: String,
    eta: String,
    populations: Vec<PopulationResult>,
    rate_emulator_hz: f64,
    recipe_rate_hz: f64,
    recipe_ratio: f64,
    recipe_passed: bool,
    loss_fraction: Value,
    emulator_wall_s: Value,
    nest_wall_s: Value,
}

impl PointResult {
    fn passed(&self) -> bool {
        self.recipe_passed && self.populations.iter().all(|p| p.passed)
    }
}

/// Everything, as it is written to the file.
#[derive(Debug, Serialize)]
struct Results {
    experiment: &'static str,
    duration_ms: u32,
    discarded_ms: u32,
    rate_tolerance: f64,
    cv_tolerance: f64,
    recipe_tolerance: f64,
    points: Vec<PointResult>,
    /// Whether all points so far lie within the tolerances.
    passed: bool,
}

/// Runs the comparison; fails if a point lies outside the tolerances.
pub(crate) fn nest(quick: bool, json: &Path) -> Result<()> {
    let bss1 = shell::bss1()?;
    let nest = Nest::install()?;
    // short runs of a network that tends to synchrony scatter more
    let (duration_ms, slack) = if quick { (3000, 2.0) } else { (10_000, 1.0) };
    let mut results = Results {
        experiment: "balanced-random-network",
        duration_ms,
        discarded_ms: DISCARD_MS,
        rate_tolerance: slack * RATE_TOLERANCE,
        cv_tolerance: slack * CV_TOLERANCE,
        recipe_tolerance: RECIPE_TOLERANCE,
        points: Vec::new(),
        passed: true,
    };
    for point in POINTS.iter().take(if quick { 1 } else { POINTS.len() }) {
        let result = compare(&bss1, &nest, point, &results)?;
        results.passed &= result.passed();
        results.points.push(result);
        let text = serde_json::to_string_pretty(&results)?;
        fs::write(json, text + "\n").with_context(|| json.display().to_string())?;
        eprintln!("{}", table(&results));
    }
    if !results.passed {
        bail!("a point lies outside the tolerances; see the table and {}", json.display());
    }
    Ok(())
}

fn compare(bss1: &Path, nest: &Nest, point: &Point, limits: &Results) -> Result<PointResult> {
    let Point { g, eta, recipe_rate_hz } = *point;
    eprintln!("g = {g}, eta = {eta}: emulator, then NEST (minutes) ...");
    let out = shell::target().join("bench").join(format!("nest-g{g}-eta{eta}"));
    let settings =
        [format!("g={g}"), format!("eta={eta}"), format!("simulation_time={}", limits.duration_ms)];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    shell::run(bss1, e2e::experiment(limits.experiment, &settings, &out))?;
    let mapping = out.join("mapping.bss1").display().to_string();
    let network = out.join("network");
    let network_name = network.display().to_string();
    shell::run(bss1, ["export-network", &mapping, "--out", &network_name])?;
    let reference = nest.run(&network, limits.duration_ms, DISCARD_MS)?;

    let read = |path: &Path| -> Result<Value> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    };
    let report = read(&out.join("report.json"))?;
    let description = read(&network.join("network.json"))?;
    let mut populations = Vec::new();
    for entry in description["populations"].as_array().into_iter().flatten() {
        let label = entry["label"].as_str().unwrap_or_default();
        let theirs = &reference["populations"][label];
        // sources have no statistics
        let Some(rate_nest_hz) = theirs["rate_hz"].as_f64() else { continue };
        let rate_emulator_hz = report["rates_hz"][label]["mean"]
            .as_f64()
            .with_context(|| format!("report.json has no rate of {label}"))?;
        let (cv_emulator, cv_nest) = (report["cv_isi"][label].as_f64(), theirs["cv_isi"].as_f64());
        let rate_ratio = rate_emulator_hz / rate_nest_hz;
        let cv_agrees = match (cv_emulator, cv_nest) {
            (Some(ours), Some(theirs)) => (ours - theirs).abs() <= limits.cv_tolerance,
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        populations.push(PopulationResult {
            label: label.to_owned(),
            neurons: entry["size"].as_u64().unwrap_or_default(),
            rate_emulator_hz,
            rate_nest_hz,
            rate_ratio,
            cv_emulator,
            cv_nest,
            passed: (rate_ratio - 1.0).abs() <= limits.rate_tolerance && cv_agrees,
        });
    }
    let neurons: u64 = populations.iter().map(|p| p.neurons).sum();
    let spikes_per_s: f64 = populations.iter().map(|p| p.rate_emulator_hz * p.neurons as f64).sum();
    let rate_emulator_hz = spikes_per_s / neurons.max(1) as f64;
    let recipe_ratio = rate_emulator_hz / recipe_rate_hz;
    Ok(PointResult {
        g: g.to_owned(),
        eta: eta.to_owned(),
        populations,
        rate_emulator_hz,
        recipe_rate_hz,
        recipe_ratio,
        recipe_passed: (recipe_ratio - 1.0).abs() <= limits.recipe_tolerance,
        loss_fraction: report["mapping_report"]["loss_fraction"].clone(),
        emulator_wall_s: report["run_report"]["wall_s"]["emulate"].clone(),
        nest_wall_s: reference["wall_s"]["simulate"].clone(),
    })
}

fn table(results: &Results) -> String {
    let mut lines = vec![format!(
        "{:>4} {:>4} {:<12} {:>9} {:>9} {:>6} {:>8} {:>8}  within {:.0} % and {}",
        "g",
        "eta",
        "population",
        "wafer Hz",
        "other Hz",
        "ratio",
        "wafer CV",
        "other CV",
        100.0 * results.rate_tolerance,
        results.cv_tolerance
    )];
    let cv = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
    let verdict = |passed| if passed { "pass" } else { "FAIL" };
    for point in &results.points {
        for p in &point.populations {
            lines.push(format!(
                "{:>4} {:>4} {:<12} {:>9.3} {:>9.3} {:>6.3} {:>8} {:>8}  {}",
                point.g,
                point.eta,
                p.label,
                p.rate_emulator_hz,
                p.rate_nest_hz,
                p.rate_ratio,
                cv(p.cv_emulator),
                cv(p.cv_nest),
                verdict(p.passed)
            ));
        }
        lines.push(format!(
            "{:>4} {:>4} {:<12} {:>9.3} {:>9.3} {:>6.3} {:>8} {:>8}  {} (within {:.0} %)",
            point.g,
            point.eta,
            "as described",
            point.rate_emulator_hz,
            point.recipe_rate_hz,
            point.recipe_ratio,
            "",
            "",
            verdict(point.recipe_passed),
            100.0 * results.recipe_tolerance
        ));
    }
    lines.join("\n")
}

//! The results as a page: `docs/calibration.md`, with its picture.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Report;
use crate::shell;

const PAGE: &str = "docs/calibration.md";
const PICTURE: &str = "docs/calibration-spreads.svg";
/// Chips of a wafer.
const ALL_CHIPS: f64 = 384.0;

const HEAD: &str = "# Calibration

Written by `cargo xtask bench calib --json FILE`; what is measured and how is told in
[calib/README.md](../calib/README.md). All wafers are emulated ones with all noise on (`fg_drift` off).

## Before and after

Standard deviations over circuits, pooled within targets that no fit has used, and mean errors; of short-term plasticity
(`stp_u`, `stp_tau_rec`) over the four blocks of each chip. Voltages are those of the
hardware. \"Before\" sets the quantity by the nominal law. Published values: HICANN v2, one chip (analog \u{a7}3.5).

";

/// Writes the page and its picture; `histograms` is that of the first wafer.
pub(super) fn write(results: &Value, reports: &[Report], histograms: &Path) -> Result<()> {
    let mut text = HEAD.to_owned();
    for report in reports {
        let _ = writeln!(text, "```text\n{}\n```\n", report.text.trim_end());
    }
    let picture = Path::new(PICTURE).file_name().unwrap_or_default().display();
    let _ = writeln!(text, "![Errors of the circuits before and after, first wafer]({picture})\n");
    text += &network(&results["network"]);
    text += &times(results, reports);
    let killed = &results["killed"];
    let _ = writeln!(
        text,
        "\n## Killed\n\n`bss1 calibrate` was killed {} times (SIGKILL) at moments between its start and the \
         second chip or so. {} chips were announced as stored, {} of them were lost, and the database was \
         damaged {} times.",
        killed["kills"], killed["stored"], killed["lost"], killed["damaged"],
    );
    let root = shell::root();
    fs::copy(histograms, root.join(PICTURE)).with_context(|| PICTURE.to_owned())?;
    fs::write(root.join(PAGE), text).with_context(|| PAGE.to_owned())
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn network(network: &Value) -> String {
    let mut text = "## The balanced random network

Mean rates at (g, eta) = (8, 0.8) on wafer 30, Hz; in brackets, how far they are from those of the ideal wafer. The goal is within
15 % with calibration, and not without.

| population | ideal wafer | calibrated | uncalibrated |
|---|---|---|---|
"
    .to_owned();
    for (population, rates) in network["rates_hz"].as_object().into_iter().flatten() {
        let ideal = number(&rates["ideal"]);
        let show = |key: &str| {
            let rate = number(&rates[key]);
            format!("{rate:.2} ({:+.1} %)", 100.0 * (rate / ideal - 1.0))
        };
        let (calibrated, raw) = (show("calibrated"), show("uncalibrated"));
        let _ = writeln!(text, "| {population} | {ideal:.2} | {calibrated} | {raw} |");
    }
    text.push('\n');
    text
}

fn times(results: &Value, reports: &[Report]) -> String {
    let mut text = "## Times\n\n".to_owned();
    let alone: Vec<String> =
        reports.iter().flat_map(|r| &r.alone_s).map(|s| format!("{s:.1}")).collect();
    let network = &results["network"];
    let (chips, together_s) = (number(&network["calibrated_hicanns"]), number(&network["wall_s"]));
    let cpu_s = number(&network["cpu_s"]);
    let _ = writeln!(
        text,
        "- Wall time of one chip after the other: {} s. Other programs may have run at the same time.\n\
         - The {chips:.0} chips with neurons of the balanced network together, mapping and run of it not \
         counted: {together_s:.0} s of wall time, {cpu_s:.0} s of processor time. That is {:.1} s of a \
         processor for each chip, or {:.1} s on two that do nothing else, and {:.0} s for all.\n\
         - A whole wafer takes {:.0} min of two processors at that pace.\n\
         - The hardware would take {:.0} min per chip (estimate: programming at worst, words, runs); \
         reticles work side by side, so a wafer with eight chips per reticle takes {:.1} h.",
        alone.join(", "),
        cpu_s / chips,
        cpu_s / chips / 2.0,
        cpu_s / 2.0,
        ALL_CHIPS * cpu_s / chips / 2.0 / 60.0,
        number(&results["hardware_s"]) / 60.0,
        8.0 * number(&results["hardware_s"]) / 3600.0,
    );
    text
}

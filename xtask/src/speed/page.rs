//! The measurements as tables, on the terminal and as a page.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};

use super::{NetworkResult, Results, scale};
use crate::shell;

const PAGE: &str = "docs/emulator-benchmark.md";
const PLOT: &str = "images/emulator-scale.svg";

const HEAD: [&str; 8] = [
    "program",
    "neuron size",
    "effects",
    "circuits",
    "s per bio s",
    "ns per circuit and step",
    "ns per synaptic event",
    "times as fast as",
];

fn rows(network: &NetworkResult) -> Vec<[String; 8]> {
    let mut rows: Vec<[String; 8]> = Vec::new();
    for row in &network.emulated {
        let speedups = row.speedups.iter().map(|s| {
            let goal = match s.goal {
                Some(goal) if s.factor >= goal => format!(" (goal {goal}: reached)"),
                Some(goal) => format!(" (goal {goal}: missed)"),
                None => String::new(),
            };
            format!("{} {:.1}{goal}", s.over, s.factor)
        });
        rows.push([
            format!("bss1, step {} ns", row.step_ns),
            row.neuron_size.clone(),
            format!("{}, wafer {}", row.effects, row.wafer),
            row.circuits.to_string(),
            format!("{:.4} ({:.1} x bare)", row.median, row.over_bare_bound),
            format!("{:.3}", row.ns_per_circuit_step),
            format!("{:.2}", row.ns_per_synaptic_event),
            speedups.collect::<Vec<_>>().join(", "),
        ]);
    }
    for other in &network.others {
        let mut row = [const { String::new() }; 8];
        row[0] = format!(
            "{}, threads {}, step {} ms",
            other.simulator.as_str().unwrap_or_default(),
            other.threads,
            other.resolution_ms
        );
        row[4] = format!("{:.4}", other.median);
        rows.push(row);
    }
    rows
}

const SIZES_HEAD: [&str; 7] = [
    "eighths",
    "circuits",
    "synapses",
    "million events per bio s",
    "s per bio s",
    "ns per synaptic event",
    "memory, MiB",
];

fn sizes(results: &Results) -> Vec<[String; 7]> {
    let row = |size: &scale::Size| {
        [
            size.eighths.to_string(),
            size.circuits.to_string(),
            size.synapses.to_string(),
            format!("{:.0}", 1e-6 * size.synaptic_events as f64),
            format!("{:.2}", size.median),
            format!("{:.2}", size.ns_per_synaptic_event),
            (size.peak_rss_bytes >> 20).to_string(),
        ]
    };
    results.sizes.iter().map(row).collect()
}

/// For a terminal.
pub(super) fn text(results: &Results) -> String {
    let mut text = String::new();
    for network in &results.networks {
        let _ = writeln!(text, "{}", network.network);
        for row in rows(network) {
            let _ = writeln!(text, "  {}", row.join(" | "));
        }
    }
    if !results.sizes.is_empty() {
        let _ = writeln!(text, "a network that fills the wafer: {}", SIZES_HEAD.join(" | "));
    }
    for row in sizes(results) {
        let _ = writeln!(text, "  {}", row.join(" | "));
    }
    text
}

/// Writes the page of the documentation.
pub(super) fn write(results: &Results) -> Result<()> {
    let mut page = format!(
        "# Speed of the emulator\n\nMade by `cargo xtask bench emulator --peers --json FILE`: {} ms \
         of biological time, spikes recorded, the emulator on 2 threads; medians of {} runs of each \
         program in turn. Times are those of the loops, without building or compilation. The other \
         simulators run the network as it is realised at neuron size 8 without effects. `bare` is \
         a program that simulates the same network unmapped in steps of 0.1 ms with nothing else \
         to do. Wafer 30 is {}.\n",
        results.duration_ms,
        results.runs,
        if results.calibrated { "calibrated" } else { "not calibrated, which raises its rates" }
    );
    for network in &results.networks {
        let _ = writeln!(page, "\n## {}\n", network.network);
        table(&mut page, &HEAD, &rows(network));
    }
    let _ = writeln!(
        page,
        "\n## A network that fills the wafer\n\n`bss1 experiment run full-wafer` without effects: \
         neurons of 8 circuits on a ring, 500 synapses each. The line in the plot goes from nothing \
         through the largest. Memory is that of the whole program, mapping included.\n\n\
         ![Time over synaptic events]({PLOT})\n"
    );
    table(&mut page, &SIZES_HEAD, &sizes(results));
    let plot = shell::root().join("docs").join(PLOT);
    fs::write(&plot, scale::plot(&results.sizes)?).with_context(|| plot.display().to_string())?;
    let path = shell::root().join(PAGE);
    fs::write(&path, page).with_context(|| path.display().to_string())
}

fn table<const N: usize>(page: &mut String, head: &[&str; N], rows: &[[String; N]]) {
    let _ = writeln!(page, "| {} |", head.join(" | "));
    let _ = writeln!(page, "| {} |", head.map(|_| "---").join(" | "));
    for row in rows {
        let _ = writeln!(page, "| {} |", row.join(" | "));
    }
}

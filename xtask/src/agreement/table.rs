//! The comparison as a table, on the terminal and as a page.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{CV_TOLERANCE, CaseResult, Results};
use crate::shell;

const PAGE: &str = "docs/nest-agreement.md";

const HEAD: [&str; 10] = [
    "network",
    "population",
    "wafer Hz",
    "NEST Hz",
    "ratio",
    "wafer CV",
    "NEST CV",
    "wafer Fano",
    "NEST Fano",
    "",
];

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".to_owned(), |v| format!("{v:.digits$}"))
}

fn verdict(passed: bool) -> String {
    if passed { "pass" } else { "FAIL" }.to_owned()
}

/// Rows of the first table.
fn rows(case: &CaseResult) -> Vec<[String; 10]> {
    let mut rows: Vec<[String; 10]> = Vec::new();
    for p in &case.populations {
        rows.push([
            case.case.clone(),
            p.label.clone(),
            number(Some(p.wafer.rate_hz), 3),
            number(Some(p.nest.rate_hz), 3),
            number(p.rate_ratio, 3),
            number(p.wafer.cv_isi, 3),
            number(p.nest.cv_isi, 3),
            number(p.wafer.synchrony, 2),
            number(p.nest.synchrony, 2),
            verdict(p.passed),
        ]);
    }
    let mut all = [const { String::new() }; 10];
    all[0].clone_from(&case.case);
    "all".clone_into(&mut all[1]);
    all[2] = number(Some(case.rate_wafer_hz), 3);
    all[3] = number(Some(case.rate_nest_hz), 3);
    all[4] = number(Some(case.rate_ratio), 3);
    all[9] = verdict(case.passed);
    rows.push(all);
    rows
}

/// For a terminal.
pub(super) fn text(results: &Results) -> String {
    let mut text = String::new();
    for case in &results.cases {
        let _ = writeln!(
            text,
            "{}: within {:.0} %, CV within {CV_TOLERANCE}; correlation of neurons {:.3}, NEST with \
             itself {}; as described {} Hz",
            case.case,
            100.0 * case.rate_tolerance,
            case.correlation,
            number(case.correlation_nest, 3),
            number(case.described_hz, 2),
        );
        for row in rows(case) {
            let _ = write!(text, "  {:<6}", row[1]);
            for cell in &row[2..] {
                let _ = write!(text, "{cell:>10}");
            }
            text.push('\n');
        }
        if let Some(timing) = &case.timing {
            let _ = writeln!(
                text,
                "  with timing {:.3} Hz, ratio {:.3}; queueing {}; dropped: stimulus {}, mergers \
                 {}, readout {}",
                timing.rate_hz,
                timing.rate_ratio,
                timing.queueing,
                timing.stimulus["dropped_by_cause"],
                timing.mergers["dropped_by_cause"],
                timing.readout["dropped_by_cause"],
            );
        }
    }
    text
}

/// Writes the page of the documentation.
pub(super) fn write_page(results: &Results) -> Result<()> {
    let mut page = format!(
        "# The emulated wafer against NEST\n\nMade by `cargo xtask bench nest --json FILE`. Both \
         simulate the realised network: its connections, conductances of the 4-bit weights, cell \
         parameters of the 10-bit cells, route delays and released inputs. 10 s (30 s at \
         (4, 0.8) and (4, 2.4)), of which the first is left out; {} at {} ms. Effects are off. `Fano` is that of the population's spike \
         count in bins of 3 ms.\n\n",
        results.nest.as_str().unwrap_or("NEST"),
        results.resolutions_ms[0],
    );
    markdown_row(&mut page, &HEAD.map(str::to_owned));
    markdown_row(&mut page, &HEAD.map(|_| "---".to_owned()));
    for row in results.cases.iter().flat_map(rows) {
        markdown_row(&mut page, &row);
    }
    page.push_str("\n## Single neurons\n\nPearson's correlation of the neurons' spike counts: wafer with NEST, the mean over NEST's two steps, and NEST with itself. Two runs scatter by some 0.04.\n\n");
    markdown_row(
        &mut page,
        &["network", "wafer with NEST", "NEST with itself", "described Hz"].map(str::to_owned),
    );
    markdown_row(&mut page, &[const { "---" }; 4].map(str::to_owned));
    for case in &results.cases {
        let cells = [
            case.case.clone(),
            number(Some(case.correlation), 3),
            number(case.correlation_nest, 3),
            number(case.described_hz, 2),
        ];
        markdown_row(&mut page, &cells);
    }
    page.push_str("\n`described Hz` is the mean rate of networks drawn from the description, of which the mapping knows nothing.\n");
    timing_table(&mut page, results);
    let path = shell::root().join(PAGE);
    fs::write(&path, page).with_context(|| path.display().to_string())
}

fn timing_table(page: &mut String, results: &Results) {
    page.push_str("\n## Effects of timing alone\n\nThe same points with all effects of timing switched on. Waiting is that in encoders and mergers, in ns of the wafer.\n\n");
    let head = [
        "network",
        "Hz",
        "over Hz without",
        "CV",
        "waiting mean",
        "waiting p99",
        "stimulus dropped",
        "mergers dropped",
        "readout dropped",
    ];
    markdown_row(page, &head.map(str::to_owned));
    markdown_row(page, &head.map(|_| "---".to_owned()));
    for case in &results.cases {
        let Some(timing) = &case.timing else { continue };
        let dropped = |flow: &Value| {
            let causes = flow["dropped_by_cause"].as_object().into_iter().flatten();
            let some: Vec<String> = causes
                .filter(|(_, n)| n.as_u64() != Some(0))
                .map(|(cause, n)| format!("{cause} {n}"))
                .collect();
            let sent = flow["sent"].as_u64().unwrap_or_default();
            if some.is_empty() {
                format!("0 of {sent}")
            } else {
                format!("{} of {sent}", some.join(", "))
            }
        };
        let cells = [
            case.case.clone(),
            number(Some(timing.rate_hz), 3),
            number(Some(timing.rate_ratio), 3),
            number(timing.cv_isi, 3),
            number(timing.queueing["mean_ns"].as_f64(), 1),
            number(timing.queueing["p99_ns"].as_f64(), 1),
            dropped(&timing.stimulus),
            dropped(&timing.mergers),
            dropped(&timing.readout),
        ];
        markdown_row(page, &cells);
    }
}

fn markdown_row(page: &mut String, cells: &[String]) {
    // writing to a string cannot fail
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

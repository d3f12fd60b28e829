//! `bss1 compare`: two runs of one network side by side.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::console::say;
use super::folder::Folder;
use super::{Failure, wafer_name};
use crate::compare::{Comparison, Distance, compare, read, read_report};
use crate::figure::{Quantity, distributions_svg};
use crate::recording::Recording;

pub(super) fn run(a: &Path, b: &Path, seeds: &[PathBuf], out: &Path) -> Result<Value, Failure> {
    let runs = [read(a).map_err(Failure::request)?, read(b).map_err(Failure::request)?];
    let seeds: Vec<Recording> =
        seeds.iter().map(|seed| read(seed)).collect::<Result<_, _>>().map_err(Failure::request)?;
    let comparison = compare(&runs[0], &runs[1], &seeds).map_err(Failure::request)?;
    let mut folder = Folder::new(out)?;
    let names = [name(a)?, name(b)?];
    let both: Vec<(&str, &Recording)> = names.iter().map(String::as_str).zip(&runs).collect();
    for (file, quantity, what) in [
        ("rates", Quantity::Rate, "Rates"),
        ("irregularity", Quantity::Irregularity, "Irregularity"),
        ("correlations", Quantity::Correlation, "Correlations in bins of 10 ms"),
    ] {
        let svg = distributions_svg(&both, quantity, what).map_err(Failure::other)?;
        folder.figure(file, &svg)?;
    }
    folder.announce("compare.json");
    let mut answer = serde_json::to_value(&comparison).map_err(Failure::other)?;
    answer["folders"] = serde_json::json!([a, b]);
    answer["names"] = serde_json::json!(names);
    answer["files"] = serde_json::json!(folder.files());
    let text = serde_json::to_string_pretty(&answer).map_err(Failure::other)?;
    folder.bytes("compare.json", text.as_bytes())?;
    say(&page(&names, &comparison));
    Ok(answer)
}

/// What a run was made on, for the legend.
fn name(folder: &Path) -> Result<String, Failure> {
    let report = read_report(folder).map_err(Failure::request)?;
    Ok(match report["simulator"]["simulator"].as_str() {
        Some(simulator) if report["variation"] == true => format!("{simulator}, varied"),
        Some(simulator) => simulator.to_owned(),
        None => match (report["run_report"]["wafer"].as_str(), report["after_s"].as_f64()) {
            (Some(wafer), _) => wafer_name(wafer),
            (None, Some(after_s)) => format!("{after_s:.0} s later"),
            (None, None) => folder.display().to_string(),
        },
    })
}

fn page(names: &[String; 2], comparison: &Comparison) -> String {
    let maybe = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"));
    let distance = |d: Distance| {
        let seeds = d.between_seeds.map_or(String::new(), |s| format!(", seeds {:.3}", s.mean));
        format!("{:.3} (chance {:.3}{seeds})", d.distance, d.by_chance)
    };
    let mut lines = vec![
        format!("A: {}, B: {}", names[0], names[1]),
        format!(
            "{:<12} {:>19} {:>13} {:>15} {:>17} {:>10}  distance of rates; of CVs",
            "population",
            "rate A, B [Hz]",
            "CV A, B",
            "synchrony A, B",
            "correlation A, B",
            "r of rates"
        ),
    ];
    for (label, p) in &comparison.populations {
        let [a, b] = p.rate_hz;
        let correlation =
            p.correlation.map(|c| c.map_or_else(|| "-".to_owned(), |c| format!("{c:.4}")));
        lines.push(format!(
            "{label:<12} {:>9.2} {:>9.2} {:>6} {:>6} {:>7} {:>7} {:>8} {:>8} {:>10}  {}; {}{}",
            a.mean,
            b.mean,
            maybe(p.cv_isi[0]),
            maybe(p.cv_isi[1]),
            maybe(p.synchrony[0]),
            maybe(p.synchrony[1]),
            correlation[0],
            correlation[1],
            maybe(p.rate_correlation),
            distance(p.distances.rate),
            p.distances.cv_isi.map_or_else(|| "-".to_owned(), distance),
            if p.identical { "  identical" } else { "" },
        ));
    }
    if !comparison.only_in_one.is_empty() {
        lines.push(format!("in one run only: {}", comparison.only_in_one.join(", ")));
    }
    lines.join("\n")
}

//! `bss1 compare`: two runs of one network side by side.

use std::path::Path;

use serde_json::Value;

use super::Failure;
use super::console::say;
use super::folder::Folder;
use crate::compare::{Comparison, compare, read};
use crate::figure::rates_svg;
use crate::recording::Recording;

pub(super) fn run(a: &Path, b: &Path, out: &Path) -> Result<Value, Failure> {
    let runs = [read(a).map_err(Failure::request)?, read(b).map_err(Failure::request)?];
    let comparison = compare(&runs[0], &runs[1]).map_err(Failure::request)?;
    let mut folder = Folder::new(out)?;
    let title = format!("A: {}, B: {}", a.display(), b.display());
    let both = side_by_side(&runs, &comparison);
    folder.figure("rates", &rates_svg(&both, &title).map_err(Failure::other)?)?;
    folder.announce("compare.json");
    let mut answer = serde_json::to_value(&comparison).map_err(Failure::other)?;
    answer["folders"] = serde_json::json!([a, b]);
    answer["files"] = serde_json::json!(folder.files());
    let text = serde_json::to_string_pretty(&answer).map_err(Failure::other)?;
    folder.bytes("compare.json", text.as_bytes())?;
    say(&page(&comparison));
    Ok(answer)
}

/// The populations of both runs in one recording, for one picture.
fn side_by_side([a, b]: &[Recording; 2], comparison: &Comparison) -> Recording {
    let duration_ms = comparison.window.to_ms;
    let mut both = Recording { duration_ms, ..Recording::default() };
    for (name, run) in [("A", a), ("B", b)] {
        for population in &run.populations {
            if comparison.populations.contains_key(&population.label) {
                let mut population = population.clone();
                population.label = format!("{} {name}", population.label);
                both.populations.push(population);
            }
        }
    }
    both
}

fn page(comparison: &Comparison) -> String {
    let mut lines = vec![format!(
        "{:<20} {:>21} {:>13} {:>9} {:>11}",
        "population", "rate A, B [Hz]", "CV A, B", "distance", "correlation"
    )];
    let maybe = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"));
    for (label, p) in &comparison.populations {
        let [a, b] = p.rate_hz;
        lines.push(format!(
            "{label:<20} {:>10.2} {:>10.2} {:>6} {:>6} {:>9.3} {:>11}{}",
            a.mean,
            b.mean,
            maybe(p.cv_isi[0]),
            maybe(p.cv_isi[1]),
            p.rate_distance,
            maybe(p.rate_correlation),
            if p.identical { "  identical" } else { "" },
        ));
    }
    if !comparison.only_in_one.is_empty() {
        lines.push(format!("in one run only: {}", comparison.only_in_one.join(", ")));
    }
    lines.join("\n")
}

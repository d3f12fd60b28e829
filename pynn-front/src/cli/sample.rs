//! A folder of spikes without a mapping of its own: another simulator's, or a second sample.

use serde_json::{Value, json};

use super::Failure;
use super::folder::Folder;
use crate::recording::Recording;
use crate::report::Recorded;
use crate::statistics::{Window, common_cv, cv_isi, rate_hz, synchrony};

/// Writes spikes and their statistics; `more` are further entries of the report.
pub(super) fn save(
    folder: &mut Folder,
    experiment: &str,
    recording: &Recording,
    more: &[(&str, Value)],
) -> Result<Value, Failure> {
    folder.bytes("spikes.csv", recording.to_csv().as_bytes())?;
    folder.announce("report.json");
    let window = Window::settled(recording.duration_ms);
    let by_label = |value: &dyn Fn(&[Vec<f64>]) -> Value| -> Value {
        let populations = recording.populations.iter();
        populations.map(|p| (p.label.clone(), value(&p.trains))).collect()
    };
    let all = recording.populations.iter().flat_map(|p| &p.trains);
    let mut report = json!({
        "experiment": experiment,
        "run_report": { "bio_ms": recording.duration_ms },
        "recorded": Recorded::of(recording),
        "rates_hz": by_label(&|t| json!(rate_hz(t, window))),
        "cv_isi": by_label(&|t| json!(cv_isi(t, window))),
        "synchrony": by_label(&|t| json!(synchrony(t, window))),
        "common_cv": common_cv(all, recording.duration_ms),
        "statistics_window": window,
        "files": folder.files(),
    });
    for (key, value) in more {
        report[*key] = value.clone();
    }
    folder.bytes("report.json", format!("{report:#}\n").as_bytes())?;
    Ok(report)
}

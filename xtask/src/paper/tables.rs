//! Tables of the page: a sweep, and two runs side by side, with the bands that they should lie in.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::page::{grouped, number, seconds};
use crate::peers::read_json;

/// A text of a report.
pub(super) fn shown(value: &Value) -> &str {
    value.as_str().unwrap_or("(not run)")
}

/// Which effects were switched on, as the report of the first point has it.
fn effects(points: &[Value]) -> String {
    let report = points.first().and_then(|p| p["report"].as_str()).map(Path::new);
    let report = report.and_then(|path| read_json(path).ok()).unwrap_or(Value::Null);
    let Some(effects) = report["run_report"]["effects"].as_object() else {
        return "effects not known".to_owned();
    };
    let off: Vec<&str> =
        effects.iter().filter(|(_, on)| **on == false).map(|(name, _)| name.as_str()).collect();
    match off.len() {
        0 => "with all effects".to_owned(),
        n if n == effects.len() => "without effects".to_owned(),
        _ => format!("with all effects but {}", off.join(", ")),
    }
}

/// How long a sweep took, and with what in it.
fn took(report: &Value, points: &[Value]) -> String {
    let kept = points.iter().any(|p| p["accounting"]["peer"]["again"] == true);
    format!(
        "in {} altogether, {} of them until the network was mapped on calibrated chips{}",
        seconds(&report["wall_s"]),
        seconds(&report["mapping_s"]),
        if kept { ", NEST's spikes kept from before" } else { "" }
    )
}

/// Mean rate at which the circuits of all neurons fired, read out or not, over the whole run.
fn fired(point: &Value) -> String {
    let report = point["report"].as_str().and_then(|path| read_json(Path::new(path)).ok());
    let report = report.unwrap_or(Value::Null);
    let of = |value: &Value| value.as_f64();
    let spikes = of(&report["run_report"]["spikes"]["emitted"]);
    let neurons = of(&report["mapping_report"]["neurons"]);
    let seconds = of(&report["run_report"]["bio_ms"]).map(|ms| 1e-3 * ms);
    match (spikes, neurons, seconds) {
        (Some(spikes), Some(neurons), Some(seconds)) => {
            format!("{:.2} Hz", spikes / neurons / seconds)
        }
        _ => "-".to_owned(),
    }
}

/// Rate up to which NEST and a manufactured wafer are held against each other: synaptic inputs and merger
/// trees saturate above it.
const COMPARED_TO_HZ: f64 = 50.0;

/// Bands of rate and CV at a point of the sweep; infinite where there is none, as for a CV near 0.
fn sweep_bands(point: &Value, ideal: bool) -> (f64, f64) {
    let of = |key: &str| point["parameters"][key].as_f64().unwrap_or_default();
    let (g, eta) = (of("g"), of("eta"));
    let peer_hz = point["peer"]["rate_hz"].as_f64().unwrap_or_default();
    match (ideal, g) {
        (false, _) if peer_hz > COMPARED_TO_HZ => (f64::INFINITY, f64::INFINITY),
        (_, ..2.0) => (0.05, f64::INFINITY),
        (true, ..7.0) if eta < 1.2 => (0.08, 0.06),
        (true, _) if eta < 1.2 => (0.06, 0.04),
        (true, _) => (0.04, 0.04),
        (false, ..7.0) => (0.4, 0.25),
        (false, _) => (0.3, 0.15),
    }
}

/// Three standard errors of the difference of mean rates, as a share of NEST's: what chance makes of short
/// samples of neurons that fire together. 0 if it is not known.
fn by_chance(point: &Value, peer_hz: &Value) -> f64 {
    let report = point["report"].as_str().map(Path::new).and_then(Path::parent);
    let compared = report.and_then(|run| read_json(&run.join("nest/compare/compare.json")).ok());
    let Some(populations) = compared.as_ref().and_then(|c| c["populations"].as_object()) else {
        return 0.0;
    };
    let neurons = |p: &Value| p["neurons"][0].as_f64().unwrap_or_default();
    let all: f64 = populations.values().map(neurons).sum();
    let error = |p: &Value| p["rate_error_hz"].as_f64().unwrap_or_default() * neurons(p);
    // populations fire together: their errors add up
    let error: f64 = populations.values().map(error).sum();
    match peer_hz.as_f64() {
        Some(hz) if hz > 0.0 && all > 0.0 => RARE * error / all / hz,
        _ => 0.0,
    }
}

/// Pictures and table of a sweep.
pub(super) fn sweep(page: &mut String, report: &Value, images: &str) -> std::fmt::Result {
    let Some(points) = report["points"].as_array() else {
        return writeln!(page, "\nNot run.");
    };
    writeln!(
        page,
        "\n![Rate, CV and synchrony on the wafer](images/{images}-heat.png)\n\n\
         ![Rate, CV and synchrony in NEST](images/{images}-heat-nest.png)\n\n\
         ![Rates over g for each eta](images/{images}-rates.png)\n\n\
         {} points of {} s, {}, {}.\n\n\
         | g | eta | neurons read out | rate, wafer {} | fired | rate, NEST | wafer / NEST (band) | CV, wafer | CV, NEST | wafer / NEST (band) | lost on links | regime |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|",
        points.len(),
        number(&points.first().unwrap_or(&Value::Null)["accounting"]["bio_s"], 0),
        effects(points),
        took(report, points),
        shown(&report["wafer"])
    )?;
    for point in points {
        let (wafer, peer) = (&point["wafer"], &point["peer"]);
        let (rate_band, cv_band) = sweep_bands(point, report["wafer"] == "ideal");
        let rate_band = rate_band.max(by_chance(point, &peer["rate_hz"]));
        let cv = wafer["cv_isi"].as_f64();
        let rate = wafer["rate_hz"].as_f64().unwrap_or_default();
        let regime = match cv {
            Some(cv) if cv < 0.3 && rate > 100.0 => "fast, regular",
            Some(cv) if cv > 0.7 && rate <= 60.0 => "irregular",
            Some(cv) if cv > 0.5 => "irregular, fast",
            _ => "between",
        };
        writeln!(
            page,
            "| {} | {} | {} | {} Hz | {} | {} | {} | {} | {} | {} | {} | {regime} |",
            point["parameters"]["g"],
            point["parameters"]["eta"],
            wafer["neurons"],
            number(&wafer["rate_hz"], 2),
            fired(point),
            peer["rate_hz"].as_f64().map_or_else(|| "-".to_owned(), |r| format!("{r:.2} Hz")),
            ratio(&peer["rate_hz"], &wafer["rate_hz"], rate_band),
            number(&wafer["cv_isi"], 3),
            peer["cv_isi"].as_f64().map_or_else(|| "-".to_owned(), |c| format!("{c:.3}")),
            ratio(&peer["cv_isi"], &wafer["cv_isi"], cv_band),
            grouped(&point["readout_dropped"]),
        )?;
    }
    Ok(())
}

/// How far rate and CV of a population may be apart, as shares, from its label and its comparison.
type Bands = fn(&str, &Value) -> (f64, f64);

/// Cells vary: small populations that are driven into few fast neurons scatter most.
pub(super) fn varied(label: &str, _: &Value) -> (f64, f64) {
    if matches!(label, "5e" | "6e") { (0.5, 0.12) } else { (0.3, 0.12) }
}

/// CV below which a population is called regular.
const REGULAR: f64 = 0.3;
/// How far CVs of regular populations may be apart: in the synchronous microcircuit NEST and a second
/// simulator differ by up to 0.02.
const REGULAR_APART: f64 = 0.03;

/// Cells of a population are alike.
pub(super) fn uniform(label: &str, p: &Value) -> (f64, f64) {
    let cv_band = match p["cv_isi"][0].as_f64() {
        Some(cv) if cv < REGULAR => REGULAR_APART / cv,
        _ => 0.05,
    };
    (if matches!(label, "5e" | "5i") { 0.15 } else { 0.06 }, cv_band)
}

/// The balanced network at g = 8 on calibrated cells.
pub(super) fn balanced(_: &str, _: &Value) -> (f64, f64) {
    (0.3, 0.15)
}

/// Networks in different states.
pub(super) fn apart(_: &str, _: &Value) -> (f64, f64) {
    (f64::INFINITY, f64::INFINITY)
}

/// Standard errors that chance rarely exceeds.
const RARE: f64 = 3.0;

/// A second look at one run, which chance alone sets apart.
pub(super) fn alike(_: &str, p: &Value) -> (f64, f64) {
    let share = |error: &Value, of: &Value| match error.as_f64().zip(of.as_f64()) {
        Some((error, of)) if of > 0.0 => RARE * error / of,
        _ => f64::INFINITY,
    };
    (
        share(&p["rate_error_hz"], &p["rate_hz"][0]["mean"]),
        share(&p["cv_isi_error"], &p["cv_isi"][0]),
    )
}

/// B over A and the band, if there is one, in bold type if it is missed.
fn ratio(a: &Value, b: &Value, band: f64) -> String {
    match a.as_f64().zip(b.as_f64()) {
        // regular on both sides: their ratio says nothing
        Some((a, b)) if a.max(b) < REGULAR_APART => "-".to_owned(),
        Some((a, b)) if a > 0.0 && band.is_infinite() => format!("{:.2}", b / a),
        Some((a, b)) if a > 0.0 => {
            let mark = if (b / a - 1.0).abs() > band { "**" } else { "" };
            let digits = usize::from(band < 0.1);
            format!("{mark}{:.2}{mark} (±{:.digits$} %)", b / a, 100.0 * band)
        }
        _ => "-".to_owned(),
    }
}

/// A comparison as a table.
pub(super) fn compared(page: &mut String, comparison: &Value, bands: Bands) -> std::fmt::Result {
    let Some(populations) = comparison["populations"].as_object() else {
        return writeln!(page, "Not run.");
    };
    writeln!(
        page,
        "| population | rate A | rate B | B / A (band) | CV A | CV B | B / A (band) | synchrony A, B (Fano, 3 ms) | correlation A, B | distance of rates (chance; seeds) | of CVs |\n\
         |---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    let distance = |d: &Value| {
        let seeds = d["between_seeds"]["mean"].as_f64().map(|s| format!("; {s:.3}"));
        match d["distance"].as_f64().zip(d["by_chance"].as_f64()) {
            Some((d, chance)) => format!("{d:.3} ({chance:.3}{})", seeds.unwrap_or_default()),
            None => "-".to_owned(),
        }
    };
    for (label, p) in populations {
        let of = |key: &str, i: usize, digits: usize| match p[key][i].as_f64() {
            Some(value) => format!("{value:.digits$}"),
            None => "-".to_owned(),
        };
        let rates = [&p["rate_hz"][0]["mean"], &p["rate_hz"][1]["mean"]];
        let (rate_band, cv_band) = bands(label, p);
        writeln!(
            page,
            "| {label} | {} Hz | {} Hz | {} | {} | {} | {} | {}, {} | {}, {} | {} | {} |",
            number(rates[0], 2),
            number(rates[1], 2),
            ratio(rates[0], rates[1], rate_band),
            of("cv_isi", 0, 2),
            of("cv_isi", 1, 2),
            ratio(&p["cv_isi"][0], &p["cv_isi"][1], cv_band),
            of("synchrony", 0, 2),
            of("synchrony", 1, 2),
            of("correlation", 0, 4),
            of("correlation", 1, 4),
            distance(&p["distances"]["rate"]),
            distance(&p["distances"]["cv_isi"]),
        )?;
    }
    Ok(())
}

//! How time and memory grow with the network: one that fills the wafer, and parts of it.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use plotters::prelude::*;
use serde::Serialize;

use super::{THREADS, circuits, median};
use crate::peers::read_json;
use crate::{e2e, shell};

const EXPERIMENT: &str = "full-wafer";
const EIGHTHS: [u32; 4] = [1, 2, 4, 8];
const DURATION_MS: u32 = 1000;
const RUNS: usize = 3;

/// One size of the network.
#[derive(Debug, Serialize)]
pub(super) struct Size {
    pub(super) eighths: u32,
    pub(super) circuits: u64,
    pub(super) synapses: u64,
    /// Per biological second, as are the wall seconds.
    pub(super) synaptic_events: u64,
    pub(super) runs: Vec<f64>,
    pub(super) median: f64,
    pub(super) ns_per_circuit_step: f64,
    pub(super) ns_per_synaptic_event: f64,
    /// Of the whole run, from drawing the network on.
    pub(super) peak_rss_bytes: u64,
}

/// Maps and runs all sizes.
pub(super) fn measure(bss1: &Path) -> Result<Vec<Size>> {
    EIGHTHS.into_iter().map(|eighths| size(bss1, eighths)).collect()
}

fn size(bss1: &Path, eighths: u32) -> Result<Size> {
    eprintln!("{EXPERIMENT}, {eighths} of 8 ...");
    let folder = shell::target().join("bench").join(format!("speed-{EXPERIMENT}-{eighths}"));
    let settings = [format!("eighths={eighths}"), format!("simulation_time={DURATION_MS}")];
    let settings = settings.each_ref().map(String::as_str);
    shell::quietly(bss1, e2e::experiment(EXPERIMENT, &settings, &["--threads", THREADS], &folder))?;
    let report = read_json(&folder.join("report.json"))?;
    let circuits = circuits(&report)?;
    let number = |of: &str, key: &str| {
        report[of][key].as_u64().with_context(|| format!("the report tells no {key}"))
    };
    let bio_s = f64::from(DURATION_MS) * 1e-3;
    let file = |name: &str| folder.join(name).display().to_string();
    let (words, input, out) = (file("words.bss1"), file("input.bss1"), file("again"));
    let arguments = ["emulate", &words, &input, "--threads", THREADS, "--json", "--out", &out];
    let (mut runs, mut steps) = (Vec::new(), 0.0);
    for _ in 0..RUNS {
        let answer = shell::answer(bss1, arguments)?;
        let wall_s = answer["wall_s"]["emulate"].as_f64().context("no time told")?;
        runs.push(wall_s / bio_s);
        // a biological second is 0.1 ms on the wafer
        steps = 1e-4 / (answer["step_ns"].as_f64().context("no step told")? * 1e-9);
    }
    let median = median(&runs);
    let synaptic_events = (number("run_report", "synaptic_events")? as f64 / bio_s) as u64;
    Ok(Size {
        eighths,
        circuits,
        synapses: number("mapping_report", "synapses_realised")?,
        synaptic_events,
        runs,
        median,
        ns_per_circuit_step: 1e9 * median / (circuits as f64 * steps),
        ns_per_synaptic_event: 1e9 * median / synaptic_events as f64,
        peak_rss_bytes: number("run_report", "peak_rss_bytes")?,
    })
}

const PICTURE: (u32, u32) = (760, 460);
const INK: RGBColor = RGBColor(40, 44, 52);
const FAINT: RGBColor = RGBColor(208, 212, 218);
const POINTS: RGBColor = RGBColor(46, 74, 122);

/// Time over events, with a line from nothing through the largest network, as SVG.
pub(super) fn plot(sizes: &[Size]) -> Result<String> {
    let points: Vec<(f64, f64)> =
        sizes.iter().map(|size| (1e-6 * size.synaptic_events as f64, size.median)).collect();
    let largest =
        points.iter().copied().fold((0.0, 0.0), |a: (f64, f64), b| if b.0 > a.0 { b } else { a });
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, PICTURE).into_drawing_area();
        root.fill(&WHITE).map_err(refused)?;
        let mut chart = ChartBuilder::on(&root)
            .margin(16)
            .set_label_area_size(LabelAreaPosition::Left, 70)
            .set_label_area_size(LabelAreaPosition::Bottom, 46)
            .build_cartesian_2d(0.0..1.25 * largest.0, 0.0..1.15 * largest.1)
            .map_err(refused)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .label_style(("sans-serif", 14).into_font().color(&INK))
            .axis_desc_style(("sans-serif", 15).into_font().color(&INK))
            .x_desc("million synaptic events per biological second")
            .y_desc("wall seconds per biological second")
            .draw()
            .map_err(refused)?;
        chart
            .draw_series(LineSeries::new([(0.0, 0.0), largest], FAINT.stroke_width(2)))
            .map_err(refused)?;
        chart
            .draw_series(points.iter().map(|&point| Circle::new(point, 5, POINTS.filled())))
            .map_err(refused)?;
        let style = ("sans-serif", 14).into_font().color(&INK);
        chart
            .draw_series(points.iter().zip(sizes).map(|(&point, size)| {
                let label = format!("{} circuits", size.circuits);
                EmptyElement::at(point) + Text::new(label, (10, 4), style.clone())
            }))
            .map_err(refused)?;
        root.present().map_err(refused)?;
    }
    Ok(svg)
}

/// The plotting library's errors are generic over its back end; their text is all that is needed.
fn refused(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("plot not drawn: {error}")
}

//! Plots of the benchmark: loss and time over synapses, and loss by kind of wafer.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::row::{Figures, Results, Row};

/// Names and captions of the plots.
const FILES: [(&str, &str, &str); 3] = [
    ("mapping-loss.svg", "perfect", "Synapse loss over synapses, no defects"),
    ("mapping-time.svg", "perfect", "Time over synapses, no defects"),
    ("mapping-defects.svg", "d5", "Synapse loss over synapses, 5 % of all components defective"),
];

/// File names, wafers and captions of the plots that have something to show: a quick run has no
/// defects.
pub(crate) fn files(results: &Results) -> impl Iterator<Item = (&str, &str, &str)> {
    FILES.into_iter().filter(|(_, wafer, _)| results.rows.iter().any(|row| row.wafer == *wafer))
}

const SIZE: (u32, u32) = (1000, 620);
const INK: RGBColor = RGBColor(40, 44, 52);
const FAINT: RGBColor = RGBColor(208, 212, 218);
/// Losses below this share of the synapses, and none, stand on the axis.
const SMALLEST_LOSS_PERCENT: f64 = 1e-4;
/// Shapes and colours repeat with different periods.
const COLOURS: [RGBColor; 7] = [
    RGBColor(46, 74, 122),
    RGBColor(176, 36, 60),
    RGBColor(196, 138, 36),
    RGBColor(62, 124, 88),
    RGBColor(122, 74, 146),
    RGBColor(70, 150, 170),
    RGBColor(120, 100, 80),
];

/// All plots as file names and SVG.
pub(crate) fn plots(results: &Results) -> Result<Vec<(String, String)>> {
    let loss = |f: &Figures| (100.0 * f.loss_fraction).max(SMALLEST_LOSS_PERCENT);
    let time = |f: &Figures| f.wall_s.verified;
    let losses = Axis {
        label: "synapses lost [%]",
        range: SMALLEST_LOSS_PERCENT * 0.8..100.0,
        zero: Some(SMALLEST_LOSS_PERCENT),
    };
    let times = Axis { label: "network to verified words [s]", range: 0.005..600.0, zero: None };
    files(results)
        .map(|(file, wafer, caption)| {
            let (axis, value): (&Axis, &Value<'_>) =
                if file == "mapping-time.svg" { (&times, &time) } else { (&losses, &loss) };
            Ok((file.to_owned(), plot(results, wafer, caption, axis, value)?))
        })
        .collect()
}

type Value<'a> = dyn Fn(&Figures) -> f64 + 'a;

/// The vertical axis.
struct Axis {
    label: &'static str,
    range: std::ops::Range<f64>,
    /// Where values of 0 stand.
    zero: Option<f64>,
}

/// One line per network: automatic sizes, normal effort.
fn plot(
    results: &Results,
    wafer: &str,
    caption: &str,
    axis: &Axis,
    value: &Value<'_>,
) -> Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(refused)?;
        let heading = ("sans-serif", 19).into_font().color(&INK);
        root.draw(&Text::new(caption.to_owned(), (88, 14), heading)).map_err(refused)?;
        let (_, area) = root.split_vertically(46);
        let mut chart = ChartBuilder::on(&area)
            .margin_left(12)
            .margin_right(220)
            .margin_bottom(6)
            .set_label_area_size(LabelAreaPosition::Left, 76)
            .set_label_area_size(LabelAreaPosition::Bottom, 46)
            .build_cartesian_2d((20.0..2e7).log_scale(), axis.range.clone().log_scale())
            .map_err(refused)?;
        let zero = axis.zero;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FAINT)
            .axis_style(INK)
            .label_style(("sans-serif", 14).into_font().color(&INK))
            .axis_desc_style(("sans-serif", 15).into_font().color(&INK))
            .x_desc("synapses of the network")
            .y_desc(axis.label)
            .x_label_formatter(&|n| power(*n))
            .y_label_formatter(&|y| if zero == Some(*y) { "0".to_owned() } else { plain(*y) })
            .draw()
            .map_err(refused)?;
        for (i, network) in networks(&results.rows).into_iter().enumerate() {
            let colour = COLOURS[i % COLOURS.len()];
            let mut points: Vec<(f64, f64)> = results
                .rows
                .iter()
                .filter(|row| row.is(network, "normal", wafer))
                .filter_map(|row| row.mapping.as_ref())
                .map(|f| (f.synapses_requested as f64, value(f)))
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            if points.is_empty() {
                continue;
            }
            chart
                .draw_series(LineSeries::new(points.clone(), colour.mix(0.6).stroke_width(2)))
                .map_err(refused)?;
            let filled = i < COLOURS.len();
            let style = if filled { colour.filled() } else { colour.stroke_width(2) };
            chart
                .draw_series(points.into_iter().map(|point| Circle::new(point, 4, style)))
                .map_err(refused)?;
            // the legend stands right of the chart
            let (x, y) = (SIZE.0 as i32 - 196, 62 + 26 * i as i32);
            root.draw(&Circle::new((x, y), 4, style)).map_err(refused)?;
            let label = ("sans-serif", 15).into_font().color(&INK);
            root.draw(&Text::new(network.to_owned(), (x + 14, y - 5), label)).map_err(refused)?;
        }
        root.present().map_err(refused)?;
    }
    Ok(svg)
}

/// Names in the order of the rows.
fn networks(rows: &[Row]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.network.as_str()) {
            names.push(&row.network);
        }
    }
    names
}

/// A power of ten in words.
fn power(n: f64) -> String {
    match n {
        n if n >= 1e6 => format!("{:.0} M", n / 1e6),
        n if n >= 1e3 => format!("{:.0} k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

/// A number without needless digits.
fn plain(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The plotting library's errors are generic over its back end; their text is all that is needed.
fn refused(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("plot not drawn: {error}")
}

//! Rates over one parameter of a sweep, a curve for each value of the other, beside those of another
//! simulator.

use plotters::prelude::*;

use super::{FAINT, FigureError, INK, axes, colour, plot_error};

/// A curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name.
    pub label: String,
    /// Points on the wafer, by x.
    pub wafer: Vec<(f64, f64)>,
    /// Points in the other simulator; as many as there are.
    pub peer: Vec<(f64, f64)>,
}

const SIZE: (u32, u32) = (860, 560);
/// Least rate that is shown, in Hz.
const LOWEST_HZ: f64 = 0.5;

/// Rates on a logarithmic axis; those of the wafer as lines with full circles, the others dashed with
/// open ones.
pub fn curves_svg(
    curves: &[Curve],
    x: &str,
    peer: Option<&str>,
    title: &str,
) -> Result<String, FigureError> {
    let points = || curves.iter().flat_map(|c| c.wafer.iter().chain(&c.peer));
    let highest = points().map(|p| p.1).fold(10.0, f64::max) * 1.6;
    let lowest = points().map(|p| p.1.max(LOWEST_HZ)).fold(highest, f64::min) * 0.6;
    let range = points()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| (low.min(p.0), high.max(p.0)));
    let range = if range.0 <= range.1 { range } else { (0.0, 1.0) };
    let span = (range.1 - range.0).max(1.0);
    let decades = (-1..4).map(|e| 10_f64.powi(e));
    let ticks = decades.flat_map(|d| [1.0, 2.0, 5.0].map(|m| m * d));
    let ticks: Vec<f64> = ticks.filter(|t| (lowest..highest).contains(t)).collect();
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(plot_error)?;
        let heading = ("sans-serif", 20).into_font().color(&INK);
        root.draw(&Text::new(title.to_owned(), (88, 14), heading)).map_err(plot_error)?;
        let (_, area) = root.split_vertically(46);
        let mut chart = ChartBuilder::on(&area)
            .margin_left(12)
            .margin_right(24)
            .margin_bottom(8)
            .set_label_area_size(LabelAreaPosition::Left, 76)
            .set_label_area_size(LabelAreaPosition::Bottom, 50)
            .build_cartesian_2d(
                range.0 - 0.05 * span..range.1 + 0.05 * span,
                (lowest..highest).log_scale().with_key_points(ticks),
            )
            .map_err(plot_error)?;
        axes(&mut chart.configure_mesh(), 15)
            .x_desc(x)
            .x_label_formatter(&|x| {
                if x.fract().abs() < 1e-9 { format!("{x:.0}") } else { format!("{x:.1}") }
            })
            .y_desc("mean rate [Hz]")
            .y_label_formatter(&|r| {
                if *r >= 1.0 { format!("{r:.0}") } else { format!("{r:.1}") }
            })
            .draw()
            .map_err(plot_error)?;
        let shown = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            points.iter().map(|&(x, y)| (x, y.max(LOWEST_HZ))).collect()
        };
        for (i, curve) in curves.iter().enumerate() {
            let ink = colour(i);
            let line = LineSeries::new(shown(&curve.wafer), ink.stroke_width(2));
            chart
                .draw_series(line)
                .map_err(plot_error)?
                .label(curve.label.clone())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], ink.stroke_width(3)));
            let circles = shown(&curve.wafer).into_iter();
            chart
                .draw_series(circles.map(|p| Circle::new(p, 5, ink.filled())))
                .map_err(plot_error)?;
            let dashes = DashedLineSeries::new(shown(&curve.peer), 5, 5, ink.stroke_width(1));
            chart.draw_series(dashes).map_err(plot_error)?;
            let circles = shown(&curve.peer).into_iter();
            chart
                .draw_series(circles.map(|p| Circle::new(p, 8, ink.stroke_width(2))))
                .map_err(plot_error)?;
        }
        if let Some(peer) = peer {
            let none: [(f64, f64); 0] = [];
            chart
                .draw_series(LineSeries::new(none, INK.stroke_width(1)))
                .map_err(plot_error)?
                .label(format!("open circles: {peer}"))
                .legend(|(x, y)| Circle::new((x + 11, y), 6, INK.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE)
            .border_style(FAINT)
            .label_font(("sans-serif", 16).into_font().color(&INK))
            .draw()
            .map_err(plot_error)?;
        root.present().map_err(plot_error)?;
    }
    Ok(svg)
}

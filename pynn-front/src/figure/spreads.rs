//! Histograms of a quantity before and after calibration.

use calib::evaluation::{Evaluation, Spread};
use calib::procedure::Quantity;
use plotters::prelude::*;

use super::{FigureError, INK, axes, colour, plot_error};

/// Pixels of one histogram, and histograms in a row.
const CELL: (u32, u32) = (380, 250);
const COLUMNS: usize = 4;
/// Pixels of the title.
const TITLE: u32 = 40;
const BINS: usize = 48;
/// Half of the range, in standard deviations before calibration.
const RANGE: f64 = 3.2;

/// All quantities of an evaluation, errors before and after.
pub fn spreads_svg(evaluation: &Evaluation, title: &str) -> Result<String, FigureError> {
    let rows = Quantity::ALL.len().div_ceil(COLUMNS);
    let size = (CELL.0 * COLUMNS as u32, CELL.1 * rows as u32 + TITLE);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(plot_error)?;
        let heading = ("sans-serif", 18).into_font().color(&INK);
        root.draw(&Text::new(title.to_owned(), (20, 12), heading)).map_err(plot_error)?;
        let (_, areas) = root.split_vertically(TITLE);
        for (area, quantity) in areas.split_evenly((rows, COLUMNS)).iter().zip(Quantity::ALL) {
            histogram(area, evaluation, quantity)?;
        }
        root.present().map_err(plot_error)?;
    }
    Ok(svg)
}

fn histogram(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    evaluation: &Evaluation,
    quantity: Quantity,
) -> Result<(), FigureError> {
    let (unit, scale) = if quantity.is_voltage() { ("mV", 1.0) } else { ("%", 100.0) };
    let spreads: [Spread; 2] = evaluation.spreads(quantity);
    let half = (RANGE * scale * spreads[0].std).max(1e-3);
    let width = 2.0 * half / BINS as f64;
    let empty = Vec::new();
    let lists = [&evaluation.before, &evaluation.after]
        .map(|errors| errors.get(&quantity).unwrap_or(&empty));
    let shares = lists.map(|list| {
        let mut bins = vec![0.0; BINS];
        for (_, error) in list {
            let bin = ((scale * f64::from(*error) + half) / width).floor();
            if (0.0..BINS as f64).contains(&bin) {
                bins[bin as usize] += 100.0 / list.len() as f64;
            }
        }
        bins
    });
    let tallest = shares.iter().flatten().copied().fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .set_label_area_size(LabelAreaPosition::Left, 34)
        .set_label_area_size(LabelAreaPosition::Bottom, 34)
        .build_cartesian_2d(-half..half, 0.0..1.45 * tallest)
        .map_err(plot_error)?;
    axes(&mut chart.configure_mesh(), 11)
        .x_labels(5)
        .y_labels(4)
        .x_desc(format!("error of {} [{unit}]", quantity.name()))
        .draw()
        .map_err(plot_error)?;
    for (i, (shares, spread)) in shares.iter().zip(spreads).enumerate() {
        let colour = colour(1 - i);
        let when = ["before", "after"][i];
        let label = format!(
            "{when}: {:+.1} \u{b1} {:.1} {unit}",
            scale * spread.mean_error,
            scale * spread.std
        );
        let bars = shares.iter().enumerate().filter(|(_, s)| **s > 0.0).map(|(bin, &share)| {
            let left = bin as f64 * width - half;
            Rectangle::new([(left, 0.0), (left + width, share)], colour.mix(0.45).filled())
        });
        chart
            .draw_series(bars)
            .map_err(plot_error)?
            .label(label)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font(("sans-serif", 11).into_font().color(&INK))
        .draw()
        .map_err(plot_error)
}

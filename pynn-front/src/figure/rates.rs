//! Histogram of the neurons' mean rates, by population.

use plotters::prelude::*;

use super::{FAINT, FigureError, INK, axes, colour, plot_error, short};
use crate::recording::Recording;
use crate::statistics::{Window, cv_isi, rate_hz, rates_hz};

const SIZE: (u32, u32) = (760, 460);
const BINS: usize = 50;

/// Width of a bin: a round number of Hz such that the fastest neuron still fits.
fn bin_width_hz(highest: f64) -> f64 {
    let wanted = (highest / BINS as f64).max(1e-3);
    let decade = 10f64.powf(wanted.log10().floor());
    let round = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|r| r * decade >= wanted);
    round.unwrap_or(10.0) * decade
}

/// Share of each population's neurons that fire at a given rate.
pub fn rates_svg(recording: &Recording, title: &str) -> Result<String, FigureError> {
    let window = Window::settled(recording.duration_ms);
    let rates: Vec<Vec<f64>> =
        recording.populations.iter().map(|p| rates_hz(&p.trains, window)).collect();
    let highest = rates.iter().flatten().copied().fold(1.0, f64::max);
    // rates come in steps of one spike per window: narrower bins would show a comb
    let grain = 1.0 / window.seconds();
    let width = (bin_width_hz(highest) / grain).ceil().max(1.0) * grain;
    let bins = (highest / width) as usize + 1;
    let shares: Vec<Vec<f64>> = rates
        .iter()
        .map(|rates| {
            let mut shares = vec![0.0; bins];
            for rate in rates {
                // a small step to the right keeps rates on the border of a bin together
                shares[((rate / width + 1e-9) as usize).min(bins - 1)] +=
                    100.0 / rates.len() as f64;
            }
            shares
        })
        .collect();
    let tallest = shares.iter().flatten().copied().fold(1.0, f64::max);

    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(plot_error)?;
        let heading = ("sans-serif", 19).into_font().color(&INK);
        root.draw(&Text::new(title.to_owned(), (88, 14), heading)).map_err(plot_error)?;
        let (_, area) = root.split_vertically(46);
        let mut chart = ChartBuilder::on(&area)
            .margin_left(12)
            .margin_right(24)
            .margin_bottom(6)
            .set_label_area_size(LabelAreaPosition::Left, 76)
            .set_label_area_size(LabelAreaPosition::Bottom, 46)
            .build_cartesian_2d(0.0..bins as f64 * width, 0.0..tallest * 1.4)
            .map_err(plot_error)?;
        axes(&mut chart.configure_mesh(), 14)
            .x_desc("mean rate of a neuron [Hz]")
            .y_desc("share of neurons [%]")
            .x_label_formatter(&|r| short(*r))
            .y_label_formatter(&|s| short(*s))
            .draw()
            .map_err(plot_error)?;
        for (i, (shares, population)) in shares.iter().zip(&recording.populations).enumerate() {
            let colour = colour(i);
            let rate = rate_hz(&population.trains, window);
            let cv = cv_isi(&population.trains, window);
            let cv = cv.map_or(String::new(), |cv| format!(", CV {cv:.2}"));
            let label =
                format!("{}: {:.2} \u{b1} {:.2} Hz{cv}", population.label, rate.mean, rate.std);
            let bars = shares.iter().enumerate().filter(|(_, s)| **s > 0.0).map(|(bin, &share)| {
                let left = bin as f64 * width;
                Rectangle::new([(left, 0.0), (left + width, share)], colour.mix(0.35).filled())
            });
            chart.draw_series(bars).map_err(plot_error)?;
            let outline = shares.iter().enumerate().flat_map(|(bin, &share)| {
                [(bin as f64 * width, share), ((bin + 1) as f64 * width, share)]
            });
            chart
                .draw_series(LineSeries::new(outline, colour.stroke_width(1)))
                .map_err(plot_error)?
                .label(label)
                .legend(move |(x, y)| {
                    Rectangle::new([(x, y - 6), (x + 16, y + 6)], colour.mix(0.6).filled())
                });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE)
            .border_style(FAINT)
            .label_font(("sans-serif", 15).into_font().color(&INK))
            .draw()
            .map_err(plot_error)?;
        root.present().map_err(plot_error)?;
    }
    Ok(svg)
}

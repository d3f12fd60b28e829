//! Spike raster of the end of a run, with the rates below it: a second, or less if spikes would cover
//! the paper.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{FigureError, INK, axes, colour, plot_error};
use crate::recording::{PopulationSpikes, Recording};
use crate::statistics::{Window, histogram};

const WIDTH: u32 = 1000;
/// Pixels of everything but the raster, and of the raster for few and for many populations.
const OTHER_HEIGHT: u32 = 240;
const RASTER_HEIGHTS: [u32; 2] = [400, 640];
const LABEL_WIDTH: u32 = 88;
/// Keeps the turned axis label inside the picture.
const LEFT_MARGIN: u32 = 12;
/// Most trains that are shown, of all populations together, for few and for many of them.
const MAX_TRAINS: [usize; 2] = [110, 240];
/// Fewest trains that a population gets, if it has them.
const MIN_TRAINS: [usize; 2] = [30, 18];
/// More populations than this are many: they have no rates of their own below the raster.
const FEW: usize = 4;
/// Windows that are shown, in ms, longest first; and spikes per train that one should not exceed.
const WINDOWS_MS: [f64; 4] = [1000.0, 500.0, 200.0, 100.0];
const SPIKES_PER_TRAIN: f64 = 45.0;
/// Bins of the rates.
const BINS: f64 = 1000.0 / 3.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Whether there are many populations, as an index.
fn many(populations: &[PopulationSpikes]) -> usize {
    usize::from(populations.len() > FEW)
}

/// Trains shown of each population: in proportion to its size, but not too few.
fn shown_trains(populations: &[PopulationSpikes]) -> Vec<usize> {
    let all: usize = populations.iter().map(|p| p.trains.len()).sum();
    let (most, least) = (MAX_TRAINS[many(populations)], MIN_TRAINS[many(populations)]);
    let share = |n: usize| (n * most).checked_div(all).unwrap_or_default();
    populations.iter().map(|p| share(p.trains.len()).max(least).min(p.trains.len())).collect()
}

/// The end of the run, as long as its spikes can be told apart.
fn shown_window(recording: &Recording) -> Window {
    let to_ms = recording.duration_ms;
    let trains: usize = recording.populations.iter().map(|p| p.trains.len()).sum();
    let per_ms = recording.n_spikes() as f64 / trains.max(1) as f64 / to_ms.max(1.0);
    let fits = |window: &&f64| **window * per_ms <= SPIKES_PER_TRAIN;
    let last = WINDOWS_MS[WINDOWS_MS.len() - 1];
    let length = WINDOWS_MS.iter().find(fits).copied().unwrap_or(last);
    Window { from_ms: (to_ms - length).max(0.0), to_ms }
}

/// Colour of a population: excitatory ones blue and inhibitory ones red if there are many.
fn ink(populations: &[PopulationSpikes], i: usize) -> RGBColor {
    let inhibitory = populations[i].label.ends_with('i');
    if populations.len() > FEW { colour(usize::from(inhibitory)) } else { colour(i) }
}

/// Spikes of the end of the run.
pub fn raster_svg(recording: &Recording, title: &str) -> Result<String, FigureError> {
    let window = shown_window(recording);
    let height = RASTER_HEIGHTS[many(&recording.populations)];
    let mut svg = String::new();
    {
        let size = (WIDTH, height + OTHER_HEIGHT);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(plot_error)?;
        let heading = ("sans-serif", 19).into_font().color(&INK);
        root.draw(&Text::new(title.to_owned(), ((LEFT_MARGIN + LABEL_WIDTH) as i32, 14), heading))
            .map_err(plot_error)?;
        let (_, below) = root.split_vertically(46);
        let (top, bottom) = below.split_vertically(height);
        draw_raster(&top, &recording.populations, window)?;
        draw_rates(&bottom, &recording.populations, window)?;
        root.present().map_err(plot_error)?;
    }
    Ok(svg)
}

fn draw_raster(
    area: &Area<'_>,
    populations: &[PopulationSpikes],
    window: Window,
) -> Result<(), FigureError> {
    let shown = shown_trains(populations);
    let rows = shown.iter().sum::<usize>().max(1);
    let mut chart = ChartBuilder::on(area)
        .margin_left(LEFT_MARGIN)
        .margin_right(24)
        .set_label_area_size(LabelAreaPosition::Left, LABEL_WIDTH)
        .build_cartesian_2d(window.from_ms..window.to_ms, rows as f64..0.0)
        .map_err(plot_error)?;
    chart.configure_mesh().disable_mesh().disable_axes().draw().map_err(plot_error)?;
    let mut first = 0;
    for (i, (population, &n)) in populations.iter().zip(&shown).enumerate() {
        let colour = ink(populations, i);
        // evenly spread over the population, so that no chip is favoured
        let step = population.trains.len().checked_div(n).unwrap_or(1).max(1);
        let ticks =
            population.trains.iter().step_by(step).take(n).enumerate().flat_map(|(row, train)| {
                let y = (first + row) as f64;
                window.of(train).iter().map(move |&t| {
                    PathElement::new([(t, y + 0.05), (t, y + 0.95)], colour.stroke_width(2))
                })
            });
        chart.draw_series(ticks).map_err(plot_error)?;
        let share = (first as f64 + n as f64 / 2.0) / rows as f64;
        let height = f64::from(RASTER_HEIGHTS[many(populations)]);
        let middle = (share * height) as i32;
        let style =
            ("sans-serif", 16).into_font().color(&colour).pos(Pos::new(HPos::Right, VPos::Center));
        let right = (LEFT_MARGIN + LABEL_WIDTH) as i32 - 14;
        area.draw(&Text::new(population.label.clone(), (right, middle - 9), style))
            .map_err(plot_error)?;
        let style =
            ("sans-serif", 12).into_font().color(&INK).pos(Pos::new(HPos::Right, VPos::Center));
        let count = format!("{n} of {}", population.trains.len());
        area.draw(&Text::new(count, (right, middle + 9), style)).map_err(plot_error)?;
        first += n;
    }
    Ok(())
}

fn draw_rates(
    area: &Area<'_>,
    populations: &[PopulationSpikes],
    window: Window,
) -> Result<(), FigureError> {
    let bin_ms = (window.to_ms - window.from_ms) / BINS;
    let rate = |trains: &[Vec<f64>]| -> Vec<f64> {
        let per_hz = trains.len().max(1) as f64 * bin_ms * 1e-3;
        histogram(trains, window, bin_ms).iter().map(|&n| f64::from(n) / per_hz).collect()
    };
    let rates: Vec<Vec<f64>> = if populations.len() > FEW {
        vec![rate(&populations.iter().flat_map(|p| p.trains.clone()).collect::<Vec<_>>())]
    } else {
        populations.iter().map(|p| rate(&p.trains)).collect()
    };
    let highest = rates.iter().flatten().copied().fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .margin_left(LEFT_MARGIN)
        .margin_right(24)
        .margin_top(8)
        .margin_bottom(6)
        .set_label_area_size(LabelAreaPosition::Left, LABEL_WIDTH)
        .set_label_area_size(LabelAreaPosition::Bottom, 46)
        .build_cartesian_2d(window.from_ms..window.to_ms, 0.0..highest * 1.08)
        .map_err(plot_error)?;
    axes(&mut chart.configure_mesh(), 14)
        .x_desc("biological time [ms]")
        .y_desc(if populations.len() > FEW { "rate of all [Hz]" } else { "rate [Hz]" })
        .x_label_formatter(&|t| format!("{t:.0}"))
        .y_label_formatter(&|r| format!("{r:.0}"))
        .y_labels(5)
        .draw()
        .map_err(plot_error)?;
    let line = |i| if populations.len() > FEW { INK } else { colour(i) };
    for (i, rates) in rates.iter().enumerate() {
        // steps: each bin holds its rate from its start to its end
        let steps = rates.iter().enumerate().flat_map(|(bin, &rate)| {
            let start = window.from_ms + bin as f64 * bin_ms;
            [(start, rate), ((start + bin_ms).min(window.to_ms), rate)]
        });
        chart
            .draw_series(LineSeries::new(steps, line(i).mix(0.85).stroke_width(1)))
            .map_err(plot_error)?;
    }
    Ok(())
}

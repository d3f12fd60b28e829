//! Spike raster of a second of a run, with the rate of each population below it.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{FAINT, FigureError, INK, colour, plot_error};
use crate::recording::{PopulationSpikes, Recording};
use crate::statistics::{Window, histogram};

const SIZE: (u32, u32) = (1000, 640);
const RASTER_HEIGHT: u32 = 400;
const LABEL_WIDTH: u32 = 88;
/// Keeps the turned axis label inside the picture.
const LEFT_MARGIN: u32 = 12;
/// Most trains that are shown, of all populations together.
const MAX_TRAINS: usize = 110;
/// Fewest trains that a population gets, if it has them.
const MIN_TRAINS: usize = 30;
const BIN_MS: f64 = 3.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Trains shown of each population: in proportion to its size, but not too few.
fn shown_trains(populations: &[PopulationSpikes]) -> Vec<usize> {
    let all: usize = populations.iter().map(|p| p.trains.len()).sum();
    let share = |n: usize| (n * MAX_TRAINS).checked_div(all).unwrap_or_default();
    populations.iter().map(|p| share(p.trains.len()).max(MIN_TRAINS).min(p.trains.len())).collect()
}

/// Spikes of the last second (or of the whole run if it is shorter).
pub fn raster_svg(recording: &Recording, title: &str) -> Result<String, FigureError> {
    let to_ms = recording.duration_ms;
    let window = Window { from_ms: (to_ms - 1000.0).max(0.0), to_ms };
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(plot_error)?;
        let heading = ("sans-serif", 19).into_font().color(&INK);
        root.draw(&Text::new(title.to_owned(), ((LEFT_MARGIN + LABEL_WIDTH) as i32, 14), heading))
            .map_err(plot_error)?;
        let (_, below) = root.split_vertically(46);
        let (top, bottom) = below.split_vertically(RASTER_HEIGHT);
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
        let colour = colour(i);
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
        let middle = (share * f64::from(RASTER_HEIGHT)) as i32;
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
    let rates: Vec<Vec<f64>> = populations
        .iter()
        .map(|p| {
            let per_hz = p.trains.len().max(1) as f64 * BIN_MS * 1e-3;
            histogram(&p.trains, window, BIN_MS).iter().map(|&n| f64::from(n) / per_hz).collect()
        })
        .collect();
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
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(INK)
        .label_style(("sans-serif", 14).into_font().color(&INK))
        .axis_desc_style(("sans-serif", 15).into_font().color(&INK))
        .x_desc("biological time [ms]")
        .y_desc("rate [Hz]")
        .x_label_formatter(&|t| format!("{t:.0}"))
        .y_label_formatter(&|r| format!("{r:.0}"))
        .y_labels(5)
        .draw()
        .map_err(plot_error)?;
    for (i, rates) in rates.iter().enumerate() {
        // steps: each bin holds its rate from its start to its end
        let steps = rates.iter().enumerate().flat_map(|(bin, &rate)| {
            let start = window.from_ms + bin as f64 * BIN_MS;
            [(start, rate), ((start + BIN_MS).min(window.to_ms), rate)]
        });
        chart
            .draw_series(LineSeries::new(steps, colour(i).mix(0.85).stroke_width(1)))
            .map_err(plot_error)?;
    }
    Ok(())
}

//! Distributions of a quantity over the neurons of each population, of one run or of two.

use plotters::coord::Shift;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{FigureError, INK, axes, plot_error, short};
use crate::recording::Recording;
use crate::statistics::{Window, correlations, cvs_isi, rates_hz};

/// What is distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Rate of a neuron in Hz.
    Rate,
    /// CV of the inter-spike intervals of a neuron.
    Irregularity,
    /// Correlation of the spike counts of a pair.
    Correlation,
}

impl Quantity {
    const fn label(self) -> &'static str {
        match self {
            Self::Rate => "rate of a neuron [Hz]",
            Self::Irregularity => "CV of the intervals",
            Self::Correlation => "correlation of a pair",
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::Rate => " Hz",
            Self::Irregularity | Self::Correlation => "",
        }
    }

    fn values(self, trains: &[Vec<f64>], window: Window) -> Vec<f64> {
        match self {
            Self::Rate => rates_hz(trains, window),
            Self::Irregularity => cvs_isi(trains, window),
            Self::Correlation => correlations(trains, window),
        }
    }

    /// What all values lie in, if that is known, and bins in it.
    fn range(self, values: &[f64]) -> (f64, f64) {
        match self {
            Self::Rate => {
                let mut sorted = values.to_vec();
                sorted.sort_by(f64::total_cmp);
                // a few very fast neurons would leave no room for the others
                let place = (0.985 * sorted.len() as f64) as usize;
                (0.0, sorted.get(place).copied().unwrap_or(1.0).max(1.0) * 1.1)
            }
            Self::Irregularity => (0.0, 2.0),
            Self::Correlation => {
                let widest = values.iter().fold(0.05, |widest: f64, v| widest.max(v.abs()));
                (-0.3_f64.min(widest), widest.min(1.0))
            }
        }
    }
}

/// Pixels of a panel.
const PANEL: (u32, u32) = (460, 226);
const HEADING: u32 = 56;
/// Where the axes of a panel begin.
const LEFT: i32 = 66;
/// Width of what is said about a run.
const MEAN: i32 = 164;
const BINS: usize = 40;
/// Share of a bin, in percent, above which the other bins are only seen on a logarithmic axis: of silent
/// neurons, or of regular ones.
const STEEP: f64 = 50.0;
/// The first run filled, the second one as a line on it.
const RUNS: [RGBColor; 2] = [RGBColor(120, 130, 148), RGBColor(176, 36, 60)];

/// A panel for each population of the first run, two beside each other: layer by layer if there are
/// layers. What lies above the range counts to the last bin, which says so.
pub fn distributions_svg(
    runs: &[(&str, &Recording)],
    quantity: Quantity,
    title: &str,
) -> Result<String, FigureError> {
    let panels: Vec<Panel<'_>> = match runs.first() {
        Some((_, run)) => {
            run.populations.iter().map(|p| Panel::new(runs, &p.label, quantity)).collect()
        }
        None => Vec::new(),
    };
    let rows = panels.len().div_ceil(2).max(1);
    let size = (2 * PANEL.0, HEADING + rows as u32 * PANEL.1);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(plot_error)?;
        let heading = ("sans-serif", 19).into_font().color(&INK);
        root.draw(&Text::new(title.to_owned(), (24, 10), heading)).map_err(plot_error)?;
        let mut x = 24;
        for ((name, _), ink) in runs.iter().zip(RUNS) {
            root.draw(&Rectangle::new([(x, 37), (x + 16, 47)], ink.filled()))
                .map_err(plot_error)?;
            let style = ("sans-serif", 15).into_font().color(&INK);
            root.draw(&Text::new((*name).to_owned(), (x + 24, 34), style)).map_err(plot_error)?;
            x += 48 + 9 * name.len() as i32;
        }
        let (_, below) = root.split_vertically(HEADING);
        let logarithmic = panels.iter().any(|panel| panel.tallest() > STEEP);
        for (area, panel) in below.split_evenly((rows, 2)).iter().zip(&panels) {
            let (x, mut chart) = (panel.low..panel.high(), ChartBuilder::on(area));
            chart
                .margin_left(10)
                .margin_right(20)
                .margin_top(34)
                .set_label_area_size(LabelAreaPosition::Left, 56)
                .set_label_area_size(LabelAreaPosition::Bottom, 44);
            if logarithmic {
                let y = (panel.floor()..150.0).log_scale();
                panel.draw(&mut chart.build_cartesian_2d(x, y).map_err(plot_error)?, quantity)?;
            } else {
                let y = 0.0..1.08 * panel.tallest();
                panel.draw(&mut chart.build_cartesian_2d(x, y).map_err(plot_error)?, quantity)?;
            }
            panel.name(area, quantity)?;
        }
        root.present().map_err(plot_error)?;
    }
    Ok(svg)
}

/// Histograms of a population, one for each run.
struct Panel<'a> {
    label: &'a str,
    /// Left border of the first bin, and width of all.
    low: f64,
    width: f64,
    values: Vec<Vec<f64>>,
    /// Shares of the bins in percent.
    shares: Vec<[f64; BINS]>,
}

impl<'a> Panel<'a> {
    fn new(runs: &[(&str, &Recording)], label: &'a str, quantity: Quantity) -> Self {
        let values: Vec<Vec<f64>> = runs
            .iter()
            .take(RUNS.len())
            .map(|(_, run)| {
                let found = run.populations.iter().find(|p| p.label == label);
                let window = Window::settled(run.duration_ms);
                found.map(|p| quantity.values(&p.trains, window)).unwrap_or_default()
            })
            .collect();
        let (low, high) = quantity.range(&values.concat());
        // rates come in steps of one spike per window: narrower bins would show a comb
        let seconds = runs.iter().map(|(_, run)| Window::settled(run.duration_ms).seconds());
        let grain =
            if quantity == Quantity::Rate { 1.0 / seconds.fold(1e-3, f64::max) } else { 0.0 };
        let wanted = (high - low) / BINS as f64;
        let width = if grain > 0.0 { (wanted / grain).ceil().max(1.0) * grain } else { wanted };
        let shares = values.iter().map(|values| {
            let mut shares = [0.0; BINS];
            for value in values {
                // a small step to the right keeps rates on the border of a bin together
                let bin = ((value - low) / width + 1e-9).max(0.0) as usize;
                shares[bin.min(BINS - 1)] += 100.0 / values.len() as f64;
            }
            shares
        });
        let shares = shares.collect();
        Self { label, low, width, values, shares }
    }

    fn high(&self) -> f64 {
        self.low + self.width * BINS as f64
    }

    fn tallest(&self) -> f64 {
        self.shares.iter().flatten().copied().fold(5.0, f64::max)
    }

    /// Lower end of a logarithmic axis: half a value.
    fn floor(&self) -> f64 {
        50.0 / self.values.iter().map(Vec::len).max().unwrap_or_default().max(10) as f64
    }

    fn draw<Y: Ranged<ValueType = f64> + ValueFormatter<f64>>(
        &self,
        chart: &mut ChartContext<'_, SVGBackend<'_>, Cartesian2d<RangedCoordf64, Y>>,
        quantity: Quantity,
    ) -> Result<(), FigureError> {
        axes(&mut chart.configure_mesh(), 13)
            .x_labels(6)
            .y_labels(4)
            .x_desc(quantity.label())
            .y_desc("share [%]")
            .x_label_formatter(&|x| short(*x))
            .y_label_formatter(&|s| short(*s))
            .draw()
            .map_err(plot_error)?;
        let left = |bin: usize| self.low + bin as f64 * self.width;
        let bottom = chart.y_range().start;
        for (run, (shares, ink)) in self.shares.iter().zip(RUNS).enumerate() {
            if run == 0 {
                let bars = shares.iter().enumerate().filter(|(_, s)| **s > 0.0);
                let bars = bars.map(|(bin, &share)| {
                    let corners = [(left(bin), bottom), (left(bin + 1), share)];
                    Rectangle::new(corners, ink.mix(0.55).filled())
                });
                chart.draw_series(bars).map_err(plot_error)?;
                continue;
            }
            let steps = shares.iter().enumerate().flat_map(|(bin, &share)| {
                let share = share.max(bottom);
                [(left(bin), share), (left(bin + 1), share)]
            });
            chart.draw_series(LineSeries::new(steps, ink.stroke_width(2))).map_err(plot_error)?;
        }
        if self.values.iter().flatten().any(|&value| value > self.high()) {
            let last = self.shares.iter().map(|shares| shares[BINS - 1]).fold(bottom, f64::max);
            let style = ("sans-serif", 12).into_font().color(&INK);
            let style = style.pos(Pos::new(HPos::Right, VPos::Bottom));
            let text = format!("{} and above", short(left(BINS - 1)));
            // a little above the bar
            let place = EmptyElement::at((self.high(), last)) + Text::new(text, (0, -4), style);
            chart.draw_series([place]).map_err(plot_error)?;
        }
        Ok(())
    }

    /// Name and means lie above the axes, where no bar can hide them.
    fn name(
        &self,
        area: &DrawingArea<SVGBackend<'_>, Shift>,
        quantity: Quantity,
    ) -> Result<(), FigureError> {
        let (right, _) = area.dim_in_pixel();
        let name = ("sans-serif", 17).into_font().color(&INK);
        area.draw(&Text::new(self.label.to_owned(), (LEFT, 10), name)).map_err(plot_error)?;
        let right_top = Pos::new(HPos::Right, VPos::Top);
        for (i, (values, ink)) in self.values.iter().zip(RUNS).enumerate() {
            let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
            let text = match values.len() {
                0 => "no values".to_owned(),
                n => format!("mean {mean:.2}{}, n = {n}", quantity.unit()),
            };
            let style = ("sans-serif", 13).into_font().color(&ink).pos(right_top);
            let x = right as i32 - 20 - MEAN * (self.values.len() - 1 - i) as i32;
            area.draw(&Text::new(text, (x, 13), style)).map_err(plot_error)?;
        }
        Ok(())
    }
}

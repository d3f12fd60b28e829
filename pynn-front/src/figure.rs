//! Figures of runs: spike raster, histograms of rates and other quantities, heat maps and curves of
//! sweeps, and any SVG as PNG.
//!
//! Text is set in the embedded DejaVu Sans (see `assets/DejaVuSans-LICENSE`), so that pictures look
//! the same on every machine.

mod curves;
mod distributions;
mod heat;
mod png;
mod raster;
mod rates;
mod spreads;

use plotters::chart::MeshStyle;
use plotters::prelude::*;
use thiserror::Error;

pub use curves::{Curve, curves_svg};
pub use distributions::{Quantity, distributions_svg};
pub use heat::{HeatMap, heat_svg};
pub use png::png;
pub use raster::raster_svg;
pub use rates::rates_svg;
pub use spreads::spreads_svg;

/// A figure could not be drawn.
#[derive(Debug, Error)]
pub enum FigureError {
    /// The plotting library refused.
    #[error("figure not drawn: {0}")]
    Plot(String),
    /// The SVG does not parse.
    #[error("svg does not parse: {0}")]
    Svg(#[from] resvg::usvg::Error),
    /// No memory for the pixels.
    #[error("a picture of {width} x {height} pixels is too large; use a smaller scale")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The PNG encoder refused.
    #[error("png not written: {0}")]
    Png(String),
}

/// Colours of populations, in their order: dark blue, red, ochre, green.
const PALETTE: [RGBColor; 4] =
    [RGBColor(46, 74, 122), RGBColor(176, 36, 60), RGBColor(196, 138, 36), RGBColor(62, 124, 88)];
const INK: RGBColor = RGBColor(40, 44, 52);
const FAINT: RGBColor = RGBColor(208, 212, 218);

fn colour(population: usize) -> RGBColor {
    PALETTE[population % PALETTE.len()]
}

/// Axes as all charts have them: faint lines at the labels of y, none at those of x; labels of so many
/// pixels, descriptions a little larger.
fn axes<'m, 'a, 'b, X: Ranged, Y: Ranged, DB: DrawingBackend>(
    mesh: &'m mut MeshStyle<'a, 'b, X, Y, DB>,
    label_pixels: u32,
) -> &'m mut MeshStyle<'a, 'b, X, Y, DB> {
    mesh.disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(FAINT)
        .axis_style(INK)
        .label_style(("sans-serif", label_pixels).into_font().color(&INK))
        .axis_desc_style(("sans-serif", label_pixels + 1).into_font().color(&INK))
}

/// A number on an axis, without zeros that say nothing.
fn short(x: f64) -> String {
    let text = format!("{x:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The plotting library's errors are generic over its back end; their text is all that is needed.
fn plot_error(error: impl std::fmt::Display) -> FigureError {
    FigureError::Plot(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{PopulationSpikes, Recording};

    fn population(trains: Vec<Vec<f64>>) -> PopulationSpikes {
        PopulationSpikes { label: "cells".to_owned(), trains }
    }

    fn draw(populations: Vec<PopulationSpikes>, duration_ms: f64) {
        let recording = Recording { populations, duration_ms, ..Recording::default() };
        let distributions =
            |q| distributions_svg(&[("A", &recording), ("B", &recording)], q, "title");
        for svg in [
            raster_svg(&recording, "title"),
            rates_svg(&recording, "title"),
            distributions(Quantity::Rate),
            distributions(Quantity::Irregularity),
            distributions(Quantity::Correlation),
        ] {
            let picture = png(&svg.unwrap(), 0.5).unwrap();
            assert!(picture.starts_with(b"\x89PNG"));
        }
    }

    #[test]
    fn any_recording_can_be_drawn() {
        draw(Vec::new(), 1000.0);
        draw(vec![population(Vec::new())], 1000.0);
        draw(vec![population(vec![Vec::new(); 3])], 1.0);
        draw(vec![population(vec![vec![0.0, 0.04, 999.96]; 300])], 1000.0);
        draw(vec![population(vec![(0..4000).map(|i| f64::from(i) * 2.5).collect()])], 10_000.0);
    }

    #[test]
    fn distributions_show_few_fast_neurons_among_silent_ones() {
        let train = |hz: u32| (0..10 * hz).map(|i| f64::from(i) * 1000.0 / f64::from(hz)).collect();
        let rates = |trains: Vec<Vec<f64>>| {
            let populations = vec![population(trains)];
            let recording =
                Recording { populations, duration_ms: 10_000.0, ..Recording::default() };
            distributions_svg(&[("A", &recording)], Quantity::Rate, "title").unwrap()
        };
        let silent = vec![Vec::new(); 950];
        let few = rates([silent, vec![train(5); 49], vec![train(200)]].concat());
        assert!(few.contains(" and above"), "the last bin collects the fastest neuron");
        assert!(few.contains(">\n0.1\n<") && few.contains(">\n100\n<"), "decades of shares");
        let even = rates((1..50).map(train).collect());
        assert!(!even.contains(" and above"), "nothing lies above");
        assert!(!even.contains(">\n100\n<"), "shares on a linear axis");
    }

    #[test]
    fn sweeps_of_any_size_can_be_drawn() {
        for (x, y) in
            [(&[1.0, 4.0][..], &[0.8, 1.6, 2.4][..]), (&[8.0][..], &[0.8][..]), (&[], &[])]
        {
            let values = vec![vec![Some(3.0); x.len()]; y.len()];
            let map = HeatMap { label: "rate".to_owned(), values, logarithmic: true };
            let svg = heat_svg(&[map.clone(), map], ("g", x), ("eta", y), "title").unwrap();
            assert!(png(&svg, 0.5).unwrap().starts_with(b"\x89PNG"));
            let points: Vec<(f64, f64)> = x.iter().map(|&g| (g, 10.0 * g)).collect();
            let curve = Curve { label: "eta 1".to_owned(), wafer: points.clone(), peer: points };
            let svg = curves_svg(&[curve], "g", Some("NEST"), "title").unwrap();
            assert!(png(&svg, 0.5).unwrap().starts_with(b"\x89PNG"));
        }
    }

    #[test]
    fn text_is_set_in_the_embedded_font() {
        let text = |t: &str| {
            let svg = format!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20">
                   <text x="2" y="15" font-size="14">{t}</text></svg>"#
            );
            png(&svg, 1.0).unwrap()
        };
        assert!(text("a") != text(""), "no glyphs are drawn");
        assert!(text("\u{b1}") != text("a"));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(matches!(png("<svg", 1.0), Err(FigureError::Svg(_))));
        let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>"#;
        assert!(matches!(png(svg, 0.0), Err(FigureError::TooLarge { .. })));
    }
}

//! Figures of a run: spike raster, rate histogram, and any SVG as PNG.
//!
//! Text is set in the embedded DejaVu Sans (see `assets/DejaVuSans-LICENSE`), so that pictures look
//! the same on every machine.

mod png;
mod raster;
mod rates;

use plotters::style::RGBColor;
use thiserror::Error;

pub use png::png;
pub use raster::raster_svg;
pub use rates::rates_svg;

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

/// The plotting library's errors are generic over its back end; their text is all that is needed.
fn plot_error(error: impl std::fmt::Display) -> FigureError {
    FigureError::Plot(error.to_string())
}

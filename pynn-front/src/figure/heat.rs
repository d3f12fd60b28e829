//! Heat maps of a sweep over two parameters, side by side.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{FigureError, INK, plot_error};

/// A quantity at each point of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// What it is, with unit.
    pub label: String,
    /// Row by row: one row per value of the second parameter, one column per value of the first. None
    /// where there is none.
    pub values: Vec<Vec<Option<f64>>>,
    /// Whether colours go by the logarithm.
    pub logarithmic: bool,
}

/// Colours from small to large: dark blue, violet, rose, ochre, pale yellow.
const SCALE: [(u8, u8, u8); 5] =
    [(30, 34, 78), (98, 60, 128), (184, 76, 104), (228, 150, 78), (250, 232, 168)];
const CELL: i32 = 86;
const LEFT: i32 = 78;
const TOP: i32 = 92;
const BOTTOM: i32 = 62;
const GAP: i32 = 26;

fn colour(share: f64) -> RGBColor {
    let place = share.clamp(0.0, 1.0) * (SCALE.len() - 1) as f64;
    let i = (place as usize).min(SCALE.len() - 2);
    let part = place - i as f64;
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
    let (a, b) = (SCALE[i], SCALE[i + 1]);
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Three digits, and no more after the point than that.
fn short(value: f64) -> String {
    let digits = if value.abs() >= 99.5 {
        0
    } else if value.abs() >= 9.95 {
        1
    } else {
        2
    };
    format!("{value:.digits$}")
}

/// All maps in a row. `x` and `y` are the names of the parameters and their values.
pub fn heat_svg(
    maps: &[HeatMap],
    x: (&str, &[f64]),
    y: (&str, &[f64]),
    title: &str,
) -> Result<String, FigureError> {
    let (columns, rows) = (x.1.len() as i32, y.1.len() as i32);
    let width = LEFT + columns * CELL + GAP;
    let size = ((width * maps.len().max(1) as i32) as u32, (TOP + rows * CELL + BOTTOM) as u32);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE).map_err(plot_error)?;
        write(&root, title, (LEFT, 26), 20, INK, HPos::Left)?;
        for (i, map) in maps.iter().enumerate() {
            draw(&root, map, width * i as i32 + LEFT, x, y)?;
        }
        root.present().map_err(plot_error)?;
    }
    Ok(svg)
}

fn draw(
    root: &DrawingArea<SVGBackend<'_>, Shift>,
    map: &HeatMap,
    left: i32,
    x: (&str, &[f64]),
    y: (&str, &[f64]),
) -> Result<(), FigureError> {
    let scale = |value: f64| if map.logarithmic { value.max(1e-3).ln() } else { value };
    let known = map.values.iter().flatten().flatten().copied().map(scale);
    let (low, high) =
        known.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let share = |value: f64| (scale(value) - low) / (high - low).max(1e-9);
    let rows = y.1.len() as i32;
    write(root, &map.label, (left, TOP - 22), 17, INK, HPos::Left)?;
    for (row, values) in map.values.iter().enumerate() {
        // the smallest value below, as on an axis
        let top = TOP + (rows - 1 - row as i32) * CELL;
        for (column, value) in values.iter().enumerate() {
            let corner = (left + column as i32 * CELL, top);
            let (fill, ink) = match value {
                None => (RGBColor(238, 240, 243), INK),
                Some(value) if share(*value) > 0.6 => (colour(share(*value)), INK),
                Some(value) => (colour(share(*value)), WHITE),
            };
            let cell = [corner, (corner.0 + CELL - 2, corner.1 + CELL - 2)];
            root.draw(&Rectangle::new(cell, fill.filled())).map_err(plot_error)?;
            let text = value.map_or_else(|| "-".to_owned(), short);
            let middle = (corner.0 + CELL / 2 - 1, corner.1 + CELL / 2 - 1);
            write(root, &text, middle, 17, ink, HPos::Center)?;
        }
    }
    for (column, value) in x.1.iter().enumerate() {
        let at = (left + column as i32 * CELL + CELL / 2, TOP + rows * CELL + 14);
        write(root, &value.to_string(), at, 15, INK, HPos::Center)?;
    }
    for (row, value) in y.1.iter().enumerate() {
        let at = (left - 10, TOP + (rows - 1 - row as i32) * CELL + CELL / 2);
        write(root, &value.to_string(), at, 15, INK, HPos::Right)?;
    }
    let middle = left + x.1.len() as i32 * CELL / 2;
    write(root, x.0, (middle, TOP + rows * CELL + 40), 16, INK, HPos::Center)?;
    write(root, y.0, (left - 44, TOP + rows * CELL / 2), 16, INK, HPos::Right)
}

fn write(
    root: &DrawingArea<SVGBackend<'_>, Shift>,
    text: &str,
    at: (i32, i32),
    size: i32,
    ink: RGBColor,
    anchor: HPos,
) -> Result<(), FigureError> {
    let style = ("sans-serif", size).into_font().color(&ink).pos(Pos::new(anchor, VPos::Center));
    root.draw(&Text::new(text.to_owned(), at, style)).map_err(plot_error)
}

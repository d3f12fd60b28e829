//! SVG to PNG.

use std::sync::Arc;

use resvg::tiny_skia::{Color, Pixmap};
use resvg::usvg::{Options, Transform, Tree, fontdb};

use super::FigureError;

const FONT: &[u8] = include_bytes!("../../assets/DejaVuSans-Latin1.ttf");

/// Renders an SVG on white; `scale` is the number of pixels per SVG unit.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>, FigureError> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let options = Options {
        fontdb: Arc::new(fonts),
        font_family: "DejaVu Sans".to_owned(),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options)?;
    let size = tree.size();
    let width = (size.width() * scale).ceil() as u32;
    let height = (size.height() * scale).ceil() as u32;
    let mut pixels = Pixmap::new(width, height).ok_or(FigureError::TooLarge { width, height })?;
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| FigureError::Png(e.to_string()))
}

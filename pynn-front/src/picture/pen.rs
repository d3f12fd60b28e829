//! SVG as text: shapes, colours, numbers.

use std::fmt::{Display, Write as _};

/// Font of all text.
pub(super) const FONT: &str = "DejaVu Sans, sans-serif";
/// Text and borders.
pub(super) const INK: &str = "#282c34";
/// Text of less weight.
pub(super) const FAINT: &str = "#7b828d";
/// Losses and defects.
pub(super) const ALARM: Colour = Colour(176, 36, 60);
/// Use.
pub(super) const BUSY: Colour = Colour(46, 74, 122);

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

impl Colour {
    /// This share of the colour on white.
    pub(super) fn tint(self, share: f64) -> Self {
        let share = share.clamp(0.0, 1.0);
        let mix = |to: u8| (255.0 + share * (f64::from(to) - 255.0)).round() as u8;
        Self(mix(self.0), mix(self.1), mix(self.2))
    }
}

impl Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

const GROUP_COLOURS: [Colour; 12] = [
    Colour(46, 74, 122),
    Colour(176, 36, 60),
    Colour(62, 124, 88),
    Colour(196, 138, 36),
    Colour(70, 150, 170),
    Colour(122, 74, 146),
    Colour(120, 140, 50),
    Colour(192, 90, 46),
    Colour(90, 106, 208),
    Colour(208, 106, 138),
    Colour(58, 160, 138),
    Colour(138, 106, 74),
];

/// Colour of a group of populations.
pub(super) fn group_colour(group: usize) -> Colour {
    GROUP_COLOURS[group % GROUP_COLOURS.len()]
}

/// A growing SVG.
#[derive(Debug, Default)]
pub(super) struct Pen {
    body: String,
}

impl Pen {
    /// Adds elements as they are.
    pub(super) fn raw(&mut self, svg: &str) {
        self.body.push_str(svg);
    }

    /// A rectangle with further attributes.
    pub(super) fn rect(&mut self, [x, y, width, height]: [f64; 4], attributes: &str) {
        self.put(format_args!(
            r#"<rect x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{height:.2}" {attributes}/>"#
        ));
    }

    /// A line with further attributes.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), attributes: &str) {
        self.put(format_args!(
            r#"<path d="M{:.2} {:.2}L{:.2} {:.2}" {attributes}/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    /// Text that starts, is centred or ends at a point.
    pub(super) fn text(&mut self, at: (f64, f64), size: f64, style: Style, content: &str) {
        let Style { colour, anchor } = style;
        self.put(format_args!(
            r#"<text x="{:.2}" y="{:.2}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">{}</text>"#,
            at.0,
            at.1,
            escape(content)
        ));
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // writing to a string cannot fail
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    /// The elements alone.
    pub(super) fn elements(self) -> String {
        self.body
    }

    /// The drawing, with this size in pixels.
    pub(super) fn finish(self, width: f64, height: f64) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"{FONT}\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n{}</svg>\n",
            self.body
        )
    }
}

/// Colour and anchor of text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) colour: &'static str,
    pub(super) anchor: &'static str,
}

impl Style {
    pub(super) const START: Self = Self { colour: INK, anchor: "start" };
    pub(super) const MIDDLE: Self = Self { colour: INK, anchor: "middle" };
    pub(super) const END: Self = Self { colour: INK, anchor: "end" };

    pub(super) const fn faint(self) -> Self {
        Self { colour: FAINT, ..self }
    }
}

/// Text inside of SVG and HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A number with commas between thousands.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in percent: nothing is 0, and little is not.
pub(super) fn percent(part: usize, of: usize) -> String {
    let share = 100.0 * part as f64 / of.max(1) as f64;
    match share {
        0.0 => "0 %".to_owned(),
        s if s < 0.01 => "<0.01 %".to_owned(),
        s if s < 1.0 => format!("{s:.2} %"),
        s => format!("{s:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 2_987_316].map(grouped), ["0", "999", "1,000", "2,987,316"]);
        let shares = [(0, 9), (1, 1_000_000), (5, 1000), (1, 3), (0, 0)];
        assert_eq!(
            shares.map(|(part, of)| percent(part, of)),
            ["0 %", "<0.01 %", "0.50 %", "33.3 %", "0 %"]
        );
    }

    #[test]
    fn labels_cannot_break_out() {
        assert_eq!(escape("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
    }

    #[test]
    fn tints_go_from_white_to_the_colour() {
        assert_eq!(ALARM.tint(0.0).to_string(), "#ffffff");
        assert_eq!(ALARM.tint(1.0), ALARM);
    }
}

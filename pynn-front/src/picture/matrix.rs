//! Lost synapses by presynaptic and postsynaptic population.

use super::facts::{Facts, Pair};
use super::pen::{ALARM, Pen, Style, grouped, percent};

const LEFT: f64 = 150.0;
const TOP: f64 = 96.0;
/// Cells with text; smaller ones have none.
const WIDE: f64 = 68.0;
const NARROW: f64 = 26.0;

/// Rows are sources, columns targets; pairs without synapses stay empty.
pub(super) fn matrix(facts: &Facts) -> String {
    let is_target = |post: &usize| facts.pairs.iter().any(|row| row[*post].requested > 0);
    let is_source = |pre: &usize| facts.pairs[*pre].iter().any(|pair| pair.requested > 0);
    let columns: Vec<usize> = (0..facts.groups.len()).filter(is_target).collect();
    let rows: Vec<usize> = (0..facts.groups.len()).filter(is_source).collect();
    let wide = columns.len() <= 12;
    let cell = if wide { WIDE } else { NARROW };
    let height = if wide { 40.0 } else { NARROW };

    let mut pen = Pen::default();
    pen.text((24.0, 36.0), 20.0, Style::START, "Lost synapses by population");
    let about = "row: source, column: target; share of the synapses asked for that is lost";
    pen.text((24.0, 58.0), 14.0, Style::START.faint(), about);
    let worst = rows
        .iter()
        .flat_map(|&pre| columns.iter().map(move |&post| share(facts.pairs[pre][post])))
        .fold(0.0, f64::max);
    for (i, &post) in columns.iter().enumerate() {
        let x = LEFT + cell * (i as f64 + 0.5);
        let label = &facts.groups[post].label;
        if wide {
            pen.text((x, TOP - 8.0), 14.0, Style::MIDDLE, label);
        } else {
            pen.raw(&format!(
                "<g transform=\"translate({} {}) rotate(-60)\">",
                x + 4.0,
                TOP + 82.0
            ));
            pen.text((0.0, 0.0), 12.0, Style::START, &short(label));
            pen.raw("</g>\n");
        }
    }
    let first = if wide { TOP } else { TOP + 90.0 };
    for (j, &pre) in rows.iter().enumerate() {
        let y = first + height * j as f64;
        let label = short(&facts.groups[pre].label);
        let size = if wide { 14.0 } else { 12.0 };
        pen.text((LEFT - 10.0, y + height / 2.0 + 5.0), size, Style::END, &label);
        for (i, &post) in columns.iter().enumerate() {
            let pair = facts.pairs[pre][post];
            let x = LEFT + cell * i as f64;
            draw(&mut pen, [x, y, cell, height], pair, worst, wide);
        }
    }
    let width = (LEFT + cell * columns.len() as f64 + 30.0).max(560.0);
    let bottom = first + height * rows.len() as f64;
    let total = format!(
        "{} of {} synapses lost ({})",
        grouped(facts.lost()),
        grouped(facts.requested()),
        percent(facts.lost(), facts.requested())
    );
    pen.text((LEFT, bottom + 28.0), 14.0, Style::START, &total);
    pen.finish(width, bottom + 46.0)
}

fn share(pair: Pair) -> f64 {
    pair.lost as f64 / pair.requested.max(1) as f64
}

fn draw(pen: &mut Pen, place: [f64; 4], pair: Pair, worst: f64, wide: bool) {
    let [x, y, width, height] = place;
    if pair.requested == 0 {
        pen.rect(place, "fill=\"#f4f5f7\" stroke=\"white\"");
        return;
    }
    let tint = if pair.lost == 0 { 0.0 } else { 0.08 + 0.8 * share(pair) / worst };
    let about = format!("{} of {} lost", grouped(pair.lost), grouped(pair.requested));
    pen.raw(&format!("<g><title>{about}</title>"));
    pen.rect(place, &format!("fill=\"{}\" stroke=\"#d9dde3\"", ALARM.tint(tint)));
    if wide {
        let middle = x + width / 2.0;
        let colour = if tint > 0.55 { "white" } else { super::pen::INK };
        let style = Style { colour, anchor: "middle" };
        pen.text(
            (middle, y + height / 2.0 - 1.0),
            13.0,
            style,
            &percent(pair.lost, pair.requested),
        );
        let count = if pair.lost > 0 { grouped(pair.lost) } else { String::new() };
        pen.text((middle, y + height / 2.0 + 14.0), 10.0, style, &count);
    }
    pen.raw("</g>\n");
}

/// A label that fits.
fn short(label: &str) -> String {
    if label.chars().count() <= 18 {
        return label.to_owned();
    }
    label.chars().take(17).chain(['\u{2026}']).collect()
}

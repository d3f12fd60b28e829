//! The wafer: 384 chips in their true proportions (5 x 10 mm), lines at their true places.

use std::fmt::Write as _;

use hal::coord::{Coordinate as _, DncOnWafer, HicannOnDnc, HicannOnWafer};
use hal::defects::{Component, ComponentOnHicann};
use hal::l1::L1Line;

use super::facts::{BusFacts, Chip, Facts, Group};
use super::pen::{ALARM, BUSY, Colour, INK, Pen, Style, group_colour, grouped, percent};

const CHIP_WIDTH: f64 = 30.0;
const CHIP_HEIGHT: f64 = 60.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 118.0;
const WIDTH: f64 = 2.0 * LEFT + CHIP_WIDTH * HicannOnWafer::GRID_WIDTH as f64;
const BOTTOM: f64 = TOP + CHIP_HEIGHT * HicannOnWafer::GRID_HEIGHT as f64;
const LEGEND_TOP: f64 = BOTTOM + 44.0;
/// Letters of a population's name that fit into a sixth of the width.
const SHORT_LABEL: usize = 7;
const RETICLE: &str = "#4a515c";

/// What the chips are shaded by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shade {
    /// Their neurons, in the colours of the populations.
    Neurons,
    /// The share of working drivers that is in use.
    Drivers,
    /// The share of the synapses asked for that is lost.
    Losses,
}

/// The wafer with title and legend.
pub(super) fn wafer(facts: &Facts, shade: Shade) -> String {
    let mut pen = Pen::default();
    match shade {
        Shade::Neurons => pen.raw(&layers(facts, "")),
        Shade::Drivers | Shade::Losses => {
            outline(&mut pen);
            pen.raw(&tiles(facts, shade));
            frames(&mut pen);
            missing(&mut pen, facts);
        }
    }
    pen.text((LEFT, 46.0), 25.0, Style::START, &title(facts, shade));
    pen.text((LEFT, 78.0), 17.0, Style::START, &subtitle(facts));
    let height = match shade {
        Shade::Neurons => population_legend(&mut pen, facts),
        Shade::Drivers => {
            scale_legend(&mut pen, "of a chip's working drivers are in use", BUSY, 1.0)
        }
        Shade::Losses => {
            let most = largest_loss(facts);
            scale_legend(&mut pen, "of the synapses at a chip's neurons are lost", ALARM, most)
        }
    };
    pen.finish(WIDTH, height)
}

/// The wafer shaded by neurons without title and legend, in layers that can be switched; with other
/// tiles besides those of the neurons.
pub(super) fn layers(facts: &Facts, other_tiles: &str) -> String {
    let mut pen = Pen::default();
    outline(&mut pen);
    pen.raw("<g class=\"shade\" data-shade=\"neurons\">\n");
    pen.raw(&tiles(facts, Shade::Neurons));
    pen.raw("</g>\n");
    pen.raw(other_tiles);
    routes(&mut pen, facts);
    frames(&mut pen);
    pen.raw("<g class=\"defects\" pointer-events=\"none\">\n");
    missing(&mut pen, facts);
    dead_lines(&mut pen, facts);
    pen.raw("</g>\n");
    borders(&mut pen, facts);
    inputs(&mut pen, facts);
    labels(&mut pen, facts);
    pen.elements()
}

/// The chips with their numbers.
pub(super) fn tiles(facts: &Facts, shade: Shade) -> String {
    let mut pen = Pen::default();
    let most = facts.chips.values().iter().map(Chip::n_neurons).max().unwrap_or(0);
    let worst = largest_loss(facts);
    for (hicann, chip) in facts.chips.iter() {
        tile(&mut pen, hicann, chip, shade, most, worst);
    }
    numbers(&mut pen, facts, shade);
    pen.elements()
}

/// Left, top, width and height of the wafer in the picture.
pub(super) const VIEW_BOX: [f64; 4] = [0.0, TOP - 110.0, WIDTH, BOTTOM - TOP + 220.0];

pub(super) fn title(facts: &Facts, shade: Shade) -> String {
    match shade {
        Shade::Neurons => {
            let count = |source| {
                let groups = facts.groups.iter().filter(|g| g.is_source == source);
                grouped(groups.map(|g| g.members).sum())
            };
            let used = |c: &&Chip| c.n_neurons() + c.n_inputs() > 0;
            let chips = facts.chips.values().iter().filter(used).count();
            let (neurons, inputs) = (count(false), count(true));
            let inputs =
                if inputs == "0" { String::new() } else { format!(" and {inputs} inputs") };
            format!("{neurons} neurons{inputs} on {chips} of {} chips", HicannOnWafer::SIZE)
        }
        Shade::Drivers => {
            let usable: usize = facts.chips.values().iter().map(|c| c.usable_drivers).sum();
            let (drivers, usable) = (grouped(facts.drivers), grouped(usable));
            format!("{drivers} of {usable} working synapse drivers in use")
        }
        Shade::Losses => format!(
            "{} of {} synapses lost ({})",
            grouped(facts.lost()),
            grouped(facts.requested()),
            percent(facts.lost(), facts.requested())
        ),
    }
}

pub(super) fn subtitle(facts: &Facts) -> String {
    let (requested, lost) = (facts.requested(), facts.lost());
    format!(
        "{} of {} synapses realised ({} lost) over {} L1 buses",
        grouped(requested - lost),
        grouped(requested),
        percent(lost, requested),
        grouped(facts.buses.len())
    )
}

fn corner(hicann: HicannOnWafer) -> (f64, f64) {
    (LEFT + CHIP_WIDTH * hicann.x() as f64, TOP + CHIP_HEIGHT * hicann.y() as f64)
}

/// The wafer itself, a disc behind the chips.
fn outline(pen: &mut Pen) {
    let (cx, cy, r) = (WIDTH / 2.0, f64::midpoint(TOP, BOTTOM), WIDTH / 2.0 - 8.0);
    pen.raw(&format!(
        "<circle cx=\"{cx}\" cy=\"{cy}\" r=\"{r}\" fill=\"#f4f5f7\" stroke=\"#d5d9df\"/>\n"
    ));
}

fn largest_loss(facts: &Facts) -> f64 {
    facts.chips.values().iter().map(Chip::loss).fold(0.0, f64::max)
}

/// A chip: bands of its populations, or one colour.
fn tile(pen: &mut Pen, hicann: HicannOnWafer, chip: &Chip, shade: Shade, most: usize, worst: f64) {
    let (x, y) = corner(hicann);
    pen.raw(&format!("<g data-chip=\"{}\">\n", hicann.index()));
    pen.raw(&format!("<title>{}</title>\n", about(hicann, chip)));
    let whole = [x, y, CHIP_WIDTH, CHIP_HEIGHT];
    let fill = |colour: Colour| format!("fill=\"{colour}\"");
    match shade {
        Shade::Neurons => {
            pen.rect(whole, "fill=\"white\"");
            let all = chip.n_neurons();
            let share = all as f64 / most.max(1) as f64;
            let mut top = y;
            for (&group, &n) in &chip.neurons {
                let height = CHIP_HEIGHT * n as f64 / all as f64;
                let colour = group_colour(group).tint(0.12 + 0.5 * share);
                pen.rect([x, top, CHIP_WIDTH, height], &fill(colour));
                top += height;
            }
        }
        Shade::Drivers => {
            let share = chip.drivers as f64 / chip.usable_drivers.max(1) as f64;
            pen.rect(whole, &fill(BUSY.tint(share)));
        }
        Shade::Losses => {
            let tint = if chip.lost == 0 { 0.0 } else { 0.08 + 0.92 * chip.loss() / worst };
            pen.rect(whole, &fill(ALARM.tint(tint)));
        }
    }
    pen.raw("</g>\n");
}

fn about(hicann: HicannOnWafer, chip: &Chip) -> String {
    if !chip.usable {
        return format!("{hicann}: defective");
    }
    format!(
        "{hicann}: {} neurons, {} inputs, {} of {} drivers, {} of {} synapses lost, {} buses",
        chip.n_neurons(),
        chip.n_inputs(),
        chip.drivers,
        chip.usable_drivers,
        chip.lost,
        chip.requested,
        chip.hears.len()
    )
}

/// All lines, fainter the more there are, so that the chips stay visible.
fn routes(pen: &mut Pen, facts: &Facts) {
    let lines: usize = facts.buses.iter().map(|b| b.route.lines.len()).sum();
    let opacity = (12_000.0 / lines.max(1) as f64).clamp(0.28, 0.85);
    pen.raw(&format!(
        "<g class=\"routes\" fill=\"none\" stroke-width=\"0.36\" stroke-opacity=\"{opacity:.2}\">\n"
    ));
    for (i, bus) in facts.buses.iter().enumerate() {
        pen.raw(&route(i, bus, &facts.group_label(bus.group)));
    }
    pen.raw("</g>\n");
}

/// All lines of a route in one path.
fn route(number: usize, bus: &BusFacts, group: &str) -> String {
    let mut data = String::new();
    for line in &bus.route.lines {
        let (x, y) = corner(line.line.hicann);
        // writing to a string cannot fail
        let _ = match line.line.local {
            L1Line::H(h) => {
                let y = y + CHIP_HEIGHT * (h.index() as f64 + 0.5) / 64.0;
                write!(data, "M{x:.0} {y:.1}h{CHIP_WIDTH}")
            }
            L1Line::V(v) => {
                let x = x + CHIP_WIDTH * (v.index() as f64 + 0.5) / 256.0;
                write!(data, "M{x:.1} {y:.0}v{CHIP_HEIGHT}")
            }
        };
    }
    let colour = bus.group.map_or(Colour(120, 120, 120), group_colour);
    format!(
        "<path data-bus=\"{number}\" d=\"{data}\" stroke=\"{colour}\"><title>bus {}: {} of {}, {} \
         lines</title></path>\n",
        bus.bus,
        bus.members,
        super::pen::escape(group),
        bus.route.lines.len()
    )
}

/// Borders of chips, and darker ones of reticles.
fn frames(pen: &mut Pen) {
    pen.raw("<g class=\"frames\" fill=\"none\" pointer-events=\"none\">\n");
    for hicann in HicannOnWafer::all() {
        let (x, y) = corner(hicann);
        pen.rect([x, y, CHIP_WIDTH, CHIP_HEIGHT], "stroke=\"#d9dde3\" stroke-width=\"0.5\"");
    }
    for dnc in DncOnWafer::all() {
        let (x, y) = corner(dnc.hicann(HicannOnDnc::new::<0>()));
        let size = [x, y, 4.0 * CHIP_WIDTH, 2.0 * CHIP_HEIGHT];
        pen.rect(size, &format!("stroke=\"{RETICLE}\" stroke-width=\"0.9\""));
    }
    pen.raw("</g>\n");
}

/// Chips that do not work are hatched.
fn missing(pen: &mut Pen, facts: &Facts) {
    for (hicann, chip) in facts.chips.iter() {
        if !chip.usable {
            let (x, y) = corner(hicann);
            let mut hatch = String::new();
            // strokes of 45 degrees, cut off at the border
            let mut start = 6.0;
            while start < CHIP_WIDTH + CHIP_HEIGHT {
                let (x1, y1) = ((start - CHIP_HEIGHT).max(0.0), start.min(CHIP_HEIGHT));
                let (x2, y2) = (start.min(CHIP_WIDTH), (start - CHIP_WIDTH).max(0.0));
                // writing to a string cannot fail
                let _ = write!(hatch, "M{} {}L{} {}", x + x1, y + y1, x + x2, y + y2);
                start += 6.0;
            }
            let white = "fill=\"#f2f2f2\"";
            pen.rect([x, y, CHIP_WIDTH, CHIP_HEIGHT], white);
            pen.raw(&format!("<path d=\"{hatch}\" stroke=\"{ALARM}\" stroke-width=\"0.7\"/>\n"));
        }
    }
}

/// Lines that do not work are dashed.
fn dead_lines(pen: &mut Pen, facts: &Facts) {
    let mut lines = String::new();
    for component in facts.defects.iter() {
        let Component::OnHicann(hicann, local) = component else { continue };
        let (x, y) = corner(hicann);
        // writing to a string cannot fail
        let _ = match local {
            ComponentOnHicann::HLine(h) => {
                let y = y + CHIP_HEIGHT * (h.index() as f64 + 0.5) / 64.0;
                write!(lines, "M{x:.0} {y:.1}h{CHIP_WIDTH}")
            }
            ComponentOnHicann::VLine(v) => {
                let x = x + CHIP_WIDTH * (v.index() as f64 + 0.5) / 256.0;
                write!(lines, "M{x:.1} {y:.0}v{CHIP_HEIGHT}")
            }
            _ => Ok(()),
        };
    }
    pen.raw(&format!(
        "<path d=\"{lines}\" fill=\"none\" stroke=\"{ALARM}\" stroke-width=\"0.45\" \
         stroke-dasharray=\"2.4 1.6\" stroke-opacity=\"0.6\"/>\n"
    ));
}

/// Lines between neighbouring chips of different populations.
fn borders(pen: &mut Pen, facts: &Facts) {
    pen.raw(&format!(
        "<g class=\"borders\" stroke=\"{INK}\" stroke-width=\"2.2\" stroke-linecap=\"round\" \
         pointer-events=\"none\">\n"
    ));
    let group = |hicann: HicannOnWafer| facts.chips[hicann].main_group();
    for hicann in HicannOnWafer::all() {
        let (x, y) = corner(hicann);
        let here = group(hicann);
        let (right, bottom) = (x + CHIP_WIDTH, y + CHIP_HEIGHT);
        let sides = [
            (hicann.east(), true, (right, y), (right, bottom)),
            (hicann.south(), true, (x, bottom), (right, bottom)),
            // the rim
            (hicann.west(), false, (x, y), (x, bottom)),
            (hicann.north(), false, (x, y), (right, y)),
        ];
        for (neighbour, owned, from, to) in sides {
            if (owned || neighbour.is_none()) && neighbour.and_then(group) != here {
                pen.line(from, to, "");
            }
        }
    }
    pen.raw("</g>\n");
}

/// Numbers of the chips, or the share they are shaded by.
fn numbers(pen: &mut Pen, facts: &Facts, shade: Shade) {
    let worst = largest_loss(facts);
    pen.raw("<g class=\"numbers\" pointer-events=\"none\">\n");
    for (hicann, chip) in facts.chips.iter() {
        let (x, y) = corner(hicann);
        let number = hicann.index().to_string();
        pen.text((x + 2.5, y + CHIP_HEIGHT - 3.0), 7.0, Style::START.faint(), &number);
        let (share, value) = match shade {
            Shade::Drivers if chip.drivers > 0 => {
                (chip.drivers as f64 / chip.usable_drivers.max(1) as f64, chip.drivers.to_string())
            }
            Shade::Losses if chip.lost > 0 => (chip.loss() / worst, chip.lost.to_string()),
            _ => continue,
        };
        let colour = if share > 0.55 { "white" } else { INK };
        let style = Style { colour, anchor: "middle" };
        pen.text((x + CHIP_WIDTH / 2.0, y + CHIP_HEIGHT / 2.0 + 4.0), 11.0, style, &value);
    }
    pen.raw("</g>\n");
}

/// A triangle, on white so that it stands out from the lines.
fn triangle(pen: &mut Pen, x: f64, y: f64) {
    pen.raw(&format!(
        "<path d=\"M{x} {}L{} {}L{} {}z\" fill=\"{ALARM}\" stroke=\"white\" \
         stroke-width=\"1.6\" paint-order=\"stroke\"/>\n",
        y + 7.0,
        x - 6.5,
        y - 5.0,
        x + 6.5,
        y - 5.0
    ));
}

fn inputs(pen: &mut Pen, facts: &Facts) {
    pen.raw("<g class=\"inputs\" pointer-events=\"none\">\n");
    for (hicann, chip) in facts.chips.iter() {
        if chip.n_inputs() > 0 {
            let (x, y) = corner(hicann);
            triangle(pen, x + CHIP_WIDTH / 2.0, y + 12.0);
        }
    }
    pen.raw("</g>\n");
}

/// The name of each group in the middle of its largest patch of chips.
fn labels(pen: &mut Pen, facts: &Facts) {
    pen.raw(
        "<g class=\"labels\" font-weight=\"bold\" stroke=\"white\" stroke-width=\"4\" \
         paint-order=\"stroke\" stroke-linejoin=\"round\" pointer-events=\"none\">\n",
    );
    let size = if facts.groups.len() <= 12 { 20.0 } else { 13.0 };
    for (group, entry) in facts.groups.iter().enumerate() {
        let chips: Vec<(f64, f64)> = facts
            .chips
            .iter()
            .filter(|(_, chip)| chip.main_group() == Some(group))
            .map(|(hicann, _)| corner(hicann))
            .collect();
        let n = chips.len() as f64;
        let middle = chips.iter().fold((0.0, 0.0), |m, c| (m.0 + c.0 / n, m.1 + c.1 / n));
        let distance = |c: &&(f64, f64)| (c.0 - middle.0).hypot(c.1 - middle.1);
        let nearest = chips.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        if let Some(&(x, y)) = nearest {
            let at = (x + CHIP_WIDTH / 2.0, y + CHIP_HEIGHT / 2.0 + 7.0);
            pen.text(at, size, Style::MIDDLE, &entry.label);
        }
    }
    pen.raw("</g>\n");
}

/// The colours of the populations; tells the height of the picture.
fn population_legend(pen: &mut Pen, facts: &Facts) -> f64 {
    let fits = |group: &Group| group.label.chars().count() <= SHORT_LABEL;
    let columns = if facts.groups.iter().all(fits) { 6 } else { 4 };
    let column = (WIDTH - 2.0 * LEFT) / columns as f64;
    for (i, group) in facts.groups.iter().enumerate() {
        let x = LEFT + column * (i % columns) as f64;
        let y = LEGEND_TOP + 24.0 * (i / columns) as f64;
        let colour = group_colour(i);
        let frame = format!("fill=\"{}\" stroke=\"{colour}\"", colour.tint(0.6));
        pen.rect([x, y, 16.0, 13.0], &frame);
        let what = if group.is_source { "inputs" } else { "neurons" };
        let label = format!("{}: {} {what}", group.label, grouped(group.members));
        pen.text((x + 24.0, y + 11.5), 14.0, Style::START, &label);
    }
    let y = LEGEND_TOP + 24.0 * facts.groups.len().div_ceil(columns) as f64 + 8.0;
    let mut x = LEFT;
    let mut key = |pen: &mut Pen, label: &str, width: f64| {
        pen.text((x + 26.0, y + 11.5), 14.0, Style::START, label);
        x += width;
        x - width
    };
    let at = key(pen, "external inputs enter here", 245.0);
    triangle(pen, at + 8.0, y + 6.0);
    let at = key(pen, "reticle: eight chips, one FPGA", 265.0);
    pen.rect([at, y, 16.0, 13.0], &format!("fill=\"none\" stroke=\"{RETICLE}\""));
    let at = key(pen, "border of a population", 215.0);
    pen.rect([at, y, 16.0, 13.0], &format!("fill=\"none\" stroke=\"{INK}\" stroke-width=\"2.2\""));
    let at = key(pen, "thin lines: L1 routes, in the colour of their senders", 0.0);
    pen.line((at, y + 7.0), (at + 18.0, y + 7.0), &format!("stroke=\"{BUSY}\""));
    if facts.defects.iter().next().is_none() {
        return y + 34.0;
    }
    let y = y + 24.0;
    let dashed = format!("stroke=\"{ALARM}\" stroke-dasharray=\"2.4 1.6\"");
    pen.line((LEFT, y + 7.0), (LEFT + 18.0, y + 7.0), &dashed);
    let what = "defective lines; chips that are defective as a whole are hatched";
    pen.text((LEFT + 26.0, y + 11.5), 14.0, Style::START, what);
    y + 34.0
}

/// A scale from 0 to the largest share; tells the height of the picture.
fn scale_legend(pen: &mut Pen, what: &str, colour: Colour, most: f64) -> f64 {
    let steps = 40;
    for i in 0..steps {
        let share = f64::from(i) / f64::from(steps - 1);
        let x = LEFT + 5.0 * f64::from(i);
        pen.rect([x, LEGEND_TOP, 5.2, 14.0], &format!("fill=\"{}\"", colour.tint(share)));
    }
    let end = LEFT + 5.0 * f64::from(steps);
    let label = LEGEND_TOP + 30.0;
    pen.text((LEFT, label), 12.0, Style::START.faint(), "0 %");
    let most = format!("{:.3} %", 100.0 * most);
    let most = most.replace("100.000", "100");
    pen.text((end, label), 12.0, Style::END.faint(), &most);
    pen.text((end + 14.0, LEGEND_TOP + 12.0), 15.0, Style::START, what);
    LEGEND_TOP + 48.0
}

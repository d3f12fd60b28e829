//! The picture of a mapping: 384 chips shaded by use, and the routes between them.
//!
//! Chips have their true proportions (5 x 10 mm), lines their true places on the chip, so that
//! trunks and ribs of the broadcast can be seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hal::coord::{Coordinate as _, DncOnWafer, HicannOnDnc, HicannOnWafer};
use hal::l1::L1Line;
use svg::Document;
use svg::node::element::{Circle, Text, Title};
use svg::node::element::{Definitions, Group, LinearGradient, Path, Polygon, Rectangle, Stop};

use crate::mapping::{Mapping, Route, SynapseFate};
use crate::network::Network;

const CHIP_WIDTH: f64 = 30.0;
const CHIP_HEIGHT: f64 = 60.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 118.0;
const WIDTH: f64 = 2.0 * LEFT + CHIP_WIDTH * HicannOnWafer::GRID_WIDTH as f64;
const WAFER_HEIGHT: f64 = CHIP_HEIGHT * HicannOnWafer::GRID_HEIGHT as f64;
const LEGEND_TOP: f64 = TOP + WAFER_HEIGHT + 44.0;
const HEIGHT: f64 = LEGEND_TOP + 58.0;
const FONT: &str = "DejaVu Sans, sans-serif";
const INK: &str = "#282c34";
const FAINT: &str = "#8a919c";
const RETICLE: &str = "#4a515c";

/// What a chip is used for.
#[derive(Debug, Clone, Copy, Default)]
struct Use {
    neurons: usize,
    inputs: usize,
    drivers: usize,
}

/// Draws the wafer.
pub fn wafer_svg(network: &Network, mapping: &Mapping) -> String {
    let uses = uses(network, mapping);
    let most = uses.values().map(|u| u.neurons).max().unwrap_or(0);
    let mut drawing = Document::new()
        .set("viewBox", (0, 0, WIDTH, HEIGHT))
        .set("width", WIDTH)
        .set("height", HEIGHT)
        .set("font-family", FONT)
        .add(Rectangle::new().set("width", WIDTH).set("height", HEIGHT).set("fill", "white"))
        .add(gradient())
        .add(outline());
    for hicann in HicannOnWafer::all() {
        drawing = drawing.add(chip(hicann, uses.get(&hicann).copied().unwrap_or_default(), most));
    }
    let mut routes = Group::new().set("fill", "none").set("stroke-width", 0.36);
    for (i, route) in mapping.routes.iter().enumerate() {
        let inputs = uses.get(&route.bus.hicann).is_some_and(|u| u.inputs > 0);
        routes = routes.add(lines(route, &colour(i, inputs)));
    }
    drawing = drawing.add(routes).add(borders()).add(numbers());
    for (&hicann, usage) in &uses {
        if usage.inputs > 0 {
            drawing = drawing.add(input_mark(hicann));
        }
    }
    let (title, subtitle) = titles(network, mapping, &uses);
    drawing
        .add(text(LEFT, 46.0, 25, INK, &title))
        .add(text(LEFT, 78.0, 17, INK, &subtitle))
        .add(legend(&uses, most, mapping))
        .to_string()
}

fn uses(network: &Network, mapping: &Mapping) -> BTreeMap<HicannOnWafer, Use> {
    let mut uses: BTreeMap<HicannOnWafer, Use> = BTreeMap::new();
    let offsets = network.member_offsets();
    for ((_, population), offset) in network.populations().zip(offsets) {
        for address in
            mapping.placement.addresses[offset..offset + population.size].iter().flatten()
        {
            let usage = uses.entry(address.bus.hicann).or_default();
            if population.is_source() {
                usage.inputs += 1;
            } else {
                usage.neurons += 1;
            }
        }
    }
    for chain in &mapping.chains {
        uses.entry(chain.hicann).or_default().drivers += chain.members.len();
    }
    uses
}

fn corner(hicann: HicannOnWafer) -> (f64, f64) {
    (LEFT + CHIP_WIDTH * hicann.x() as f64, TOP + CHIP_HEIGHT * hicann.y() as f64)
}

/// The wafer itself, a disc behind the chips.
fn outline() -> Circle {
    Circle::new()
        .set("cx", WIDTH / 2.0)
        .set("cy", TOP + WAFER_HEIGHT / 2.0)
        .set("r", WIDTH / 2.0 - 8.0)
        .set("fill", "#f4f5f7")
        .set("stroke", "#d5d9df")
}

/// Darker with more neurons.
fn shade(neurons: usize, most: usize) -> String {
    let share = if most == 0 { 0.0 } else { neurons as f64 / most as f64 };
    let mix = |from: f64, to: f64| (from + share * (to - from)).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mix(255.0, 170.0), mix(255.0, 180.0), mix(255.0, 196.0))
}

fn chip(hicann: HicannOnWafer, usage: Use, most: usize) -> Group {
    let (x, y) = corner(hicann);
    let about = format!(
        "{hicann}: {} neurons, {} inputs, {} drivers",
        usage.neurons, usage.inputs, usage.drivers
    );
    let tile = Rectangle::new()
        .set("x", x)
        .set("y", y)
        .set("width", CHIP_WIDTH)
        .set("height", CHIP_HEIGHT)
        .set("fill", shade(usage.neurons, most));
    Group::new().add(Title::new(about)).add(tile)
}

/// Blue and green for buses of neurons, ochre and red for buses of inputs.
fn colour(bus: usize, inputs: bool) -> String {
    // steps of the golden ratio keep neighbours apart
    let place = (bus as f64 * 0.618_034).fract();
    let (from, to) = if inputs { (5.0, 48.0) } else { (165.0, 265.0) };
    let lightness = 34.0 + 22.0 * (bus as f64 * 0.414_214).fract();
    rgb(from + place * (to - from), 0.62, lightness / 100.0)
}

/// Hue in degrees, saturation and lightness 0..=1; not every program that shows SVG knows `hsl()`.
fn rgb(hue: f64, saturation: f64, lightness: f64) -> String {
    let a = saturation * lightness.min(1.0 - lightness);
    let channel = |n: f64| {
        let k = (n + hue / 30.0) % 12.0;
        ((lightness - a * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)) * 255.0).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", channel(0.0), channel(8.0), channel(4.0))
}

/// All lines of a route in one path.
fn lines(route: &Route, colour: &str) -> Group {
    let mut data = String::new();
    for line in &route.lines {
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
    let about = format!("bus {}: {} lines", route.bus, route.lines.len());
    Group::new()
        .add(Title::new(about))
        .add(Path::new().set("d", data).set("stroke", colour).set("stroke-opacity", 0.8))
}

/// Borders of chips, and darker ones of reticles.
fn borders() -> Group {
    let frame = |hicann, width: f64, height: f64| {
        let (x, y) = corner(hicann);
        Rectangle::new().set("x", x).set("y", y).set("width", width).set("height", height)
    };
    let mut group = Group::new().set("fill", "none");
    for hicann in HicannOnWafer::all() {
        let chip = frame(hicann, CHIP_WIDTH, CHIP_HEIGHT);
        group = group.add(chip.set("stroke", "#d9dde3").set("stroke-width", 0.6));
    }
    for dnc in DncOnWafer::all() {
        let first = dnc.hicann(HicannOnDnc::new::<0>());
        let reticle = frame(first, 4.0 * CHIP_WIDTH, 2.0 * CHIP_HEIGHT);
        group = group.add(reticle.set("stroke", RETICLE).set("stroke-width", 1.4));
    }
    group
}

fn numbers() -> Group {
    let mut group = Group::new();
    for hicann in HicannOnWafer::all() {
        let (x, y) = corner(hicann);
        let number = hicann.index().to_string();
        group = group.add(text(x + 3.0, y + CHIP_HEIGHT - 3.5, 8, "#59606b", &number));
    }
    group
}

/// A triangle, on white so that it stands out from the lines.
fn triangle(x: f64, y: f64) -> Polygon {
    let points = format!("{x},{} {},{} {},{}", y + 7.0, x - 6.5, y - 5.0, x + 6.5, y - 5.0);
    Polygon::new()
        .set("points", points)
        .set("fill", "#b0243c")
        .set("stroke", "white")
        .set("stroke-width", 1.6)
        .set("paint-order", "stroke")
}

fn input_mark(hicann: HicannOnWafer) -> Polygon {
    let (x, y) = corner(hicann);
    triangle(x + CHIP_WIDTH / 2.0, y + CHIP_HEIGHT / 2.0)
}

fn text(x: f64, y: f64, size: u32, colour: &str, content: &str) -> Text {
    Text::new(content).set("x", x).set("y", y).set("font-size", size).set("fill", colour)
}

/// A number with commas between thousands.
fn grouped(number: usize) -> String {
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

fn titles(
    network: &Network,
    mapping: &Mapping,
    uses: &BTreeMap<HicannOnWafer, Use>,
) -> (String, String) {
    let neurons: usize = uses.values().map(|u| u.neurons).sum();
    let inputs: usize = uses.values().map(|u| u.inputs).sum();
    let requested = network.n_synapses();
    let realised = mapping
        .synapses
        .iter()
        .flatten()
        .filter(|f| matches!(f, SynapseFate::Realised { .. }))
        .count();
    let lost = 100.0 * (requested - realised) as f64 / requested.max(1) as f64;
    (
        format!(
            "{} neurons and {} inputs on {} of {} chips",
            grouped(neurons),
            grouped(inputs),
            uses.values().filter(|u| u.neurons + u.inputs > 0).count(),
            HicannOnWafer::SIZE
        ),
        format!(
            "{} of {} synapses realised ({lost:.3} % lost) over {} L1 buses",
            grouped(realised),
            grouped(requested),
            mapping.routes.len()
        ),
    )
}

fn gradient() -> Definitions {
    let stop = |offset, colour| Stop::new().set("offset", offset).set("stop-color", colour);
    Definitions::new().add(
        LinearGradient::new()
            .set("id", "neurons")
            .add(stop("0%", shade(0, 1)))
            .add(stop("100%", shade(1, 1))),
    )
}

fn legend(uses: &BTreeMap<HicannOnWafer, Use>, most: usize, mapping: &Mapping) -> Group {
    let y = LEGEND_TOP;
    let least = uses.values().map(|u| u.neurons).filter(|&n| n > 0).min().unwrap_or(0);
    let is_input = |route: &&Route| uses.get(&route.bus.hicann).is_some_and(|u| u.inputs > 0);
    let of_inputs = mapping.routes.iter().filter(is_input).count();
    let of_neurons = mapping.routes.len() - of_inputs;
    let range = if least == most {
        format!("{most} neurons on each chip in use")
    } else {
        format!("{least} to {most} neurons per chip in use")
    };
    let bar = Rectangle::new()
        .set("x", LEFT)
        .set("y", y)
        .set("width", 90)
        .set("height", 14)
        .set("fill", "url(#neurons)")
        .set("stroke", FAINT)
        .set("stroke-width", 0.6);
    let mut group = Group::new()
        .add(bar)
        .add(text(LEFT, y + 30.0, 12, FAINT, "0"))
        .add(text(LEFT + 90.0, y + 30.0, 12, FAINT, &most.to_string()).set("text-anchor", "end"))
        .add(text(LEFT + 102.0, y + 12.0, 15, INK, &range))
        .add(triangle(LEFT + 410.0, y + 6.0))
        .add(text(LEFT + 426.0, y + 12.0, 15, INK, "external inputs enter here"));
    let reticle = Rectangle::new()
        .set("x", LEFT + 402.0)
        .set("y", y + 25.0)
        .set("width", 16)
        .set("height", 12)
        .set("fill", "none")
        .set("stroke", RETICLE);
    group = group.add(reticle).add(text(
        LEFT + 426.0,
        y + 36.0,
        15,
        INK,
        "reticle: eight chips, one FPGA",
    ));
    for (row, count, what, inputs) in
        [(0.0, of_neurons, "neurons", false), (24.0, of_inputs, "inputs", true)]
    {
        for i in 0..6 {
            let dash = Rectangle::new()
                .set("x", LEFT + 706.0 + 8.0 * f64::from(i))
                .set("y", y + row + 4.0)
                .set("width", 7)
                .set("height", 4)
                .set("fill", colour(i as usize, inputs));
            group = group.add(dash);
        }
        let label = format!("L1 lines of {count} buses of {what}");
        group = group.add(text(LEFT + 766.0, y + row + 12.0, 15, INK, &label));
    }
    group
}

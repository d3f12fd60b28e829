//! All pictures on one page that needs nothing else: zoom, hover, layers, details of a chip.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::facts::Facts;
use super::pen::{escape, group_colour};
use super::wafer::{Shade, VIEW_BOX, layers, tiles};
use super::{charts, matrix};

const PAGE: &str = include_str!("../../assets/picture.html");

/// The page.
pub fn html(facts: &Facts) -> String {
    let lines = super::summary(facts);
    let rows: Vec<String> = lines
        .iter()
        .map(|(name, value)| {
            format!("<tr><td>{}</td><td>{}</td></tr>", escape(name), escape(value))
        })
        .collect();
    let hidden = |shade, name| {
        let tiles = tiles(facts, shade);
        format!("<g class=\"shade\" data-shade=\"{name}\" style=\"display:none\">{tiles}</g>")
    };
    let other_shades = hidden(Shade::Drivers, "drivers") + &hidden(Shade::Losses, "losses");
    // the embedded data must not end the script
    let data = data(facts).to_string().replace("</", "<\\/");
    let parts = [
        ("title", escape(&super::wafer::title(facts, Shade::Neurons))),
        ("subtitle", escape(&super::wafer::subtitle(facts))),
        ("view_box", VIEW_BOX.map(|n| n.to_string()).join(" ")),
        ("wafer", layers(facts, &other_shades)),
        ("summary", rows.concat()),
        ("causes", charts::causes(facts)),
        ("matrix", matrix::matrix(facts)),
        ("delays", charts::delays(facts)),
        ("data", data),
    ];
    fill(PAGE, &parts.into())
}

/// Replaces `{{name}}`; what is put in is not looked at again.
fn fill(template: &str, parts: &BTreeMap<&str, String>) -> String {
    let mut page = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let (name, behind) = after.split_once("}}").unwrap_or((after, ""));
        page.push_str(parts.get(name).map_or("", String::as_str));
        rest = behind;
    }
    page + rest
}

fn data(facts: &Facts) -> Value {
    let groups: Vec<Value> = facts
        .groups
        .iter()
        .enumerate()
        .map(|(i, group)| {
            json!({
                "label": group.label, "members": group.members, "source": group.is_source,
                "colour": group_colour(i).to_string(),
            })
        })
        .collect();
    let counts = |of: &BTreeMap<usize, usize>| -> Vec<[usize; 2]> {
        of.iter().map(|(group, n)| [*group, *n]).collect()
    };
    let chips: Vec<Value> = facts
        .chips
        .values()
        .iter()
        .map(|chip| {
            json!({
                "neurons": counts(&chip.neurons), "inputs": counts(&chip.inputs),
                "drivers": chip.drivers, "usable_drivers": chip.usable_drivers,
                "usable": chip.usable, "requested": chip.requested, "lost": chip.lost,
                "hears": chip.hears,
            })
        })
        .collect();
    let buses: Vec<Value> = facts
        .buses
        .iter()
        .map(|bus| {
            let group = facts.group_label(bus.group);
            let lines = bus.route.lines.len();
            json!({
                "name": bus.bus.to_string(), "chip": bus.bus.hicann.index(),
                "about": format!("{}: {} of {group}, {lines} lines", bus.bus, bus.members),
            })
        })
        .collect();
    json!({ "groups": groups, "chips": chips, "buses": buses })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_once() {
        let parts = [("a", "{{b}}".to_owned()), ("b", "2".to_owned())].into();
        assert_eq!(fill("x{{a}}y{{b}}z{{c}}", &parts), "x{{b}}y2z");
    }
}

//! Pictures of a mapping: the wafer with its populations, routes and defects, the use of drivers,
//! losses by cause and by pair of populations, delays; as SVG, and all of them on one page of HTML
//! (mapping §9).

mod charts;
mod facts;
mod html;
mod matrix;
mod pen;
mod wafer;

use std::str::FromStr;

use thiserror::Error;

use pen::{grouped, percent};

pub use facts::Facts;
pub use html::html;

/// A picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Chips shaded by neurons, borders of populations, routes, defects.
    #[default]
    Wafer,
    /// Chips shaded by the share of their drivers that is in use.
    Drivers,
    /// Chips shaded by the share of their synapses that is lost.
    Losses,
    /// Lost synapses by cause.
    Causes,
    /// Lost synapses by presynaptic and postsynaptic population.
    Matrix,
    /// Synapses by the delay of their routes.
    Delays,
}

/// There is no such view.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown view `{0}`; views are wafer, drivers, losses, causes, matrix, delays")]
pub struct UnknownView(String);

impl FromStr for View {
    type Err = UnknownView;
    fn from_str(text: &str) -> Result<Self, UnknownView> {
        Ok(match text {
            "wafer" => Self::Wafer,
            "drivers" => Self::Drivers,
            "losses" => Self::Losses,
            "causes" => Self::Causes,
            "matrix" => Self::Matrix,
            "delays" => Self::Delays,
            _ => return Err(UnknownView(text.to_owned())),
        })
    }
}

/// Draws a picture as SVG.
pub fn svg(facts: &Facts, view: View) -> String {
    match view {
        View::Wafer => wafer::wafer(facts, wafer::Shade::Neurons),
        View::Drivers => wafer::wafer(facts, wafer::Shade::Drivers),
        View::Losses => wafer::wafer(facts, wafer::Shade::Losses),
        View::Causes => charts::causes(facts),
        View::Matrix => matrix::matrix(facts),
        View::Delays => charts::delays(facts),
    }
}

/// The mapping on one screen: names and values.
pub fn summary(facts: &Facts) -> Vec<(&'static str, String)> {
    let (requested, lost) = (facts.requested(), facts.lost());
    let chips = facts.chips.values();
    let count = |of: fn(&facts::Chip) -> bool| chips.iter().filter(|c| of(c)).count();
    let busiest = chips.iter().map(|c| c.drivers).max().unwrap_or(0);
    let longest = facts.buses.iter().map(|b| b.route.lines.len()).max().unwrap_or(0);
    let causes: Vec<String> = facts
        .causes
        .iter()
        .map(|(cause, n)| format!("{} {}", cause.replace('_', " "), grouped(*n)))
        .collect();
    let delays = facts.delays.keys().next().zip(facts.delays.keys().next_back());
    let delays = delays.map_or("none".to_owned(), |(first, last)| {
        format!("{:.2} to {:.2} ms", facts.delay_ms(*first), facts.delay_ms(*last))
    });
    let percents = |share: f64| format!("{:.4} %", 100.0 * share);
    let defects = facts.defects.iter().count();
    vec![
        ("synapses asked for", grouped(requested)),
        ("synapses realised", grouped(requested - lost)),
        ("synapses lost", format!("{} ({})", grouped(lost), percent(lost, requested))),
        ("causes", if causes.is_empty() { "none".to_owned() } else { causes.join(", ") }),
        ("bound for the chosen sizes", percents(facts.bound_loss_fraction)),
        ("without limits of L1 and switches", percents(facts.ideal_l1_loss_fraction)),
        ("chips with neurons", count(|c| c.n_neurons() > 0).to_string()),
        ("chips with inputs", count(|c| c.n_inputs() > 0).to_string()),
        ("L1 buses", grouped(facts.buses.len())),
        ("lines of the longest route", longest.to_string()),
        ("synapse drivers", grouped(facts.drivers)),
        ("drivers of the busiest chip", busiest.to_string()),
        ("delays of routes", delays),
        ("components known to be defective", grouped(defects)),
    ]
}

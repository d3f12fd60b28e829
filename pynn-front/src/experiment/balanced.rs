//! The balanced random network for a given time (analog §7.1).

use marocco::network::Network;

use super::variation::{Spread, VARIATION};
use super::{NEURON_SIZE, Protocol, Readout, SIMULATION_TIME, protocol};
use crate::model::ModelError;
use crate::networks::{ETA, G, NETWORK_SEED, SCALE, balanced};
use crate::parameter::{Domain, Parameter, Parameters, Value};

/// What can be set.
pub(super) const PARAMETERS: &[Parameter] =
    &[G, ETA, SIMULATION_TIME, NEURON_SIZE, SCALE, NETWORK_SEED, VARIATION, READOUT];

const READOUT: Parameter = Parameter {
    name: "readout",
    default: Value::Auto,
    domain: Domain::AutoOr(&["all", "isolated"]),
    unit: "",
    meaning: "neurons read out: all, or 30 isolated on chips of their own; auto is all for a single \
              point, and in a sweep isolated where g <= 4.05, where links of chips would overflow",
};

/// Neurons that are isolated, of both populations in proportion to their sizes: 30 as published
/// (analog §7.1).
const ISOLATED: [(&str, usize); 2] = [("exc", 24), ("inh", 6)];
/// Excitatory over inhibitory synapses of a neuron from the network, 166 / 41: with a larger g
/// inhibition outweighs excitation, and rates are such that the links carry the spikes of all.
const BALANCE: f64 = 4.05;

/// Draws the network.
pub(super) fn build(parameters: &Parameters) -> Result<Protocol, ModelError> {
    let drawn = balanced(parameters)?;
    let readout = if parameters.is("readout", "isolated") {
        isolated(drawn.model.network())
    } else {
        Readout::All
    };
    protocol(drawn, parameters, &Spread::BALANCED, readout)
}

fn isolated(network: &Network) -> Readout {
    let chosen = |(id, population): (_, &marocco::network::Population)| {
        let (_, n) = ISOLATED.iter().find(|(label, _)| *label == population.label)?;
        Some((id, population.size.min(*n)))
    };
    Readout::Isolated(network.populations().filter_map(chosen).collect())
}

/// Decides what a sweep reads out at a point that leaves it open.
pub(super) fn choose_readout(parameters: &mut Parameters) {
    if parameters.values().get("readout") == Some(&Value::Auto) {
        let word = if parameters.real("g") > BALANCE { "all" } else { "isolated" };
        parameters.put("readout", Value::Word(word));
    }
}

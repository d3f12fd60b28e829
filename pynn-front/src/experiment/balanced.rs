//! The balanced random network for a given time (analog §7.1).

use marocco::{NeuronSize, NeuronSizeChoice};

use super::Protocol;
use crate::model::ModelError;
use crate::networks::{Drawn, ETA, G, NETWORK_SEED, SCALE, balanced};
use crate::parameter::{Domain, Parameter, Parameters, Value};

/// What can be set.
pub(super) const PARAMETERS: &[Parameter] = &[
    G,
    ETA,
    Parameter {
        name: "simulation_time",
        default: Value::Real(10_000.0),
        domain: Domain::Real(1.0, 1_000_000.0),
        unit: "ms",
        meaning: "biological time",
    },
    Parameter {
        name: "neuron_size",
        default: Value::Auto,
        domain: Domain::AutoOrEven(2, 64),
        unit: "circuits",
        meaning: "circuits per neuron",
    },
    SCALE,
    NETWORK_SEED,
];

/// Draws the network.
pub(super) fn build(parameters: &Parameters) -> Result<Protocol, ModelError> {
    let Drawn { model, scaling, mode, .. } = balanced(parameters)?;
    Ok(Protocol {
        model,
        duration_ms: parameters.real("simulation_time"),
        scaling,
        mode,
        neuron_size: parameters
            .whole("neuron_size")
            .and_then(|n| NeuronSize::try_from(n as usize).ok())
            .map_or(NeuronSizeChoice::Auto, NeuronSizeChoice::Fixed),
    })
}

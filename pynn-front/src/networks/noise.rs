//! Pfeil's network of neurons that give each other noise (mapping §5).

use marocco::network::{Receptor, Synapse};

use super::original::FixedNumber;
use super::{Drawn, FOUR_AND_AUTO, PLAIN_WEIGHTS_US, Recipe, adaptive, plain};
use crate::model::{Model, ModelError};
use crate::parameter::{Domain, Parameter, Parameters, Value};

pub(super) const RECIPE: Recipe = Recipe {
    name: "pfeilsNoise",
    summary: "one population, each neuron with 20 different others as sources (mapping §5)",
    parameters: &[Parameter {
        name: "n",
        default: Value::Whole(500),
        domain: Domain::Whole(1, 20_000),
        unit: "",
        meaning: "number of neurons",
    }],
    benchmark: &["n=10", "n=100", "n=200", "n=500", "n=750", "n=1000", "n=1250"],
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: network,
};

/// Sources of each neuron.
const SOURCES: usize = 20;

/// Described as inhibitory, but excitatory in the original's code, which is followed.
fn network(parameters: &Parameters) -> Result<Drawn, ModelError> {
    let n = parameters.whole("n").unwrap_or_default();
    let weight_us = PLAIN_WEIGHTS_US[Receptor::Excitatory.index()];
    let mut random = FixedNumber::new(n);
    let synapses = (0..n)
        .flat_map(|post| {
            let sources = random.draw(SOURCES, Some(post));
            sources.into_iter().map(move |pre| Synapse { pre, post, weight_us })
        })
        .collect();
    let mut model = Model::default();
    let neurons = model.population("neurons", n as usize, adaptive())?;
    model.project_list("neurons->neurons", neurons, neurons, Receptor::Excitatory, synapses)?;
    Ok(plain(model))
}

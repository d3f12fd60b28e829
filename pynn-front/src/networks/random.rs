//! Random networks of one population, in which a tenth or three tenths of all pairs are connected
//! (mapping §5).

use marocco::network::{Receptor, Synapse};

use super::{Drawn, FOUR_AND_AUTO, PLAIN_WEIGHTS_US, Recipe, adaptive, original, plain};
use crate::model::{Model, ModelError};
use crate::parameter::{Domain, Parameter, Parameters, Value};

const BENCHMARK: &[&str] = &["n=100", "n=200", "n=400", "n=800", "n=1600", "n=3200"];

/// Seed of the original.
const SEED: u32 = 42;

const PARAMETERS: &[Parameter] = &[Parameter {
    name: "n",
    default: Value::Whole(800),
    domain: Domain::Whole(1, 10_000),
    unit: "",
    meaning: "number of neurons",
}];

/// One pair in ten.
pub(super) const RANDOM10: Recipe = Recipe {
    name: "random10",
    summary: "one excitatory population, each pair connected with probability 0.1 (mapping §5)",
    parameters: PARAMETERS,
    benchmark: BENCHMARK,
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: |parameters| network(parameters, 0.1),
};

/// Three pairs in ten.
pub(super) const RANDOM30: Recipe = Recipe {
    name: "random30",
    summary: "one excitatory population, each pair connected with probability 0.3 (mapping §5)",
    parameters: PARAMETERS,
    benchmark: BENCHMARK,
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: |parameters| network(parameters, 0.3),
};

fn network(parameters: &Parameters, p: f64) -> Result<Drawn, ModelError> {
    let n = parameters.whole("n").unwrap_or_default();
    let weight_us = PLAIN_WEIGHTS_US[Receptor::Excitatory.index()];
    let synapses = original::fixed_probability(n, p, SEED)
        .into_iter()
        .map(|(pre, post)| Synapse { pre, post, weight_us })
        .collect();
    let mut model = Model::default();
    let neurons = model.population("neurons", n as usize, adaptive())?;
    model.project_list("neurons->neurons", neurons, neurons, Receptor::Excitatory, synapses)?;
    Ok(plain(model))
}

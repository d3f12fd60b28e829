//! A network that fills the wafer: neurons on a ring, each with sources among its nearest.

use marocco::network::{Receptor, Synapse};
use marocco::{NeuronSize, NeuronSizeChoice};

use super::{Drawn, Recipe, integrating, plain};
use crate::model::{CellType, Model, ModelError};
use crate::parameter::{Domain, Parameter, Parameters, Value};
use crate::random::NumpyRandom;

pub(super) const RECIPE: Recipe = Recipe {
    name: "full-wafer",
    summary: "22,528 neurons on a ring, each with 500 different sources among its 2,048 nearest; or \
              some eighths of them",
    parameters: &[EIGHTHS, RING_SEED],
    benchmark: &["eighths=1", "eighths=2", "eighths=4", "eighths=8"],
    benchmark_neuron_sizes: &["8"],
    draw: network,
};

pub(crate) const EIGHTHS: Parameter = Parameter {
    name: "eighths",
    default: Value::Whole(8),
    domain: Domain::Whole(1, 8),
    unit: "",
    meaning: "eighths of the 22,528 neurons",
};

pub(crate) const RING_SEED: Parameter = Parameter {
    name: "network_seed",
    default: Value::Whole(1),
    domain: Domain::Whole(0, u32::MAX),
    unit: "",
    meaning: "seed of the connections",
};

const NEURONS: u32 = 22_528;
const SOURCES: usize = 500;
/// Neurons on each side that a neuron may hear.
const REACH: u32 = 1024;
const WEIGHT_US: f32 = 0.002;

fn network(parameters: &Parameters) -> Result<Drawn, ModelError> {
    ring(parameters, integrating(), Receptor::Excitatory)
}

/// The ring of some neurons with synapses of one kind.
pub(crate) fn ring(
    parameters: &Parameters,
    cell: CellType,
    receptor: Receptor,
) -> Result<Drawn, ModelError> {
    let n = NEURONS / 8 * parameters.whole("eighths").unwrap_or_default();
    let mut random = NumpyRandom::new(parameters.whole("network_seed").unwrap_or_default());
    // distances along the ring; the first ones are shuffled anew for each neuron
    let mut distances: Vec<u32> = (1..=REACH).chain(n - REACH..n).collect();
    let mut synapses = Vec::with_capacity(n as usize * SOURCES);
    for post in 0..n {
        for i in 0..SOURCES {
            let other = i + random.below((distances.len() - i) as u32) as usize;
            distances.swap(i, other);
            synapses.push(Synapse { pre: (post + distances[i]) % n, post, weight_us: WEIGHT_US });
        }
    }
    let mut model = Model::default();
    let ring = model.population("ring", n as usize, cell)?;
    model.project_list("ring->ring", ring, ring, receptor, synapses)?;
    let size = NeuronSize::try_from(8).expect("eight is even");
    Ok(Drawn { neuron_size: NeuronSizeChoice::Fixed(size), ..plain(model) })
}

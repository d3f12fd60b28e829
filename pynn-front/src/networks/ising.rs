//! The Ising lattice: spins on a square, coupled to their neighbours, kept random by a population of
//! noise and held at rest by a bias (mapping §5).
//!
//! As in the original every spin is a population of its own and every bond a projection: a test of
//! how mappers take large graphs.

use marocco::network::{PopulationId, Receptor, Synapse};

use super::original::FixedNumber;
use super::{Drawn, FOUR_AND_AUTO, Recipe, integrating, plain};
use crate::model::{Model, ModelError};
use crate::parameter::{Domain, Parameter, Parameters, Value};

pub(super) const RECIPE: Recipe = Recipe {
    name: "ising2d",
    summary: "square lattice of spins with their neighbours, 500 neurons of noise and one bias \
              (mapping §5)",
    parameters: &[Parameter {
        name: "l",
        default: Value::Whole(40),
        domain: Domain::Whole(3, 200),
        unit: "",
        meaning: "length of the square in spins",
    }],
    benchmark: &[
        "l=20", "l=40", "l=60", "l=70", "l=72", "l=74", "l=76", "l=78", "l=80", "l=100", "l=120",
        "l=140", "l=150", "l=160",
    ],
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: network,
};

/// Neurons of the noise.
const NOISE: u32 = 500;
/// Sources of a neuron of the noise among its own.
const NOISE_SOURCES: usize = 30;
/// Sources of a spin in the noise, for each of its inputs.
const SPIN_SOURCES: usize = 5;
/// Excitatory and inhibitory conductance in uS.
const WEIGHTS_US: [f32; 2] = [0.002, 0.01];

fn network(parameters: &Parameters) -> Result<Drawn, ModelError> {
    let l = parameters.whole("l").unwrap_or_default();
    let spins = l * l;
    let cell = integrating();
    let mut model = Model::default();
    let ids = (0..spins)
        .map(|spin| model.population(&spin_label(spin), 1, cell))
        .collect::<Result<Vec<PopulationId>, _>>()?;
    let noise = model.population("noise", NOISE as usize, cell)?;
    let bias = model.population("bias", 1, cell)?;
    let mut join = |pre: PopulationId, post: PopulationId, label: String, receptor, sources| {
        let weight_us = WEIGHTS_US[Receptor::index(receptor)];
        let synapse = |pre| Synapse { pre, post: 0, weight_us };
        let synapses = Vec::into_iter(sources).map(synapse).collect();
        model.project_list(&label, pre, post, receptor, synapses)
    };

    for spin in 0..spins {
        let (row, column) = (spin - spin % l, spin % l);
        for neighbour in [
            row + (column + 1) % l,
            row + (column + l - 1) % l,
            (spin + l) % spins,
            (spin + spins - l) % spins,
        ] {
            let label = format!("{}->{}", spin_label(spin), spin_label(neighbour));
            let ends = (ids[spin as usize], ids[neighbour as usize]);
            join(ends.0, ends.1, label, Receptor::Excitatory, vec![0])?;
        }
    }
    // two streams that are seeded alike: both inputs of a spin get the same sources
    for (receptor, kind) in [(Receptor::Excitatory, "exc"), (Receptor::Inhibitory, "inh")] {
        let mut random = FixedNumber::new(NOISE);
        for spin in 0..spins {
            let label = format!("noise->{} {kind}", spin_label(spin));
            let sources = random.draw(SPIN_SOURCES, None);
            join(noise, ids[spin as usize], label, receptor, sources)?;
        }
    }
    for spin in 0..spins {
        let label = format!("bias->{}", spin_label(spin));
        join(bias, ids[spin as usize], label, Receptor::Inhibitory, vec![0])?;
    }

    let mut random = FixedNumber::new(NOISE);
    let weight_us = WEIGHTS_US[Receptor::Inhibitory.index()];
    let within = (0..NOISE)
        .flat_map(|post| {
            let sources = random.draw(NOISE_SOURCES, Some(post));
            sources.into_iter().map(move |pre| Synapse { pre, post, weight_us })
        })
        .collect();
    model.project_list("noise->noise", noise, noise, Receptor::Inhibitory, within)?;
    Ok(plain(model))
}

fn spin_label(spin: u32) -> String {
    format!("s{spin}")
}

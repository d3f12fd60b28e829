//! A restricted Boltzmann machine with local receptive fields: each hidden neuron talks to a patch
//! of 8 x 8 visible ones and to ten labels, both ways, excitatory and inhibitory (mapping §5).
//!
//! As in the original every visible and every hidden neuron is a population of its own.

use marocco::network::{PopulationId, Receptor, Synapse};

use super::{Drawn, FOUR_AND_AUTO, PLAIN_WEIGHTS_US, Recipe, adaptive, plain};
use crate::model::{Model, ModelError};
use crate::parameter::{Domain, Parameter, Parameters, Value};

pub(super) const RECIPE: Recipe = Recipe {
    name: "rbmLocalReceptive",
    summary: "restricted Boltzmann machine on a square image with patches of 8 x 8 and ten labels \
              (mapping §5)",
    parameters: &[Parameter {
        name: "n",
        default: Value::Whole(18),
        domain: Domain::Whole(PATCH, 60),
        unit: "",
        meaning: "length of the image in neurons",
    }],
    benchmark: &[
        "n=10", "n=12", "n=14", "n=18", "n=22", "n=26", "n=28", "n=30", "n=35", "n=40", "n=45",
    ],
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: network,
};

/// Length of a receptive field.
const PATCH: u32 = 8;
const LABELS: u32 = 10;

fn network(parameters: &Parameters) -> Result<Drawn, ModelError> {
    let n = parameters.whole("n").unwrap_or_default();
    let hidden_n = n + 1 - PATCH;
    let mut model = Model::default();
    let mut square = |kind: &str, length: u32| {
        let label = |i| format!("{kind}{},{}", i / length, i % length);
        (0..length * length)
            .map(|i| model.population(&label(i), 1, adaptive()))
            .collect::<Result<Vec<PopulationId>, _>>()
    };
    let visible = square("v", n)?;
    let hidden = square("h", hidden_n)?;
    let labels = model.population("labels", LABELS as usize, adaptive())?;

    for (i, &hidden) in hidden.iter().enumerate() {
        let (row, column) = (i as u32 / hidden_n, i as u32 % hidden_n);
        for y in row..row + PATCH {
            for x in column..column + PATCH {
                both_ways(&mut model, visible[(y * n + x) as usize], hidden)?;
            }
        }
        both_ways(&mut model, labels, hidden)?;
    }
    Ok(plain(model))
}

/// All members of two populations with each other, with both signs.
fn both_ways(model: &mut Model, a: PopulationId, b: PopulationId) -> Result<(), ModelError> {
    for (pre, post) in [(a, b), (b, a)] {
        let [from, to] = [pre, post].map(|id| model.network().population(id));
        let sizes = [from, to].map(|p| p.size as u32);
        let label = format!("{}->{}", from.label, to.label);
        for (receptor, sign) in [(Receptor::Excitatory, "exc"), (Receptor::Inhibitory, "inh")] {
            let weight_us = PLAIN_WEIGHTS_US[receptor.index()];
            let synapses = (0..sizes[1])
                .flat_map(|post| (0..sizes[0]).map(move |pre| Synapse { pre, post, weight_us }))
                .collect();
            model.project_list(&format!("{label} {sign}"), pre, post, receptor, synapses)?;
        }
    }
    Ok(())
}

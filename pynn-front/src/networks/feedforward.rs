//! Layers, each connected to the next one (mapping §5).

use marocco::network::Receptor;

use super::{Drawn, FOUR_AND_AUTO, PLAIN_WEIGHTS_US, Recipe, adaptive, plain};
use crate::model::{Connector, Model, ModelError};
use crate::parameter::{Domain, Parameter, Parameters, Value};
use crate::random::NumpyRandom;

pub(super) const RECIPE: Recipe = Recipe {
    name: "feedforward",
    summary: "layers of neurons, each connected to all of the next layer (mapping §5)",
    parameters: &[
        Parameter {
            name: "layers",
            default: Value::Whole(3),
            domain: Domain::Whole(2, 100),
            unit: "",
            meaning: "number of layers",
        },
        Parameter {
            name: "n",
            default: Value::Whole(50),
            domain: Domain::Whole(1, 1_000),
            unit: "",
            meaning: "neurons of a layer",
        },
    ],
    benchmark: &[
        "layers=2 n=5",
        "layers=3 n=5",
        "layers=2 n=10",
        "layers=3 n=10",
        "layers=2 n=15",
        "layers=3 n=15",
        "layers=2 n=20",
        "layers=3 n=20",
        "layers=2 n=30",
        "layers=3 n=30",
        "layers=2 n=50",
        "layers=3 n=50",
        "layers=2 n=100",
        "layers=3 n=100",
    ],
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: network,
};

fn network(parameters: &Parameters) -> Result<Drawn, ModelError> {
    let [layers, n] = ["layers", "n"].map(|key| parameters.whole(key).unwrap_or_default());
    let weight_us = f64::from(PLAIN_WEIGHTS_US[Receptor::Excitatory.index()]);
    let all = Connector::AllToAll { allow_self_connections: true };
    let mut model = Model::default();
    let mut before = model.population("layer 0", n as usize, adaptive())?;
    for layer in 1..layers {
        let here = model.population(&format!("layer {layer}"), n as usize, adaptive())?;
        let label = format!("layer {}->layer {layer}", layer - 1);
        let random = &mut NumpyRandom::new(0);
        model.project(&label, before, here, &all, weight_us, Receptor::Excitatory, random)?;
        before = here;
    }
    Ok(plain(model))
}

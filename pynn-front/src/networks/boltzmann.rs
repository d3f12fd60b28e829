//! Boltzmann machines: every neuron talks to every other, or every visible one to every hidden one,
//! with an excitatory and an inhibitory synapse each, so that learning may choose the sign
//! (mapping §5).

use marocco::network::Receptor;

use super::{Drawn, FOUR_AND_AUTO, PLAIN_WEIGHTS_US, Recipe, adaptive, plain};
use crate::model::{Connector, Model, ModelError};
use crate::parameter::{Domain, Parameter, Parameters, Value};
use crate::random::NumpyRandom;

const N: Parameter = Parameter {
    name: "n",
    default: Value::Whole(200),
    domain: Domain::Whole(1, 2_500),
    unit: "",
    meaning: "number of neurons, in each layer if there are two",
};

/// One population.
pub(super) const FULLY_VISIBLE: Recipe = Recipe {
    name: "fullyVisibleBM",
    summary: "Boltzmann machine of one population, all to all but itself (mapping §5)",
    parameters: &[N],
    benchmark: &["n=10", "n=100", "n=200", "n=500", "n=750", "n=1000", "n=1500", "n=2000"],
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: fully_visible,
};

/// Two populations.
pub(super) const RESTRICTED: Recipe = Recipe {
    name: "rbm",
    summary: "restricted Boltzmann machine, visible to hidden and back (mapping §5)",
    parameters: &[N],
    benchmark: &["n=10", "n=100", "n=200", "n=500", "n=750", "n=1000", "n=1250"],
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: restricted,
};

fn fully_visible(parameters: &Parameters) -> Result<Drawn, ModelError> {
    let n = parameters.whole("n").unwrap_or_default() as usize;
    let mut model = Model::default();
    let neurons = model.population("neurons", n, adaptive())?;
    let others = Connector::AllToAll { allow_self_connections: false };
    for receptor in Receptor::ALL {
        let label = ["neurons->neurons exc", "neurons->neurons inh"][receptor.index()];
        let weight_us = f64::from(PLAIN_WEIGHTS_US[receptor.index()]);
        let random = &mut NumpyRandom::new(0);
        model.project(label, neurons, neurons, &others, weight_us, receptor, random)?;
    }
    Ok(plain(model))
}

fn restricted(parameters: &Parameters) -> Result<Drawn, ModelError> {
    let n = parameters.whole("n").unwrap_or_default() as usize;
    let mut model = Model::default();
    let visible = model.population("visible", n, adaptive())?;
    let hidden = model.population("hidden", n, adaptive())?;
    let all = Connector::AllToAll { allow_self_connections: true };
    for (pre, post, labels) in [
        (visible, hidden, ["visible->hidden exc", "visible->hidden inh"]),
        (hidden, visible, ["hidden->visible exc", "hidden->visible inh"]),
    ] {
        for receptor in Receptor::ALL {
            let weight_us = f64::from(PLAIN_WEIGHTS_US[receptor.index()]);
            let random = &mut NumpyRandom::new(0);
            model.project(
                labels[receptor.index()],
                pre,
                post,
                &all,
                weight_us,
                receptor,
                random,
            )?;
        }
    }
    Ok(plain(model))
}

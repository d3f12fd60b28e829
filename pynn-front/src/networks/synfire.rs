//! A synfire chain with feed-forward inhibition, of the size of the one published for the wafer: 190
//! links of 100 neurons, about 1.4 million synapses (mapping §6).
//!
//! Its inner structure was not published; here a link has 80 excitatory and 20 inhibitory neurons.
//! Each neuron hears 60 excitatory ones of the link before, and each excitatory one all inhibitory
//! ones of its own link.

use marocco::network::{PopulationId, Receptor};

use super::{Drawn, FOUR_AND_AUTO, PLAIN_WEIGHTS_US, Recipe, adaptive, plain};
use crate::model::{CellType, Connector, Model, ModelError};
use crate::parameter::{Domain, Parameter, Parameters, Value};
use crate::random::NumpyRandom;

pub(super) const RECIPE: Recipe = Recipe {
    name: "synfire-chain",
    summary: "links of 80 excitatory and 20 inhibitory neurons in a row, the first one stimulated \
              (mapping §6)",
    parameters: &[
        Parameter {
            name: "links",
            default: Value::Whole(190),
            domain: Domain::Whole(1, 200),
            unit: "",
            meaning: "number of links",
        },
        Parameter {
            name: "network_seed",
            default: Value::Whole(1),
            domain: Domain::Whole(0, u32::MAX),
            unit: "",
            meaning: "seed of the connections",
        },
    ],
    benchmark: &["links=10", "links=50", "links=190"],
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: network,
};

const EXCITATORY: usize = 80;
const INHIBITORY: usize = 20;
/// Sources of each neuron in the link before, with replacement.
const SOURCES: u32 = 60;
/// Mean rate of the stimulus.
const STIMULUS_HZ: f64 = 10.0;

fn network(parameters: &Parameters) -> Result<Drawn, ModelError> {
    let links = parameters.whole("links").unwrap_or_default();
    let mut random = NumpyRandom::new(parameters.whole("network_seed").unwrap_or_default());
    let [excitatory_us, inhibitory_us] = PLAIN_WEIGHTS_US.map(f64::from);
    let forward = Connector::FixedNumberPre { n: SOURCES };
    let all = Connector::AllToAll { allow_self_connections: true };
    let mut model = Model::default();
    let stimulus = CellType::SpikeSourcePoisson { rate_hz: STIMULUS_HZ };
    let mut before = model.population("stimulus", EXCITATORY, stimulus)?;
    let mut from = "stimulus".to_owned();
    for link in 0..links {
        let labels = ["e", "i"].map(|kind| format!("{kind}{link}"));
        let exc = model.population(&labels[0], EXCITATORY, adaptive())?;
        let inh = model.population(&labels[1], INHIBITORY, adaptive())?;
        let mut join = |from: &str,
                        to: &str,
                        ends: [PopulationId; 2],
                        connector: &Connector,
                        weight_us: f64,
                        receptor: Receptor| {
            let label = format!("{from}->{to}");
            let [pre, post] = ends;
            model.project(&label, pre, post, connector, weight_us, receptor, &mut random)
        };
        let excitatory = Receptor::Excitatory;
        join(&from, &labels[0], [before, exc], &forward, excitatory_us, excitatory)?;
        join(&from, &labels[1], [before, inh], &forward, excitatory_us, excitatory)?;
        join(&labels[1], &labels[0], [inh, exc], &all, inhibitory_us, Receptor::Inhibitory)?;
        [from, _] = labels;
        before = exc;
    }
    Ok(plain(model))
}

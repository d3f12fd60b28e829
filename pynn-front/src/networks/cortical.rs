//! The cortical microcircuit of Potjans and Diesmann, scaled down: the benchmark, where duplicates
//! collapse (mapping §5.1), and the published demo, where every draw is a synapse (mapping §5.2).
//!
//! External input is replaced by resting potentials above threshold (analog §7.2). Excitatory
//! weights are a tenth of the demo's table, as in its comparison with NEST, because here digital
//! weight 1 means what it says.

use calib::{CircuitMode, IfCondExp, Scaling};
use hal::config::CurrentScaling;
use marocco::NeuronSizeChoice;
use marocco::network::{PopulationId, Receptor, Synapse};

use super::{Drawn, FOUR_AND_AUTO, Recipe};
use crate::model::{CellType, Model, ModelError};
use crate::parameter::{Domain, Parameter, Parameters, Value};
use crate::random::NumpyRandom;

/// The network of the mapping benchmark.
pub(super) const BENCHMARK: Recipe = Recipe {
    name: "cortical",
    summary: "cortical microcircuit of the mapping benchmark: one synapse per pair, 2,846,211 at \
              scale 0.1 (mapping §5.1)",
    parameters: &[CORTICAL_SCALE],
    benchmark: &[
        "scale=0.005",
        "scale=0.01",
        "scale=0.02",
        "scale=0.04",
        "scale=0.06",
        "scale=0.08",
        "scale=0.1",
    ],
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: benchmark,
};

/// The network of the published demo.
pub(super) const DEMO: Recipe = Recipe {
    name: "cortical-demo",
    summary: "cortical microcircuit of the published demo: each of 2,987,316 draws is a synapse \
              (mapping §5.2)",
    parameters: &[CORTICAL_SCALE, CORTICAL_SEED, W_EXC_FACTOR],
    benchmark: &["scale=0.1"],
    benchmark_neuron_sizes: FOUR_AND_AUTO,
    draw: cortical,
};

pub(crate) const CORTICAL_SCALE: Parameter = Parameter {
    name: "scale",
    default: Value::Real(0.1),
    domain: Domain::Real(0.001, 0.3),
    unit: "",
    meaning: "neurons and in-degrees are multiplied by this",
};

pub(crate) const CORTICAL_SEED: Parameter = Parameter {
    name: "network_seed",
    default: Value::Whole(123_456),
    domain: Domain::Whole(0, u32::MAX),
    unit: "",
    meaning: "seed of the connections",
};

/// 1 is the published setting of the wafer, whose weakest synapses were stronger than they should
/// be; 0.1 that of its comparison with NEST (analog §7.2).
pub(crate) const W_EXC_FACTOR: Parameter = Parameter {
    name: "w_exc_factor",
    default: Value::Real(EXCITATORY_FACTOR),
    domain: Domain::Real(0.0, 10.0),
    unit: "",
    meaning: "factor on the published excitatory weights",
};

/// A population of the full network.
struct Population {
    label: &'static str,
    neurons: u32,
    excitatory: bool,
    v_rest: f64,
    /// Conductance in uS of synapses from excitatory and inhibitory sources, demo values.
    weights_us: [f64; 2],
    /// Probability of a connection from each population.
    from: [f64; 8],
}

/// Layer by layer, excitatory first (mapping §5.1, frontend §4.3).
const POPULATIONS: [Population; 8] = [
    Population {
        label: "23e",
        neurons: 20_683,
        excitatory: true,
        v_rest: -42.52,
        weights_us: [0.003_031_39, 0.022_651_11],
        from: [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
    },
    Population {
        label: "23i",
        neurons: 5_834,
        excitatory: false,
        v_rest: -43.93,
        weights_us: [0.003_214_73, 0.021_121_01],
        from: [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
    },
    Population {
        label: "4e",
        neurons: 21_915,
        excitatory: true,
        v_rest: -35.5,
        weights_us: [0.003_343_74, 0.020_248_46],
        from: [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
    },
    Population {
        label: "4i",
        neurons: 5_479,
        excitatory: false,
        v_rest: -38.31,
        weights_us: [0.003_255_35, 0.020_830_72],
        from: [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
    },
    Population {
        label: "5e",
        neurons: 4_850,
        excitatory: true,
        v_rest: -36.9,
        weights_us: [0.003_306_89, 0.020_483_4],
        from: [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
    },
    Population {
        label: "5i",
        neurons: 1_065,
        excitatory: false,
        v_rest: -38.31,
        weights_us: [0.003_365_96, 0.020_111_74],
        from: [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
    },
    Population {
        label: "6e",
        neurons: 14_395,
        excitatory: true,
        v_rest: -24.26,
        weights_us: [0.003_416_09, 0.019_816_37],
        from: [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    },
    Population {
        label: "6i",
        neurons: 2_948,
        excitatory: false,
        v_rest: -35.5,
        weights_us: [0.003_429_77, 0.019_738_76],
        from: [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    },
];

/// Factor on the excitatory weights of the demo's table (see above).
const EXCITATORY_FACTOR: f64 = 0.1;

/// One stream before every projection anew; of equal pairs one remains.
fn benchmark(parameters: &Parameters) -> Result<Drawn, ModelError> {
    network(parameters.real("scale"), EXCITATORY_FACTOR, |draws, from, to| {
        let mut pairs = pairs(&mut NumpyRandom::new(0), draws, from, to);
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    })
}

/// One stream for all projections; all pairs remain.
pub(crate) fn cortical(parameters: &Parameters) -> Result<Drawn, ModelError> {
    let mut random = NumpyRandom::new(parameters.whole("network_seed").unwrap_or_default());
    let factor = parameters.real("w_exc_factor");
    network(parameters.real("scale"), factor, |draws, from, to| pairs(&mut random, draws, from, to))
}

/// All sources first, then all targets.
fn pairs(random: &mut NumpyRandom, draws: usize, from: u32, to: u32) -> Vec<(u32, u32)> {
    let sources: Vec<u32> = (0..draws).map(|_| random.below(from)).collect();
    sources.into_iter().map(|pre| (pre, random.below(to))).collect()
}

/// Number of synapses between populations of the full network that gives the probability `p` of at
/// least one between two members, divided by the number of targets.
fn in_degree(p: f64, from: u32, to: u32) -> f64 {
    let (from, to) = (f64::from(from), f64::from(to));
    (1.0 - p).ln() / (1.0 - 1.0 / (to * from)).ln() / to
}

/// Sizes are truncated, as in the original; targets are the outer loop, because their order is part
/// of the demo's definition.
fn network(
    scale: f64,
    excitatory_factor: f64,
    mut connect: impl FnMut(usize, u32, u32) -> Vec<(u32, u32)>,
) -> Result<Drawn, ModelError> {
    let sizes = POPULATIONS.map(|p| (f64::from(p.neurons) * scale) as u32);
    let mut model = Model::default();
    let mut ids: Vec<PopulationId> = Vec::new();
    for (population, &size) in POPULATIONS.iter().zip(&sizes) {
        let id = model.population(population.label, size as usize, cell(population))?;
        model.record_spikes(id);
        ids.push(id);
    }
    for (t, target) in POPULATIONS.iter().enumerate() {
        for (s, source) in POPULATIONS.iter().enumerate() {
            let in_degree = in_degree(target.from[s], source.neurons, target.neurons);
            let draws = (in_degree * scale * f64::from(sizes[t])).round_ties_even() as usize;
            if draws == 0 {
                continue;
            }
            let (receptor, weight_us) = if source.excitatory {
                (Receptor::Excitatory, excitatory_factor * target.weights_us[0])
            } else {
                (Receptor::Inhibitory, target.weights_us[1])
            };
            let synapses = connect(draws, sizes[s], sizes[t])
                .into_iter()
                .map(|(pre, post)| Synapse { pre, post, weight_us: weight_us as f32 })
                .collect();
            let label = format!("{}->{}", source.label, target.label);
            model.project_list(&label, ids[s], ids[t], receptor, synapses)?;
        }
    }
    Ok(Drawn {
        model,
        scaling: Scaling::from_voltage_window(-150.0, 50.0, 0.4, 1.3).expect("both ranges rise"),
        mode: CircuitMode { big_capacitor: false, leak: CurrentScaling::Slow },
        neuron_size: NeuronSizeChoice::Auto,
    })
}

fn cell(population: &Population) -> CellType {
    CellType::IfCondExp(IfCondExp {
        cm: 0.25,
        tau_m: 10.0,
        tau_refrac: 2.0,
        tau_syn_e: 2.2,
        tau_syn_i: 2.2,
        v_rest: population.v_rest,
        v_reset: -65.0,
        v_thresh: -50.0,
        e_rev_e: 50.0,
        e_rev_i: -150.0,
    })
}

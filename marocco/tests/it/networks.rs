//! Networks for the tests.

use calib::{CellParameters, CircuitMode, IfCondExp, Scaling};
use marocco::network::{
    Network, PerMember, Population, PopulationKind, Projection, Receptor, Synapse,
};
use marocco::{MapOptions, NeuronSize, NeuronSizeChoice};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

/// The cell of the balanced random network (analog §7.1).
pub(crate) fn cell() -> CellParameters {
    CellParameters::IfCondExp(IfCondExp {
        cm: 1.0,
        tau_m: 10.0,
        tau_refrac: 2.0,
        tau_syn_e: 3.0,
        tau_syn_i: 3.0,
        v_rest: 0.0,
        v_reset: 10.0,
        v_thresh: 20.0,
        e_rev_e: 140.0,
        e_rev_i: -140.0,
    })
}

pub(crate) fn options(size: Option<usize>) -> MapOptions {
    let scaling = Scaling::from_voltage_window(-140.0, 140.0, 0.45, 1.3).unwrap();
    let mode = CircuitMode::default();
    let neuron_size = size.map_or(NeuronSizeChoice::Auto, |size| {
        NeuronSizeChoice::Fixed(NeuronSize::try_from(size).unwrap())
    });
    MapOptions { neuron_size, ..MapOptions::new(scaling, mode) }
}

pub(crate) fn neurons(label: &str, size: usize) -> Population {
    let kind = PopulationKind::Neurons(PerMember::Uniform(cell()));
    Population { label: label.to_owned(), size, kind }
}

pub(crate) fn sources(label: &str, size: usize, rate_hz: f64) -> Population {
    let kind = PopulationKind::Sources(PerMember::Uniform(rate_hz));
    Population { label: label.to_owned(), size, kind }
}

/// Each of `post` targets draws `degree` sources with replacement.
pub(crate) fn fixed_number_pre(
    pre: usize,
    post: usize,
    degree: usize,
    weight_us: f32,
    rng: &mut ChaCha8Rng,
) -> Vec<Synapse> {
    (0..post)
        .flat_map(|post| std::iter::repeat_n(post as u32, degree))
        .map(|post| Synapse { pre: rng.random_range(0..pre) as u32, post, weight_us })
        .collect()
}

/// A balanced random network: `n` neurons, a fifth of them inhibitory, and as many sources.
pub(crate) fn balanced(n: usize, degrees: [usize; 3], rate_hz: f64, seed: u64) -> Network {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (n_exc, n_inh) = (n * 4 / 5, n - n * 4 / 5);
    let mut network = Network::default();
    let exc = network.add_population(neurons("exc", n_exc)).unwrap();
    let inh = network.add_population(neurons("inh", n_inh)).unwrap();
    let ext = network.add_population(sources("ext", n, rate_hz)).unwrap();
    let weight = 0.001_714;
    for (post, n_post) in [(exc, n_exc), (inh, n_inh)] {
        for (pre, n_pre, degree, weight_us, receptor) in [
            (exc, n_exc, degrees[0], weight, Receptor::Excitatory),
            (inh, n_inh, degrees[1], 8.0 * weight, Receptor::Inhibitory),
            (ext, n, degrees[2], weight, Receptor::Excitatory),
        ] {
            let label =
                format!("{}->{}", network.population(pre).label, network.population(post).label);
            let synapses = fixed_number_pre(n_pre, n_post, degree, weight_us, &mut rng);
            network
                .add_projection(
                    pre,
                    post,
                    Projection { label, receptor, plasticity: None, pairs: None, synapses },
                )
                .unwrap();
        }
    }
    network
}

//! Random networks for the tests that hold verifier, emulator and mapper against each other.

use calib::{CellParameters, CircuitMode, IfCondExp, Scaling, WaferCalibration};
use hal::coord::{Coordinate, DncMergerOnHicann, L1Address, NeuronOnHicann, OnWafer};
use hal::coord::{HicannOnWafer, SynapseOnHicann, SynapticInputOnNeuron};
use hal::defects::Defects;
use hal::value::SynapseWeight;
use marocco::mapping::{Mapping, SynapseFate};
use marocco::network::{
    Network, PerMember, Population, PopulationKind, Projection, Receptor, Synapse,
};
use marocco::{MapOptions, Mapped, NeuronSize, NeuronSizeChoice};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

/// Sizes and in-degrees of a network of excitatory and inhibitory neurons and of sources.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) neurons: [usize; 2],
    pub(crate) sources: usize,
    pub(crate) degrees: [usize; 3],
    pub(crate) seed: u64,
}

impl Shape {
    /// Every neuron draws its sources with replacement; weights vary by a factor of two.
    pub(crate) fn network(&self) -> Network {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let cell = CellParameters::IfCondExp(IfCondExp {
            tau_m: 10.0,
            tau_refrac: 2.0,
            tau_syn_e: 3.0,
            tau_syn_i: 3.0,
            v_rest: 0.0,
            v_reset: 10.0,
            v_thresh: 20.0,
            e_rev_e: 140.0,
            e_rev_i: -140.0,
            ..IfCondExp::default()
        });
        let mut network = Network::default();
        let mut add = |label: &str, size, kind| {
            network.add_population(Population { label: label.to_owned(), size, kind }).unwrap()
        };
        let neurons = || PopulationKind::Neurons(PerMember::Uniform(cell));
        let exc = add("exc", self.neurons[0], neurons());
        let inh = add("inh", self.neurons[1], neurons());
        let ext = add("ext", self.sources, PopulationKind::Sources(PerMember::Uniform(10.0)));
        for (post, n_post) in [(exc, self.neurons[0]), (inh, self.neurons[1])] {
            for (i, (pre, receptor)) in [
                (exc, Receptor::Excitatory),
                (inh, Receptor::Inhibitory),
                (ext, Receptor::Excitatory),
            ]
            .into_iter()
            .enumerate()
            {
                let n_pre = [self.neurons[0], self.neurons[1], self.sources][i];
                if n_pre == 0 || n_post == 0 {
                    continue;
                }
                let base = if receptor == Receptor::Inhibitory { 0.014 } else { 0.0017 };
                let synapses = (0..n_post * self.degrees[i])
                    .map(|s| Synapse {
                        pre: rng.random_range(0..n_pre) as u32,
                        post: (s % n_post) as u32,
                        weight_us: base * rng.random_range(1.0_f32..2.0),
                    })
                    .collect();
                let labels = [pre, post].map(|p| network.population(p).label.clone());
                let projection = Projection {
                    label: labels.join("->"),
                    receptor,
                    plasticity: None,
                    pairs: None,
                    synapses,
                };
                network.add_projection(pre, post, projection).unwrap();
            }
        }
        network
    }
}

/// Neurons of this size, or of any.
pub(crate) fn options(size: Option<usize>, seed: u64) -> MapOptions {
    let scaling = Scaling::from_voltage_window(-140.0, 140.0, 0.45, 1.3).unwrap();
    let neuron_size = size.map_or(NeuronSizeChoice::Auto, |size| {
        NeuronSizeChoice::Fixed(NeuronSize::try_from(size).unwrap())
    });
    MapOptions { neuron_size, seed, ..MapOptions::new(scaling, CircuitMode::default()) }
}

/// Maps onto the ideal wafer.
pub(crate) fn mapped(network: &Network, size: Option<usize>, seed: u64) -> Mapped {
    let options = options(size, seed);
    marocco::map(network, &options, &Defects::default(), &WaferCalibration::ideal(), &mut |_| {})
        .unwrap()
}

/// A synapse as the wafer sees it: address, place, circuit, input, weight.
pub(crate) type Seen = (
    (HicannOnWafer, DncMergerOnHicann, L1Address),
    OnWafer<SynapseOnHicann>,
    OnWafer<NeuronOnHicann>,
    SynapticInputOnNeuron,
    SynapseWeight,
);

/// The claim of a mapping, synapse by synapse, sorted.
pub(crate) fn claimed(network: &Network, mapping: &Mapping) -> Vec<Seen> {
    let offsets = network.member_offsets();
    let mut seen = Vec::new();
    for (id, projection) in network.projections() {
        let first = offsets[network.endpoints(id).0.index()];
        for (wanted, fate) in projection.synapses.iter().zip(&mapping.synapses[id.index()]) {
            let SynapseFate::Realised { synapse, weight } = *fate else { continue };
            let source = mapping.placement.addresses[first + wanted.pre as usize].unwrap();
            let input = SynapticInputOnNeuron::try_from(projection.receptor.index()).unwrap();
            let target = synapse.local.neuron().on(synapse.hicann);
            let bus = (source.bus.hicann, source.bus.merger, source.address);
            seen.push((bus, synapse, target, input, weight));
        }
    }
    seen.sort_unstable();
    seen
}

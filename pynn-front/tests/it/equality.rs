//! Four views of one network agree: what was asked for, what the mapping claims, what the verifier
//! finds in the words, and what the emulator finds in the words.

use hal::codec::{decode_wafer, encode_wafer};
use hal::coord::{Coordinate as _, HicannOnWafer, NeuronOnHicann};
use marocco::mapping::SynapseFate;
use marocco::verify::{Rules, functional_connectivity, membranes, verify};
use proptest::prelude::*;

use crate::networks::{Seen, Shape, claimed, mapped};

fn shapes() -> impl Strategy<Value = (Shape, Option<usize>)> {
    let shape = (
        1_usize..80,
        0_usize..30,
        0_usize..60,
        0_usize..40,
        0_usize..12,
        0_usize..30,
        any::<u64>(),
    );
    let size = prop_oneof![1 => Just(None), 4 => (1_usize..=32).prop_map(|n| Some(2 * n))];
    (shape, size).prop_map(|((exc, inh, sources, e, i, x, seed), size)| {
        let shape = Shape { neurons: [exc, inh], sources, degrees: [e, i, x], seed };
        (shape, size)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn claim_verifier_and_emulator_agree((shape, size) in shapes()) {
        let network = shape.network();
        let mapped = mapped(&network, size, shape.seed);
        let words = encode_wafer(&mapped.config).unwrap();
        let config = decode_wafer(&words).unwrap();
        prop_assert_eq!(&config, &mapped.config);

        let claim = claimed(&network, &mapped.mapping);
        let by_verifier: Vec<Seen> = functional_connectivity(&config)
            .into_iter()
            // a link can bring any address; only those given out are ever sent
            .map(|s| {
                let bus = (s.source.bus.hicann, s.source.bus.merger, s.source.address);
                (bus, s.synapse, s.target, s.input, s.weight)
            })
            .collect();
        prop_assert_eq!(&claim, &by_verifier);

        let emulated = emulator::connectivity(&config);
        let by_emulator: Vec<Seen> = emulated
            .synapses
            .iter()
            .map(|s| {
                let bus = (s.source.hicann, s.source.merger, s.source.address);
                (bus, s.synapse, s.target, s.input, s.weight)
            })
            .collect();
        prop_assert_eq!(&claim, &by_emulator);

        let fates = || mapped.mapping.synapses.iter().flatten();
        let lost = fates().filter(|f| matches!(f, SynapseFate::Lost(_))).count();
        prop_assert_eq!(claim.len() + lost, network.n_synapses());

        let found = verify(&network, &mapped.mapping, &words, &Rules::default()).unwrap();
        prop_assert!(found.is_ok(), "{:#?}", found.violations);
        prop_assert_eq!(found.functional, claim.len());

        // who sends, and which circuits are one neuron
        let placement = &mapped.mapping.placement;
        let mut senders: Vec<_> = placement
            .neurons
            .iter()
            .zip(&placement.addresses)
            .filter_map(|(neuron, address)| Some(((*neuron)?, (*address)?)))
            .map(|(neuron, address)| {
                let bus = (address.bus.hicann, address.bus.merger, address.address);
                (neuron.first_circuit().on(neuron.hicann), bus)
            })
            .collect();
        senders.sort_unstable();
        let outputs: Vec<_> = emulated
            .outputs
            .iter()
            .map(|o| (o.neuron, (o.bus.hicann, o.bus.merger, o.bus.address)))
            .collect();
        prop_assert_eq!(senders, outputs);
        let mut joined: Vec<(HicannOnWafer, Vec<NeuronOnHicann>)> = placement
            .neurons
            .iter()
            .flatten()
            .map(|neuron| {
                let mut circuits: Vec<_> = neuron.circuits().collect();
                circuits.sort_unstable();
                (neuron.hicann, circuits)
            })
            .collect();
        joined.sort_unstable();
        let chips = || config.hicanns.iter();
        let mut by_emulator: Vec<_> = chips()
            .flat_map(|(&h, c)| emulator::joined_circuits(c).into_iter().map(move |m| (h, m)))
            .collect();
        by_emulator.sort_unstable();
        prop_assert_eq!(&joined, &by_emulator);
        let mut by_verifier: Vec<_> = chips()
            .flat_map(|(&h, c)| membranes(&c.neurons).into_iter().map(move |m| (h, m)))
            .collect();
        by_verifier.sort_unstable();
        prop_assert_eq!(&joined, &by_verifier);
    }
}

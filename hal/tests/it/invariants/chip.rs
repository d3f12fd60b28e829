//! Invariants 23 to 28 and 37: addresses, mergers, circuits and synapses of one chip.

use hal::check::{SwitchLimits, check_hicann};
use hal::codec::Unit;
use hal::config::{HicannConfig, MergerMode, MergerTree, NeuronSize, Neurons};
use hal::coord::*;
use hal::value::SynapseWeight;

use super::{distinct, histogram, is_permutation};
use crate::stream::{CHIP, Stream};
use crate::topology::neuron_blocks;

#[test]
fn invariant_23_addresses() {
    let pairs = DriverDecoder::all().flat_map(|d| SynapseDecoder::all().map(move |s| (d, s)));
    assert!(is_permutation(pairs.map(|(d, s)| L1Address::from_decoders(d, s).index()), 64));
    for address in L1Address::all() {
        let (driver, synapse) = (address.driver_decoder(), address.synapse_decoder());
        assert_eq!(L1Address::from_decoders(driver, synapse), address);
    }
    assert_eq!(L1Address::all().filter(|a| a.is_usable()).count(), 59);
}

#[test]
fn invariant_24_labels() {
    let labels = HighspeedLinkOnDnc::all().flat_map(|link| {
        GbitLinkOnHicann::all().flat_map(move |gbit_link| {
            L1Address::all().map(move |address| PulseLabel { link, gbit_link, address })
        })
    });
    assert!(is_permutation(labels.clone().map(|l| usize::from(l.bits())), 4096));
    assert!(labels.into_iter().all(|l| PulseLabel::from_bits(l.bits()) == l));
}

#[test]
fn invariant_25_merger_graph() {
    let inputs = MergerOnHicann::all().flat_map(MergerOnHicann::inputs);
    let between_mergers = inputs.clone().filter(|i| matches!(i, MergerInput::Merger(_))).count();
    let mergers = MergerOnHicann::SIZE + DncMergerOnHicann::SIZE;
    // each DNC merger has a tree merger on its right and a link on its left
    let edges = inputs.count() + 2 * DncMergerOnHicann::SIZE;
    assert_eq!((mergers, between_mergers + DncMergerOnHicann::SIZE, edges), (23, 22, 46));

    let blocks = |mergers: &MergerTree| {
        DncMergerOnHicann::all().map(|m| neuron_blocks(mergers, m.tree_input())).collect::<Vec<_>>()
    };
    let default = MergerTree::default();
    assert!(blocks(&default).into_iter().eq((0..8).map(|i| vec![i])));
    let mut merging = default;
    MergerOnHicann::all().for_each(|m| merging.tree[m].mode = MergerMode::Merge);
    let all = (0..8).collect::<Vec<_>>();
    let wanted: [&[usize]; 8] = [&[0], &[0, 1], &[2], &all, &[4], &[4, 5, 6, 7], &[6, 7], &[7]];
    assert_eq!(blocks(&merging), wanted);
}

#[test]
fn invariant_26_loopback_partner() {
    for merger in DncMergerOnHicann::all() {
        let partner = merger.loopback_partner();
        assert_eq!(partner.index(), merger.index() ^ 1);
        assert_eq!(partner.loopback_partner(), merger);
    }
}

#[test]
fn invariant_27_circuits() {
    let sizes = |n: Vec<usize>| histogram(n.into_iter()).into_iter().map(|(_, n)| n).collect();
    let by = |f: fn(NeuronOnHicann) -> usize| -> Vec<usize> {
        sizes(NeuronOnHicann::all().map(f).collect())
    };
    assert_eq!(by(|n| n.block().index()), [64; 8]);
    assert_eq!(by(|n| n.quad().index()), [4; 128]);
    assert_eq!(by(|n| n.fg_block().index()), [128; 4]);
    assert_eq!(by(|n| n.shared_fg_block().index()), [128; 4]);
    assert!(NeuronOnHicann::all().all(|n| n.quad().neuron(n.on_quad()) == n));

    // the register word of a circuit, told by two numbers that its address has taken in turn
    let stream = |digit: fn(usize) -> usize| {
        let mut config = HicannConfig::default();
        for (place, circuit) in config.neurons.circuits.iter_mut() {
            circuit.address = L1Address::try_from(digit(place.index())).unwrap();
        }
        Stream::of(&config)
    };
    let (low, high) = (stream(|n| n % 64), stream(|n| n / 64));
    let address = |stream: &Stream, local| {
        let bits = stream.last(Unit::NeuronBuilder, local) & 63;
        (bits.reverse_bits() >> 26) as usize
    };
    let circuits = (0..512).map(|local| 64 * address(&high, local) + address(&low, local));
    assert!(is_permutation(circuits.clone(), 512));
    // within a quad: 4 * quad + {1, 3, 0, 2}
    for (local, circuit) in circuits.enumerate() {
        let circuit = NeuronOnHicann::from_index(circuit).unwrap();
        assert_eq!(local, 4 * circuit.quad().index() + [1, 3, 0, 2][circuit.on_quad().index()]);
    }
}

#[test]
fn invariant_28_synapses() {
    assert_eq!(SynapseOnHicann::SIZE, 114_688);
    assert_eq!(OnWafer::<SynapseOnHicann>::SIZE, 44_040_192);
    for synapse in SynapseOnHicann::all() {
        assert_eq!(synapse.row().synapse(synapse.column()), synapse);
        assert_eq!(synapse.neuron().column(), synapse.column().index());
    }
    // every row has a hardware row of its own
    let mut config = HicannConfig::default();
    let column = SynapseColumnOnHicann::new::<0>();
    for row in SynapseRowOnHicann::all() {
        let weight = SynapseWeight::try_from(1 + row.index() % 15).unwrap();
        config.synapses.weights[row.synapse(column)] = weight;
        assert_eq!(SynapseRowOnHicann::from_array(row.array(), row.on_array()), row);
    }
    let stream = Stream::of(&config);
    for array in SynapseArrayOnHicann::all() {
        for hardware_row in 0..224 {
            let on_array = if array.index() == 0 { 223 - hardware_row } else { hardware_row };
            let row = 224 * array.index() as u32 + on_array;
            let weight = 1 + row % 15;
            let word = stream.synapse_row(array, 3, hardware_row)[0];
            assert_eq!(word, weight.reverse_bits());
        }
    }
}

#[test]
fn invariant_37_neuron_sizes() {
    for size in NeuronSize::ALL {
        let mut neurons = Neurons::default();
        // whatever was joined before
        neurons.set_size(NeuronSize::ALL[6]);
        neurons.set_size(size);
        let membranes = distinct(NeuronOnHicann::all().map(|n| neurons.membrane(n)));
        assert_eq!(membranes.len(), 512 / size.circuits());
        // disjoint, and all circuits
        assert!(is_permutation(membranes.iter().flatten().map(|n| n.index()), 512));
        for membrane in &membranes {
            assert_eq!(membrane.len(), size.circuits());
            // none crosses the border of a block
            assert!(membrane.iter().all(|n| n.block() == membrane[0].block()));
            let firing = membrane.iter().filter(|n| neurons.circuits[**n].activate_firing);
            assert!(firing.eq([&membrane[0]]), "the top left circuit");
        }
        let config = HicannConfig { neurons, ..HicannConfig::default() };
        assert_eq!(check_hicann(CHIP, &config, &SwitchLimits::default()), []);
    }
    for circuits in [0, 3, 6, 24, 128] {
        assert!(NeuronSize::try_from(circuits).is_err());
    }
}

//! Tests of the original tool, made anew; the number is that of the list (mapping §10).

use std::collections::{BTreeMap, BTreeSet};

use calib::WaferCalibration;
use hal::codec::encode_wafer;
use hal::coord::{
    Coordinate, DncMergerOnHicann, HLineOnHicann, HicannOnWafer, NeuronOnHicann,
    SynapseDriverOnHicann, SynapseRowOnHicann, Vertical,
};
use hal::defects::{Component, ComponentOnHicann, Defects};
use marocco::mapping::{LogicalNeuron, SynapseFate};
use marocco::network::{Network, PopulationId, Projection, Receptor, Synapse};
use marocco::options::Effort;
use marocco::verify::{Rules, verify};
use marocco::{MapError, MapOptions, Mapped, NeuronSize, map};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::networks::{neurons, options, sources};

fn quick(size: usize) -> MapOptions {
    MapOptions { effort: Effort::Quick, ..options(Some(size)) }
}

/// Maps, and demands that the words realise the claim.
fn verified(network: &Network, options: &MapOptions, defects: &Defects) -> Mapped {
    let mapped = map(network, options, defects, &WaferCalibration::ideal(), &mut |_| {}).unwrap();
    let words = encode_wafer(&mapped.config).unwrap();
    let found = verify(network, &mapped.mapping, &words, &Rules::default()).unwrap();
    assert!(found.is_ok(), "{:#?}", &found.violations[..found.violations.len().min(10)]);
    mapped
}

fn refused(network: &Network, options: &MapOptions, defects: &Defects) -> MapError {
    map(network, options, defects, &WaferCalibration::ideal(), &mut |_| {}).unwrap_err()
}

fn project(
    network: &mut Network,
    [pre, post]: [PopulationId; 2],
    receptor: Receptor,
    pairs: impl IntoIterator<Item = (u32, u32)>,
) {
    let synapse = |(pre, post)| Synapse { pre, post, weight_us: 0.002 };
    let synapses = pairs.into_iter().map(synapse).collect();
    let label = format!("{} to {}", network.population(pre).label, network.population(post).label);
    network
        .add_projection(
            pre,
            post,
            Projection { label, receptor, plasticity: None, pairs: None, synapses },
        )
        .unwrap();
}

/// `n` sources with one synapse each to one neuron.
fn onto_one_neuron(n: u32, rate_hz: f64) -> Network {
    let mut network = Network::default();
    let from = network.add_population(sources("sources", n as usize, rate_hz)).unwrap();
    let to = network.add_population(neurons("one", 1)).unwrap();
    project(&mut network, [from, to], Receptor::Excitatory, (0..n).map(|pre| (pre, 0)));
    network
}

fn lost(mapped: &Mapped) -> usize {
    let fates = mapped.mapping.synapses.iter().flatten();
    fates.filter(|fate| matches!(fate, SynapseFate::Lost(_))).count()
}

fn drivers(mapped: &Mapped) -> usize {
    mapped.mapping.chains.iter().map(|chain| chain.members.len()).sum()
}

#[test]
fn t05_sizes_are_even_numbers_from_2_to_64() {
    for size in 0..=70 {
        let is_possible = (2..=64).contains(&size) && size % 2 == 0;
        assert_eq!(NeuronSize::try_from(size).is_ok(), is_possible, "{size}");
    }
}

#[test]
fn t07_t08_neurons_avoid_defective_circuits() {
    let mut network = Network::default();
    let all = network.add_population(neurons("all", 400)).unwrap();
    project(&mut network, [all, all], Receptor::Excitatory, (0..400).map(|i| (i, (i + 1) % 400)));
    let mut defects = Defects::default();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for hicann in HicannOnWafer::all() {
        for circuit in NeuronOnHicann::all() {
            if rng.random_range(0..3) == 0 {
                defects.insert(circuit.on(hicann));
            }
        }
    }
    let mapped = verified(&network, &quick(4), &defects);
    let mut taken = BTreeSet::new();
    for neuron in mapped.mapping.placement.neurons.iter().flatten() {
        for circuit in neuron.circuits() {
            assert!(defects.is_usable(circuit.on(neuron.hicann)), "{circuit} is broken");
            assert!(taken.insert(circuit.on(neuron.hicann)), "{circuit} is used twice");
        }
    }
    assert_eq!(taken.len(), 4 * 400);
}

#[test]
fn t08_no_neuron_fits_between_defects() {
    let mut network = Network::default();
    network.add_population(neurons("one", 1)).unwrap();
    let mut defects = Defects::default();
    // no two neighbouring columns are whole anywhere
    for hicann in HicannOnWafer::all() {
        for circuit in NeuronOnHicann::all().filter(|circuit| circuit.column() % 2 == 0) {
            defects.insert(circuit.on(hicann));
        }
    }
    let error = refused(&network, &quick(4), &defects);
    assert!(matches!(error, MapError::NoRoom { .. } | MapError::TooManyChips { .. }), "{error}");
    // a column is enough for two circuits
    verified(&network, &quick(2), &defects);
}

#[test]
fn t21_without_mergers_nothing_can_send() {
    let mut network = Network::default();
    let pair = network.add_population(neurons("pair", 2)).unwrap();
    project(&mut network, [pair, pair], Receptor::Excitatory, [(0, 1), (1, 0)]);
    let mut defects = Defects::default();
    for hicann in HicannOnWafer::all() {
        for merger in DncMergerOnHicann::all() {
            defects.insert(merger.on(hicann));
        }
    }
    let error = refused(&network, &quick(4), &defects);
    assert!(matches!(error, MapError::TooManyChips { usable: 0, .. }), "{error}");
}

#[test]
fn t39_columns_of_both_parities() {
    for (column, width, even, odd) in
        [(0, 2, 1, 1), (4, 4, 2, 2), (8, 8, 4, 4), (6, 3, 2, 1), (7, 3, 1, 2)]
    {
        let neuron = LogicalNeuron { hicann: HicannOnWafer::new::<0>(), column, width };
        let top = neuron.circuits().filter(|circuit| circuit.vertical() == Vertical::Top);
        let parities: Vec<usize> = top.map(|circuit| circuit.column() % 2).collect();
        let count = |parity| parities.iter().filter(|&&p| p == parity).count();
        assert_eq!((count(0), count(1)), (even, odd), "{width} columns from {column}");
    }
}

#[test]
fn t40_five_synapses_take_two_drivers() {
    // four half rows per driver, one synapse of a neuron with two columns in each
    let mapped = verified(&onto_one_neuron(5, 10.0), &quick(4), &Defects::default());
    assert_eq!((lost(&mapped), drivers(&mapped)), (0, 2));
}

#[test]
fn t42_a_driver_and_four_columns_are_eight_synapses() {
    let mut network = Network::default();
    let from = network.add_population(neurons("from", 40)).unwrap();
    let to = network.add_population(neurons("to", 1)).unwrap();
    project(&mut network, [from, to], Receptor::Excitatory, (0..40).map(|pre| (pre, 0)));
    let options = MapOptions { chain_length: 1, ..quick(8) };
    let mapped = verified(&network, &options, &Defects::default());
    let mut by_driver = BTreeMap::new();
    for fate in mapped.mapping.synapses.iter().flatten() {
        if let SynapseFate::Realised { synapse, .. } = fate {
            *by_driver.entry(synapse.local.row().driver().on(synapse.hicann)).or_insert(0) += 1;
        }
    }
    assert!(by_driver.values().all(|&synapses| synapses <= 8), "{by_driver:?}");
    assert!(by_driver.values().any(|&synapses| synapses == 8), "{by_driver:?}");
}

#[test]
fn t43_twelve_populations_reach_one_neuron() {
    let mut network = Network::default();
    let from: Vec<PopulationId> = (0..12)
        .map(|i| network.add_population(neurons(&format!("from {i}"), 1)).unwrap())
        .collect();
    let to = network.add_population(neurons("to", 1)).unwrap();
    for pre in from {
        project(&mut network, [pre, to], Receptor::Excitatory, [(0, 0)]);
    }
    let mapped = verified(&network, &quick(4), &Defects::default());
    assert_eq!(lost(&mapped), 0);
    assert!(drivers(&mapped) >= 3, "twelve half rows are three drivers");
}

#[test]
fn t44_a_ring_of_populations_adds_up() {
    const POPULATIONS: usize = 119;
    const MEMBERS: u32 = 80;
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut network = Network::default();
    let ids: Vec<PopulationId> = (0..POPULATIONS)
        .map(|i| network.add_population(neurons(&format!("p{i}"), MEMBERS as usize)).unwrap())
        .collect();
    for (i, &post) in ids.iter().enumerate() {
        let pre = ids[(i + POPULATIONS - 1) % POPULATIONS];
        for (receptor, p) in [(Receptor::Excitatory, 0.2), (Receptor::Inhibitory, 0.1)] {
            let pairs: Vec<(u32, u32)> = (0..MEMBERS)
                .flat_map(|a| (0..MEMBERS).map(move |b| (a, b)))
                .filter(|_| rng.random_bool(p))
                .collect();
            project(&mut network, [pre, post], receptor, pairs);
        }
        let source = network.add_population(sources(&format!("s{i}"), 1, 5.0)).unwrap();
        project(&mut network, [source, post], Receptor::Excitatory, (0..MEMBERS).map(|b| (0, b)));
    }
    let mapped = verified(&network, &quick(2), &Defects::default());
    let total = network.n_synapses();
    let realised: usize = mapped
        .mapping
        .synapses
        .iter()
        .flatten()
        .filter(|fate| matches!(fate, SynapseFate::Realised { .. }))
        .count();
    assert_eq!(realised + lost(&mapped), total);
    assert!(lost(&mapped) < total);
}

#[test]
fn t45_what_is_broken_loses_its_synapses() {
    let mut network = Network::default();
    let pair = network.add_population(neurons("pair", 2)).unwrap();
    project(&mut network, [pair, pair], Receptor::Excitatory, [(0, 1)]);
    let chip = HicannOnWafer::new::<180>();
    let only =
        MapOptions { excluded: HicannOnWafer::all().filter(|&h| h != chip).collect(), ..quick(4) };
    let without = |broken: Vec<ComponentOnHicann>| {
        let mut defects = Defects::default();
        for component in broken {
            defects.insert(Component::OnHicann(chip, component));
        }
        defects
    };
    assert_eq!(lost(&verified(&network, &only, &Defects::default())), 0);
    for broken in [
        SynapseRowOnHicann::all().map(Into::into).collect(),
        SynapseDriverOnHicann::all().map(Into::into).collect(),
        HLineOnHicann::all().map(Into::into).collect::<Vec<ComponentOnHicann>>(),
    ] {
        let kind = broken[0].kind();
        match map(&network, &only, &without(broken), &WaferCalibration::ideal(), &mut |_| {}) {
            Ok(mapped) => assert_eq!(lost(&mapped), 1, "{kind:?}"),
            Err(error) => {
                assert!(matches!(error, MapError::TooManyChips { .. }), "{kind:?}: {error}");
            }
        }
    }
    let circuits = without(NeuronOnHicann::all().map(Into::into).collect());
    let error = refused(&network, &only, &circuits);
    assert!(matches!(error, MapError::NoRoom { .. } | MapError::TooManyChips { .. }), "{error}");
}

#[test]
fn t47_both_inputs_share_a_driver() {
    // the rows of a driver serve one input each, its half rows one synapse of each column parity
    let mut network = Network::default();
    let from = network.add_population(sources("from", 4, 10.0)).unwrap();
    let to = network.add_population(neurons("to", 1)).unwrap();
    project(&mut network, [from, to], Receptor::Excitatory, [(0, 0), (1, 0)]);
    project(&mut network, [from, to], Receptor::Inhibitory, [(2, 0), (3, 0)]);
    let mapped = verified(&network, &quick(4), &Defects::default());
    assert_eq!((lost(&mapped), drivers(&mapped)), (0, 1));
    let mut places = BTreeSet::new();
    for fate in mapped.mapping.synapses.iter().flatten() {
        let SynapseFate::Realised { synapse, .. } = fate else { panic!("lost") };
        places.insert((synapse.local.row(), synapse.local.column().index() % 2));
    }
    assert_eq!(places.len(), 4);
}

#[test]
fn t48_odd_networks_are_mapped() {
    let mut network = Network::default();
    let two = network.add_population(sources("two", 2, 10.0)).unwrap();
    let none = network.add_population(sources("none", 0, 10.0)).unwrap();
    let cells = network.add_population(neurons("cells", 3)).unwrap();
    project(&mut network, [two, cells], Receptor::Excitatory, [(0, 0), (1, 0)]);
    project(&mut network, [none, cells], Receptor::Excitatory, []);
    project(&mut network, [two, cells], Receptor::Inhibitory, [(1, 1), (0, 2)]);
    // created after the projections
    let late = network.add_population(neurons("late", 1)).unwrap();
    project(&mut network, [cells, late], Receptor::Excitatory, [(2, 0)]);
    for size in [2, 4] {
        assert_eq!(lost(&verified(&network, &quick(size), &Defects::default())), 0);
    }
}

#[test]
fn t49_many_sources_reach_one_neuron() {
    for n in [1, 10, 30, 100, 600] {
        let mapped = verified(&onto_one_neuron(n, 1.0), &options(Some(4)), &Defects::default());
        assert_eq!(lost(&mapped), 0, "{n} sources");
    }
}

#[test]
fn t50_inputs_keep_the_limits_of_chips_and_fpgas() {
    // 100 Hz are 1 MHz on the wafer, of which a chip takes 17.8 MHz and an FPGA 125 MHz
    for (n, utilisation, speedup, per_chip, per_fpga) in [
        (19, 1.0, 1e4, 17, 125),
        (132, 1.0, 1e4, 17, 125),
        (19, 0.5, 1e4, 8, 62),
        (19, 1.0, 5e3, 35, 250),
    ] {
        let network = onto_one_neuron(n, 100.0);
        let mut options = quick(4);
        options.bandwidth_utilisation = utilisation;
        options.scaling.speedup = speedup;
        let mapped = verified(&network, &options, &Defects::default());
        let (mut chips, mut fpgas) = (BTreeMap::new(), BTreeMap::new());
        for address in mapped.mapping.placement.addresses[..n as usize].iter().flatten() {
            *chips.entry(address.bus.hicann).or_insert(0) += 1;
            *fpgas.entry(address.bus.hicann.fpga()).or_insert(0) += 1;
        }
        assert_eq!(chips.values().sum::<u32>(), n);
        assert!(chips.values().all(|&sources| sources <= per_chip), "{chips:?}");
        assert!(fpgas.values().all(|&sources| sources <= per_fpga), "{fpgas:?}");
    }
}

#[test]
fn t52_synapses_have_places_of_their_own() {
    let mut network = Network::default();
    let a = network.add_population(neurons("a", 2)).unwrap();
    let b = network.add_population(neurons("b", 1)).unwrap();
    project(&mut network, [a, b], Receptor::Excitatory, [(0, 0), (1, 0)]);
    project(&mut network, [b, a], Receptor::Excitatory, [(0, 1)]);
    // the first pair again, and once more
    project(&mut network, [a, b], Receptor::Excitatory, [(0, 0), (0, 0), (1, 0)]);
    let mapped = verified(&network, &quick(4), &Defects::default());
    let counts: Vec<usize> = mapped.mapping.synapses.iter().map(Vec::len).collect();
    assert_eq!(counts, [2, 1, 3]);
    let places: BTreeSet<_> = mapped
        .mapping
        .synapses
        .iter()
        .flatten()
        .map(|fate| match fate {
            SynapseFate::Realised { synapse, .. } => *synapse,
            SynapseFate::Lost(cause) => panic!("lost: {}", cause.name()),
        })
        .collect();
    assert_eq!(places.len(), 6);
}

#[test]
fn t60_the_example_of_the_guide_loses_less_than_published() {
    // 50 neurons, 50 sources, half of all pairs: 2,486 synapses, of which 581 were lost
    let mut pairs: Vec<(bool, u32, u32)> = [false, true]
        .into_iter()
        .flat_map(|outer| (0..50).flat_map(move |a| (0..50).map(move |b| (outer, a, b))))
        .collect();
    pairs.shuffle(&mut ChaCha8Rng::seed_from_u64(3));
    pairs.truncate(2486);
    let mut network = Network::default();
    let cells = network.add_population(neurons("cells", 50)).unwrap();
    let outside = network.add_population(sources("outside", 50, 10.0)).unwrap();
    for (pre, is_outer) in [(cells, false), (outside, true)] {
        let of = pairs.iter().filter(|(outer, ..)| *outer == is_outer).map(|&(_, a, b)| (a, b));
        let of: Vec<(u32, u32)> = of.collect();
        project(&mut network, [pre, cells], Receptor::Excitatory, of);
    }
    let options = MapOptions { chain_length: 5, ..options(Some(4)) };
    let mapped = verified(&network, &options, &Defects::default());
    assert_eq!(network.n_synapses(), 2486);
    assert!(lost(&mapped) <= 581, "{} lost", lost(&mapped));
}

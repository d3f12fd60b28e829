//! Structured networks whose members come in random order.

use calib::WaferCalibration;
use hal::codec::encode_wafer;
use hal::defects::Defects;
use marocco::mapping::SynapseFate;
use marocco::network::{Network, Projection, Receptor, Synapse};
use marocco::verify::verify;
use marocco::{Effort, MapOptions, map};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::networks::{neurons, options};

/// `n` neurons that listen to those which `sources` names; in random order if asked for.
fn network(n: usize, shuffled: bool, sources: impl Fn(usize) -> Vec<usize>) -> Network {
    let mut names: Vec<u32> = (0..n as u32).collect();
    if shuffled {
        names.shuffle(&mut ChaCha8Rng::seed_from_u64(9));
    }
    let mut network = Network::default();
    let all = network.add_population(neurons("all", n)).unwrap();
    let mut synapses = Vec::new();
    for post in 0..n {
        for pre in sources(post) {
            synapses.push(Synapse { pre: names[pre], post: names[post], weight_us: 0.002 });
        }
    }
    let (label, receptor) = ("all".to_owned(), Receptor::Excitatory);
    let projection = Projection { label, receptor, plasticity: None, pairs: None, synapses };
    network.add_projection(all, all, projection).unwrap();
    network
}

fn lattice(side: usize, shuffled: bool) -> Network {
    network(side * side, shuffled, |i| {
        let (x, y) = (i % side, i / side);
        let at = |x: usize, y: usize| y % side * side + x % side;
        vec![at(x + 1, y), at(x + side - 1, y), at(x, y + 1), at(x, y + side - 1)]
    })
}

/// Each neuron listens to 60 of the 300 around it.
fn ring(n: usize, shuffled: bool) -> Network {
    network(n, shuffled, |i| {
        let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
        (0..60).map(|_| (i + n - 150 + rng.random_range(0..301)) % n).collect()
    })
}

/// Share of the synapses lost.
fn loss(network: &Network, size: usize) -> f64 {
    let options = MapOptions { effort: Effort::Quick, ..options(Some(size)) };
    let (whole, ideal) = (Defects::default(), WaferCalibration::ideal());
    let mapped = map(network, &options, &whole, &ideal, &mut |_| {}).unwrap();
    let words = encode_wafer(&mapped.config).unwrap();
    let found = verify(network, &mapped.mapping, &words, &options.rules(&whole)).unwrap();
    assert!(found.is_ok(), "{:#?}", &found.violations[..found.violations.len().min(5)]);
    let fates = mapped.mapping.synapses.iter().flatten();
    let lost = fates.filter(|f| matches!(f, SynapseFate::Lost(_))).count();
    lost as f64 / network.n_synapses() as f64
}

#[test]
fn lattices_in_random_order_map_like_ordered_ones() {
    for side in [40, 100] {
        let [ordered, shuffled] = [false, true].map(|s| loss(&lattice(side, s), 4));
        assert!(shuffled <= ordered + 0.002, "{side}: {shuffled}, ordered {ordered}");
    }
}

#[test]
fn rings_in_random_order_map_like_ordered_ones() {
    let [ordered, shuffled] = [false, true].map(|s| loss(&ring(12_000, s), 8));
    assert!(shuffled <= ordered + 0.005, "{shuffled}, ordered {ordered}");
}

//! The networks of the mapping benchmark have the sizes that the original's have (mapping §5).

use std::collections::BTreeSet;

use marocco::network::Network;
use marocco::{NeuronSize, NeuronSizeChoice};
use pynn_front::networks::{Drawn, RECIPES, Recipe};
use pynn_front::parameter::ParameterError;

fn draw(name: &str, settings: &str) -> Drawn {
    let recipe = Recipe::find(name).unwrap();
    let mut parameters = recipe.defaults();
    for setting in settings.split_whitespace() {
        parameters.set(setting).unwrap();
    }
    recipe.draw(&parameters).unwrap()
}

fn network(name: &str, settings: &str) -> Network {
    draw(name, settings).model.network().clone()
}

/// Neurons and synapses.
fn counts(name: &str, settings: &str) -> (usize, usize) {
    let network = network(name, settings);
    let neurons = network.populations().filter(|(_, p)| !p.is_source()).map(|(_, p)| p.size).sum();
    (neurons, network.n_synapses())
}

/// Distinct pairs of members, and how many synapses the busiest pair has.
fn pairs(network: &Network) -> (usize, usize) {
    let offsets = network.member_offsets();
    let mut all = Vec::with_capacity(network.n_synapses());
    for (id, projection) in network.projections() {
        let (pre, post) = network.endpoints(id);
        let [pre, post] = [pre, post].map(|p| offsets[p.index()] as u32);
        all.extend(projection.synapses.iter().map(|s| (pre + s.pre, post + s.post)));
    }
    all.sort_unstable();
    let runs = all.chunk_by(|a, b| a == b);
    (runs.clone().count(), runs.map(<[_]>::len).max().unwrap_or(0))
}

#[test]
fn cortical_benchmark() {
    for (scale, neurons, synapses) in [
        ("0.005", 382, 7_062),
        ("0.01", 767, 28_358),
        ("0.02", 1_539, 113_520),
        ("0.04", 3_083, 455_362),
        ("0.06", 4_625, 1_023_867),
        ("0.08", 6_170, 1_821_490),
        ("0.1", 7_713, 2_846_211),
    ] {
        assert_eq!(counts("cortical", &format!("scale={scale}")), (neurons, synapses), "{scale}");
    }
    // one synapse per pair within a projection, and populations have one projection at most
    assert_eq!(pairs(&network("cortical", "scale=0.02")), (113_520, 1));
}

#[test]
fn cortical_demo() {
    let network = network("cortical-demo", "");
    let sizes: Vec<usize> = network.populations().map(|(_, p)| p.size).collect();
    assert_eq!(sizes, [2068, 583, 2191, 547, 485, 106, 1439, 294]);
    assert_eq!(network.n_synapses(), 2_987_316);
    assert_eq!(pairs(&network), (2_846_765, 5));

    let offsets = network.member_offsets();
    let mut in_degrees = vec![0; network.n_members()];
    let mut autapses = 0;
    for (id, projection) in network.projections() {
        let (pre, post) = network.endpoints(id);
        for synapse in &projection.synapses {
            in_degrees[offsets[post.index()] + synapse.post as usize] += 1;
            autapses += usize::from(pre == post && synapse.pre == synapse.post);
        }
    }
    assert_eq!(autapses, 718);
    assert_eq!(in_degrees.iter().max(), Some(&664));
    // mean in-degree by population in tenths
    let means: Vec<u32> = offsets
        .windows(2)
        .map(|w| {
            let sum: u32 = in_degrees[w[0]..w[1]].iter().sum();
            (10.0 * f64::from(sum) / (w[1] - w[0]) as f64).round() as u32
        })
        .collect();
    assert_eq!(means, [4995, 5285, 2806, 5888, 4944, 2736, 2564, 2434]);
}

#[test]
fn balanced_demo() {
    assert_eq!(counts("balanced-demo", ""), (2_083, 847_781));
    assert_eq!(pairs(&network("balanced-demo", "eta=3.2")).0, 807_394);
}

#[test]
fn random_networks() {
    for (n, ten, thirty) in [
        (100, 1_016, 2_974),
        (200, 3_952, 11_934),
        (400, 15_905, 47_853),
        (800, 63_940, 191_766),
        (1600, 256_152, 768_127),
        (3200, 1_023_537, 3_071_208),
    ] {
        assert_eq!(counts("random10", &format!("n={n}")), (n, ten));
        assert_eq!(counts("random30", &format!("n={n}")), (n, thirty));
    }
}

#[test]
fn ising_lattices() {
    for l in [20, 40, 80, 160] {
        assert_eq!(counts("ising2d", &format!("l={l}")), (l * l + 501, 15 * l * l + 15_000), "{l}");
    }
    let network = network("ising2d", "l=5");
    let bonds: BTreeSet<(usize, usize)> = network
        .projections()
        .map(|(id, _)| network.endpoints(id))
        .map(|(pre, post)| (pre.index(), post.index()))
        .filter(|&(pre, post)| pre < 25 && post < 25)
        .collect();
    assert_eq!(bonds.len(), 100);
    // a corner has its neighbours around both borders
    assert!([1, 4, 5, 20].iter().all(|&other| bonds.contains(&(0, other))));
    assert!(bonds.iter().all(|&(pre, post)| bonds.contains(&(post, pre))));
}

#[test]
fn noise_reaches_both_inputs_of_a_spin_from_the_same_neurons() {
    let network = network("ising2d", "l=3");
    let sources = |label: &str| -> Vec<u32> {
        let (_, found) = network.projections().find(|(_, p)| p.label == label).unwrap();
        found.synapses.iter().map(|s| s.pre).collect()
    };
    assert_eq!(sources("noise->s0 exc"), [206, 21, 488, 311, 392]);
    assert_eq!(sources("noise->s0 exc"), sources("noise->s0 inh"));
    assert_ne!(sources("noise->s0 exc"), sources("noise->s1 exc"));
}

#[test]
fn boltzmann_machines() {
    for n in [10, 100, 200, 500, 750, 1000, 1500] {
        assert_eq!(counts("fullyVisibleBM", &format!("n={n}")), (n, 2 * n * (n - 1)));
    }
    for n in [10, 100, 200, 500, 750, 1000, 1250] {
        assert_eq!(counts("rbm", &format!("n={n}")), (2 * n, 4 * n * n));
    }
    for n in [10, 12, 14, 18, 22, 26, 28, 30, 35, 40, 45] {
        let hidden = (n - 7) * (n - 7);
        let expected = (n * n + hidden + 10, (4 * 64 + 4 * 10) * hidden);
        assert_eq!(counts("rbmLocalReceptive", &format!("n={n}")), expected, "{n}");
    }
}

#[test]
fn noise_networks() {
    for n in [10, 100, 200, 500, 750, 1000, 1250] {
        let network = network("pfeilsNoise", &format!("n={n}"));
        assert_eq!(network.n_synapses(), n * 20.min(n - 1));
        assert_eq!(pairs(&network), (network.n_synapses(), 1));
        let (_, only) = network.projections().next().unwrap();
        assert!(only.synapses.iter().all(|s| s.pre != s.post));
    }
}

#[test]
fn layers_and_chains() {
    for n in [5, 10, 15, 20, 30, 50, 100] {
        for layers in [2, 3] {
            let settings = format!("layers={layers} n={n}");
            assert_eq!(counts("feedforward", &settings), (layers * n, (layers - 1) * n * n));
        }
    }
    assert_eq!(counts("synfire-chain", ""), (19_000, 190 * 7_600));
}

#[test]
fn full_wafer() {
    for eighths in [1, 2, 4, 8] {
        let drawn = draw("full-wafer", &format!("eighths={eighths}"));
        let (network, n) = (drawn.model.network(), 2_816 * eighths);
        assert_eq!((network.n_members(), network.n_synapses()), (n, 500 * n));
        let eight = NeuronSizeChoice::Fixed(NeuronSize::try_from(8).unwrap());
        assert_eq!(drawn.neuron_size, eight);
        let (_, only) = network.projections().next().unwrap();
        let mut seen = vec![usize::MAX; n];
        for (i, synapse) in only.synapses.iter().enumerate() {
            let (pre, post) = (synapse.pre as usize, synapse.post as usize);
            assert_eq!(post, i / 500);
            let distance = pre.abs_diff(post).min(n - pre.abs_diff(post));
            assert!((1..=1024).contains(&distance), "{pre} -> {post}");
            assert_ne!(seen[pre], post, "{pre} twice at {post}");
            seen[pre] = post;
        }
    }
}

#[test]
fn every_benchmark_setting_is_understood() {
    for recipe in RECIPES {
        assert!(!recipe.benchmark.is_empty() && !recipe.benchmark_neuron_sizes.is_empty());
        for settings in recipe.benchmark {
            let mut parameters = recipe.defaults();
            for setting in settings.split_whitespace() {
                parameters.set(setting).unwrap();
            }
        }
    }
    let names: BTreeSet<_> = RECIPES.iter().map(|r| r.name).collect();
    assert_eq!(names.len(), RECIPES.len());
}

#[test]
fn unknown_networks_are_refused_with_the_known_ones() {
    let error = Recipe::find("cortex").unwrap_err();
    assert!(matches!(error, ParameterError::UnknownNetwork { .. }));
    assert!(error.to_string().contains("cortical, cortical-demo"), "{error}");
}

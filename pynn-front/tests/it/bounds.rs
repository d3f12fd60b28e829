//! Bounds of the networks of the mapping benchmark: closed formulae of mapping §7.6, and the tables
//! of the ideal-L1 model of §7.2.

use marocco::NeuronSize;
use marocco::bound::{IdealL1, column_bound_at};
use marocco::network::Network;
use pynn_front::networks::Recipe;

fn network(name: &str, setting: &str) -> Network {
    let recipe = Recipe::find(name).unwrap();
    let mut parameters = recipe.defaults();
    parameters.set(setting).unwrap();
    recipe.draw(&parameters).unwrap().model.into_network()
}

fn size(circuits: usize) -> NeuronSize {
    NeuronSize::try_from(circuits).unwrap()
}

/// A neuron of four circuits has 896 hardware synapses.
#[test]
fn t62_the_column_bound_gives_the_closed_formulae() {
    let machine = |n: f64| 1.0 - 896.0 / (2.0 * (n - 1.0));
    let restricted = |n: f64| 1.0 - 896.0 / (2.0 * n);
    for (name, setting, expected) in [
        ("fullyVisibleBM", "n=200", 0.0),
        ("fullyVisibleBM", "n=500", machine(500.0)),
        ("fullyVisibleBM", "n=750", machine(750.0)),
        ("fullyVisibleBM", "n=1000", machine(1000.0)),
        ("rbm", "n=200", 0.0),
        ("rbm", "n=500", restricted(500.0)),
        ("rbm", "n=750", restricted(750.0)),
        ("random30", "n=1600", 0.0),
        ("random30", "n=3200", (960.0 - 896.0) / 960.0),
        ("rbmLocalReceptive", "n=28", 0.0),
        ("rbmLocalReceptive", "n=30", 0.010),
        ("rbmLocalReceptive", "n=40", 0.040),
        ("random10", "n=1600", 0.0),
        ("ising2d", "l=20", 0.0),
    ] {
        let bound = column_bound_at(&network(name, setting), size(4));
        assert!((bound - expected).abs() < 0.001, "{name} {setting}: {bound}, not {expected}");
    }
}

#[test]
fn the_ideal_l1_model_gives_the_tables_of_the_study() {
    let cortical = network("cortical-demo", "scale=0.1");
    let balanced = network("balanced-demo", "eta=1.0");
    // inputs at the limit of a chip's link: 26 sources of 53.3 Hz (mapping §7.1)
    for (network, circuits, neurons_per_chip, percent) in [
        (&cortical, 8, 59, 1.07),
        (&cortical, 8, 20, 12.6),
        (&cortical, 8, 30, 2.7),
        (&cortical, 12, 40, 0.335),
        (&cortical, 10, 48, 0.96),
        (&cortical, 20, 24, 5.8),
        (&balanced, 8, 59, 0.085),
        (&balanced, 8, 20, 0.004),
        (&balanced, 12, 40, 0.0),
        (&balanced, 16, 32, 0.0),
    ] {
        let model = IdealL1 {
            neuron_size: size(circuits),
            neurons_per_chip,
            inputs_per_bus: 26,
            chain_length: 3,
        };
        let loss = 100.0 * model.loss_fraction(network);
        assert!((loss - percent).abs() < 0.1, "{model:?}: {loss} %, not {percent} %");
    }
}

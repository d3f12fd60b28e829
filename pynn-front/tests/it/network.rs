//! The balanced random network is the one that the original draws (mapping §5.2).

use std::collections::BTreeSet;

use marocco::network::Receptor;
use pynn_front::experiment::{Experiment, Protocol};

fn balanced(settings: &[&str]) -> Protocol {
    let experiment = Experiment::find("balanced-random-network").unwrap();
    let mut parameters = experiment.defaults();
    for setting in settings {
        parameters.set(setting).unwrap();
    }
    experiment.build(&parameters).unwrap()
}

#[test]
fn connections_are_those_of_the_original() {
    let protocol = balanced(&[]);
    let network = protocol.model.network();
    let sizes: Vec<_> = network.populations().map(|(_, p)| (p.label.as_str(), p.size)).collect();
    assert_eq!(sizes, [("exc", 1666), ("inh", 417), ("ext", 2083)]);
    let counts: Vec<usize> = network.projections().map(|(_, p)| p.synapses.len()).collect();
    assert_eq!(counts, [276_556, 69_222, 68_306, 17_097, 333_200, 83_400]);
    assert_eq!(network.n_synapses(), 847_781);

    // the number of distinct pairs depends on every draw
    let offsets = network.member_offsets();
    let mut pairs = BTreeSet::new();
    for (id, projection) in network.projections() {
        let (pre, post) = network.endpoints(id);
        let (pre, post) = (offsets[pre.index()] as u32, offsets[post.index()] as u32);
        pairs.extend(projection.synapses.iter().map(|s| (pre + s.pre, post + s.post)));
    }
    assert_eq!(pairs.len(), 807_394);

    // numpy.random.RandomState(1234).randint(0, 1666, 10)
    let (_, first) = network.projections().next().unwrap();
    let sources: Vec<u32> = first.synapses[..10].iter().map(|s| s.pre).collect();
    assert_eq!(sources, [815, 723, 1318, 1077, 1228, 1396, 664, 689, 279, 1257]);
    assert!(first.synapses[..166].iter().all(|s| s.post == 0));
}

#[test]
fn every_neuron_has_its_inputs() {
    let protocol = balanced(&[]);
    let network = protocol.model.network();
    for (id, projection) in network.projections() {
        let (pre, post) = network.endpoints(id);
        let expected = match network.population(pre).label.as_str() {
            "exc" => 166,
            "inh" => 41,
            _ => 200,
        };
        let mut inputs = vec![0; network.population(post).size];
        projection.synapses.iter().for_each(|s| inputs[s.post as usize] += 1);
        assert!(inputs.iter().all(|n| *n == expected), "{}", projection.label);
    }
}

#[test]
fn weights_and_rates_follow_the_adaptation() {
    let protocol = balanced(&["g=10", "eta=1.6"]);
    let network = protocol.model.network();
    for (_, projection) in network.projections() {
        // 0.24 nA over 140 mV (analog §7.1)
        let expected = match projection.receptor {
            Receptor::Excitatory => 0.24 / 140.0,
            Receptor::Inhibitory => 10.0 * 0.24 / 140.0,
        };
        let weight = f64::from(projection.synapses[0].weight_us);
        assert!((weight / expected - 1.0).abs() < 1e-6, "{}: {weight}", projection.label);
    }
    let (_, sources) = network.populations().last().unwrap();
    let marocco::network::PopulationKind::Sources(rates) = &sources.kind else { panic!() };
    assert!((rates.get(0) - 1.6 * 1e4 / 3.0 / 200.0).abs() < 1e-9);
}

#[test]
fn another_seed_is_another_network() {
    let draw = |setting| {
        let protocol = balanced(&["scale=100", setting]);
        let (_, first) = protocol.model.network().projections().next().unwrap();
        first.synapses.clone()
    };
    assert_eq!(draw("network_seed=7"), draw("network_seed=7"));
    assert_ne!(draw("network_seed=7"), draw("network_seed=8"));
}

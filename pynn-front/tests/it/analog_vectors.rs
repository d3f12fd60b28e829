//! Vectors of the analog dossier about the networks of the experiments; `calib/tests/it/vectors.rs` counts
//! all of them.

use marocco::network::{Network, PopulationKind};
use pynn_front::experiment::Experiment;
use serde_json::Value;

/// The vectors of a group.
fn group(name: &str) -> Vec<Value> {
    let text = include_str!("../../../calib/tests/data/analog-vectors.json");
    let file: Value = serde_json::from_str(text).unwrap();
    file["groups"][name].as_array().unwrap().clone()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no number {key} in {value}"))
}

fn built(experiment: &str, settings: &[&str]) -> Network {
    let experiment = Experiment::find(experiment).unwrap();
    let mut parameters = experiment.defaults();
    for setting in settings {
        parameters.set(setting).unwrap();
    }
    experiment.build(&parameters).unwrap().model.network().clone()
}

/// Weight of the first synapse of a projection, uS, and the number of its synapses.
fn projection(network: &Network, label: &str) -> (f64, usize) {
    let (_, found) = network.projections().find(|(_, p)| p.label == label).unwrap();
    (f64::from(found.synapses[0].weight_us), found.synapses.len())
}

#[test]
fn brunel_weight() {
    for v in group("brunel_weight") {
        let network = built("balanced-random-network", &["g=8", "scale=6"]);
        for (label, key) in [("exc->exc", "g_exc_uS"), ("inh->exc", "g_inh_uS")] {
            let expected = number(&v["expect"], key);
            // weights of networks are single precision
            assert!((projection(&network, label).0 / expected - 1.0).abs() < 1e-7, "{label}");
        }
    }
}

#[test]
fn brunel_rate() {
    for v in group("brunel_rate") {
        let eta = format!("eta={}", number(&v["in"], "eta"));
        let network = built("balanced-random-network", &[&eta]);
        let (_, source) = network.populations().find(|(_, p)| p.label == "ext").unwrap();
        let PopulationKind::Sources(rates) = &source.kind else { panic!("neurons") };
        let expected = number(&v["expect"], "rate_per_source_Hz");
        assert!((rates.get(0) / expected - 1.0).abs() < 1e-9, "{eta}");
    }
}

#[test]
fn pd_indegree() {
    let network = built("cortical-microcircuit", &["scale=0.1"]);
    for v in group("pd_indegree") {
        let label = |key: &str| v["in"][key].as_str().unwrap().to_owned();
        let (source, target) = (label("source"), label("target"));
        let drawn = projection(&network, &format!("{source}->{target}")).1;
        assert_eq!(
            drawn as u64,
            v["expect"]["n_syn_scaled"].as_u64().unwrap(),
            "{source}->{target}"
        );
    }
}

#[test]
fn pd_weight_inference() {
    let network = built("cortical-microcircuit", &["scale=0.1", "w_exc_factor=1"]);
    let current_na = 0.0878 * (0.5 / 2.2) / 0.1;
    for v in group("pd_weight_inference") {
        let target = v["in"]["population"].as_str().unwrap();
        for (source, key) in [("23e", "w_exc_uS"), ("23i", "w_inh_uS")] {
            let label = format!("{source}->{target}");
            let Some((_, found)) = network.projections().find(|(_, p)| p.label == label) else {
                continue;
            };
            let Some(first) = found.synapses.first() else { continue };
            let published = number(&v["in"], key);
            assert!((f64::from(first.weight_us) / published - 1.0).abs() < 1e-6, "{label}");
        }
        let mean_mv = number(&v["expect"], "v_mean_mV");
        let w_exc_us = 1.7 * current_na / (50.0 - mean_mv);
        let w_inh_us = 10.0 * current_na / (mean_mv + 150.0);
        assert!((w_exc_us / number(&v["in"], "w_exc_uS") - 1.0).abs() < 1e-4, "{target}");
        assert!((w_inh_us / number(&v["in"], "w_inh_uS") - 1.0).abs() < 1e-4, "{target}");
    }
}

//! Requests for experiments, right and wrong.

use calib::{CellParameters, IfCondExp};
use marocco::network::PopulationKind;
use pynn_front::experiment::{EXPERIMENTS, Experiment};
use pynn_front::parameter::{ParameterError, Value};

fn set(setting: &str) -> Result<Value, ParameterError> {
    let experiment = Experiment::find("balanced-random-network")?;
    let mut parameters = experiment.defaults();
    parameters.set(setting)?;
    let key = setting.split('=').next().unwrap();
    Ok(parameters.values()[key])
}

#[test]
fn settings_reach_their_parameter() {
    assert_eq!(set("g=10").unwrap(), Value::Real(10.0));
    assert_eq!(set("neuron_size=16").unwrap(), Value::Whole(16));
    assert_eq!(set("neuron_size=auto").unwrap(), Value::Auto);
}

#[test]
fn errors_name_culprit_limit_and_way_out() {
    for (setting, message) in [
        (
            "gg=1",
            "unknown parameter `gg`; known are: \
             g, eta, simulation_time, neuron_size, scale, network_seed, variation, readout",
        ),
        ("g", "`g` is not a setting; write KEY=VALUE, like `g=8`"),
        ("g=-1", "g=-1 is not possible; g takes 0.5..=20"),
        ("g=nan", "g=nan is not possible; g takes 0.5..=20"),
        ("g=", "g= is not possible; g takes 0.5..=20"),
        (
            "simulation_time=0",
            "simulation_time=0 is not possible; simulation_time takes 1..=1000000 ms",
        ),
        (
            "neuron_size=7",
            "neuron_size=7 is not possible; \
             neuron_size takes auto or even numbers 2..=64 circuits",
        ),
        ("variation=yes", "variation=yes is not possible; variation takes auto or off or on"),
        (
            "network_seed=1.5",
            "network_seed=1.5 is not possible; network_seed takes whole numbers 0..=4294967295",
        ),
    ] {
        assert_eq!(set(setting).unwrap_err().to_string(), message);
    }
    assert_eq!(
        Experiment::find("brunel").unwrap_err().to_string(),
        "unknown experiment `brunel`; known are: balanced-random-network, cortical-microcircuit, \
         full-wafer"
    );
}

#[test]
fn every_default_is_possible() {
    for experiment in EXPERIMENTS {
        let mut parameters = experiment.defaults();
        for parameter in experiment.parameters {
            parameters.set(&format!("{}={}", parameter.name, parameter.default)).unwrap();
        }
        assert_eq!(parameters, experiment.defaults());
    }
}

#[test]
fn varied_neurons_scatter_around_their_population() {
    let experiment = Experiment::find("cortical-microcircuit").unwrap();
    let mut parameters = experiment.defaults();
    for setting in ["scale=0.02", "variation=on"] {
        parameters.set(setting).unwrap();
    }
    let protocol = experiment.build(&parameters).unwrap();
    let (_, population) = protocol.model.network().populations().next().unwrap();
    let PopulationKind::Neurons(cells) = &population.kind else { panic!("23e are neurons") };
    let cells: Vec<IfCondExp> = (0..population.size)
        .map(|member| match cells.get(member) {
            CellParameters::IfCondExp(cell) => *cell,
            CellParameters::EifCondExpIsfaIsta(_) => panic!("23e has no adaptation"),
        })
        .collect();
    let n = cells.len() as f64;
    let mean = cells.iter().map(|c| c.v_rest).sum::<f64>() / n;
    let std = (cells.iter().map(|c| (c.v_rest - mean).powi(2)).sum::<f64>() / n).sqrt();
    assert!((mean - -42.52).abs() < 0.4 && (std - 2.0).abs() < 0.25, "{mean} {std}");
    assert!(cells.iter().all(|c| c.tau_m > 3.0 && c.tau_syn_e > 1.8 && c.tau_syn_e < 4.0));
    assert!(cells.iter().all(|c| c.cm == 0.25));
}

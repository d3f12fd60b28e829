//! Requests for experiments, right and wrong.

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
             g, eta, simulation_time, neuron_size, scale, network_seed",
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
        (
            "network_seed=1.5",
            "network_seed=1.5 is not possible; network_seed takes whole numbers 0..=4294967295",
        ),
    ] {
        assert_eq!(set(setting).unwrap_err().to_string(), message);
    }
    assert_eq!(
        Experiment::find("brunel").unwrap_err().to_string(),
        "unknown experiment `brunel`; known are: balanced-random-network"
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

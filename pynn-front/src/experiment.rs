//! The experiments that come with the program: what they are, their parameters, how they are
//! built.

mod balanced;
mod cortical;
mod variation;

use calib::{CircuitMode, Scaling};
use marocco::{NeuronSize, NeuronSizeChoice};

use crate::model::{Model, ModelError};
use crate::networks::Drawn;
use crate::parameter::{Domain, Parameter, ParameterError, Parameters, Value};

/// A network with everything that a run needs to know.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// The network and what is recorded of it.
    pub model: Model,
    /// Biological time of the run in ms.
    pub duration_ms: f64,
    /// Biological to hardware units.
    pub scaling: Scaling,
    /// Capacitor and leak mode of all circuits.
    pub mode: CircuitMode,
    /// Circuits per neuron.
    pub neuron_size: NeuronSizeChoice,
}

/// An experiment that can be asked for by name.
#[derive(Debug)]
pub struct Experiment {
    /// Name on the command line.
    pub name: &'static str,
    /// One line about it.
    pub summary: &'static str,
    /// What can be set.
    pub parameters: &'static [Parameter],
    build: fn(&Parameters) -> Result<Protocol, ModelError>,
}

/// All experiments.
pub const EXPERIMENTS: &[Experiment] = &[
    Experiment {
        name: "balanced-random-network",
        summary: "Brunel's network of excitatory and inhibitory neurons with Poisson input, \
                  adapted to the wafer (analog §7.1, mapping §5.2)",
        parameters: balanced::PARAMETERS,
        build: balanced::build,
    },
    Experiment {
        name: "cortical-microcircuit",
        summary: "Potjans and Diesmann's microcircuit of eight populations, scaled down and \
                  driven by its leak potentials (analog §7.2, mapping §5.2)",
        parameters: cortical::PARAMETERS,
        build: cortical::build,
    },
];

const SIMULATION_TIME: Parameter = Parameter {
    name: "simulation_time",
    default: Value::Real(10_000.0),
    domain: Domain::Real(1.0, 1_000_000.0),
    unit: "ms",
    meaning: "biological time",
};

const NEURON_SIZE: Parameter = Parameter {
    name: "neuron_size",
    default: Value::Auto,
    domain: Domain::AutoOrEven(2, 64),
    unit: "circuits",
    meaning: "circuits per neuron",
};

/// What both experiments share: a network for a given time, with neurons that are all alike or
/// vary.
fn protocol(
    drawn: Drawn,
    parameters: &Parameters,
    spread: &variation::Spread,
) -> Result<Protocol, ModelError> {
    let Drawn { mut model, scaling, mode, .. } = drawn;
    if parameters.is("variation", "on") {
        spread.vary(&mut model, parameters.whole("network_seed").unwrap_or_default())?;
    }
    Ok(Protocol {
        model,
        duration_ms: parameters.real("simulation_time"),
        scaling,
        mode,
        neuron_size: parameters
            .whole("neuron_size")
            .and_then(|n| NeuronSize::try_from(n as usize).ok())
            .map_or(NeuronSizeChoice::Auto, NeuronSizeChoice::Fixed),
    })
}

impl Experiment {
    /// The experiment of this name.
    pub fn find(name: &str) -> Result<&'static Self, ParameterError> {
        EXPERIMENTS.iter().find(|e| e.name == name).ok_or_else(|| {
            let known = EXPERIMENTS.iter().map(|e| e.name).collect::<Vec<_>>().join(", ");
            ParameterError::UnknownExperiment { name: name.to_owned(), known }
        })
    }

    /// Its parameters at their defaults.
    pub fn defaults(&self) -> Parameters {
        Parameters::defaults(self.parameters)
    }

    /// Draws the network.
    pub fn build(&self, parameters: &Parameters) -> Result<Protocol, ModelError> {
        (self.build)(parameters)
    }
}

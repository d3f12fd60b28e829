//! The experiments that come with the program: what they are, their parameters, how they are
//! built.

mod balanced;

use calib::{CircuitMode, Scaling};
use marocco::NeuronSizeChoice;

use crate::model::{Model, ModelError};
use crate::parameter::{Parameter, ParameterError, Parameters};

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
pub const EXPERIMENTS: &[Experiment] = &[Experiment {
    name: "balanced-random-network",
    summary: "Brunel's network of excitatory and inhibitory neurons with Poisson input, adapted \
              to the wafer (analog §7.1, mapping §5.2)",
    parameters: balanced::PARAMETERS,
    build: balanced::build,
}];

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

//! The experiments that come with the program: what they are, their parameters, how they are
//! built.

mod balanced;
mod cortical;
mod full_wafer;
pub mod sweep;
pub mod variation;

use calib::{CircuitMode, Scaling};
use marocco::network::{Network, PopulationId};
use marocco::{NeuronSize, NeuronSizeChoice};

use crate::model::{Model, ModelError};
use crate::networks::Drawn;
use crate::parameter::{Domain, Parameter, ParameterError, Parameters, Value};
use crate::recording::Recording;
use variation::Spread;

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
    /// Which of the recorded neurons are read out.
    pub readout: Readout,
    /// Biological ms after which a second sample is taken; none without one.
    pub second_after_ms: Option<f64>,
}

/// Which neurons of the recorded populations are read out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Readout {
    /// All of them. The link of a chip carries 2.5 kHz of biological time, shared by its neurons.
    #[default]
    All,
    /// The first members of some populations, so many of each. Each of these neurons has a chip of its
    /// own, so that it may fire with up to 2.5 kHz (analog §7.1).
    Isolated(Vec<(PopulationId, usize)>),
}

impl Readout {
    /// Leaves only the neurons that are read out.
    pub fn cut(&self, network: &Network, recording: &mut Recording) {
        let Self::Isolated(chosen) = self else { return };
        recording.populations.retain_mut(|population| {
            let label = |id: PopulationId| &network.population(id).label;
            let Some((_, n)) = chosen.iter().find(|(id, _)| *label(*id) == population.label) else {
                return false;
            };
            population.trains.truncate(*n);
            true
        });
    }
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
    /// Parameters that change weights and inputs only, so that one mapping serves a list of their
    /// values.
    pub swept: &'static [&'static str],
    /// How neurons and synapses vary in the published comparison with simulation.
    pub spread: &'static Spread,
    build: fn(&Parameters) -> Result<Protocol, ModelError>,
}

/// All experiments.
pub const EXPERIMENTS: &[Experiment] = &[
    Experiment {
        name: "balanced-random-network",
        summary: "Brunel's network of excitatory and inhibitory neurons with Poisson input, \
                  adapted to the wafer (analog §7.1, mapping §5.2)",
        parameters: balanced::PARAMETERS,
        swept: &["g", "eta"],
        spread: &Spread::BALANCED,
        build: balanced::build,
    },
    Experiment {
        name: "cortical-microcircuit",
        summary: "Potjans and Diesmann's microcircuit of eight populations, scaled down and \
                  driven by its leak potentials (analog §7.2, mapping §5.2)",
        parameters: cortical::PARAMETERS,
        swept: &["w_exc_factor"],
        spread: &Spread::CORTICAL,
        build: cortical::build,
    },
    Experiment {
        name: "full-wafer",
        summary: "a ring of 22,528 neurons with 11,264,000 inhibitory synapses, which fire by \
                  themselves; or some eighths of it",
        parameters: full_wafer::PARAMETERS,
        swept: &[],
        spread: &Spread::BALANCED,
        build: full_wafer::build,
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

/// What all experiments share: a network for a given time, with neurons that are all alike or
/// vary.
fn protocol(
    drawn: Drawn,
    parameters: &Parameters,
    spread: &Spread,
    readout: Readout,
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
        readout,
        second_after_ms: None,
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

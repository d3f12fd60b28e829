//! The networks that come with the program: those on which mapping is measured (mapping §5), to be
//! had by name.
//!
//! ```
//! use pynn_front::networks::Recipe;
//!
//! let recipe = Recipe::find("random10")?;
//! let mut parameters = recipe.defaults();
//! parameters.set("n=100")?;
//! let drawn = recipe.draw(&parameters)?;
//! assert_eq!(drawn.model.network().n_synapses(), 1016);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod balanced;
mod boltzmann;
mod cortical;
mod feedforward;
mod ising;
mod local_receptive;
mod noise;
mod original;
mod random;
mod ring;
mod synfire;

use calib::{CircuitMode, EifCondExpIsfaIsta, IfCondExp, Scaling};
use marocco::NeuronSizeChoice;

use crate::model::{CellType, Model, ModelError};
use crate::parameter::{Parameter, ParameterError, Parameters};

pub(crate) use balanced::{ETA, G, NETWORK_SEED, SCALE, balanced};
pub(crate) use cortical::{CORTICAL_SCALE, CORTICAL_SEED, W_EXC_FACTOR, cortical};
pub(crate) use ring::{EIGHTHS, RING_SEED, ring};

/// A network with what the mapper needs to know besides.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The network.
    pub model: Model,
    /// Biological to hardware units.
    pub scaling: Scaling,
    /// Capacitor and leak mode of all circuits.
    pub mode: CircuitMode,
    /// Circuits per neuron.
    pub neuron_size: NeuronSizeChoice,
}

/// A network that can be asked for by name.
#[derive(Debug)]
pub struct Recipe {
    /// Name on the command line.
    pub name: &'static str,
    /// One line about it.
    pub summary: &'static str,
    /// What can be set.
    pub parameters: &'static [Parameter],
    /// Settings at which the mapping benchmark takes it, small networks first; `KEY=VALUE`s with
    /// blanks between them.
    pub benchmark: &'static [&'static str],
    /// Neuron sizes at which the mapping benchmark takes it.
    pub benchmark_neuron_sizes: &'static [&'static str],
    draw: fn(&Parameters) -> Result<Drawn, ModelError>,
}

/// Sizes that the benchmark takes of most networks: the default of the original, and a free choice.
const FOUR_AND_AUTO: &[&str] = &["4", "auto"];

/// All networks.
pub const RECIPES: &[Recipe] = &[
    cortical::BENCHMARK,
    cortical::DEMO,
    balanced::DEMO,
    random::RANDOM10,
    random::RANDOM30,
    ising::RECIPE,
    boltzmann::FULLY_VISIBLE,
    boltzmann::RESTRICTED,
    local_receptive::RECIPE,
    noise::RECIPE,
    feedforward::RECIPE,
    synfire::RECIPE,
    ring::RECIPE,
];

impl Recipe {
    /// The network of this name.
    pub fn find(name: &str) -> Result<&'static Self, ParameterError> {
        RECIPES.iter().find(|r| r.name == name).ok_or_else(|| {
            let known = RECIPES.iter().map(|r| r.name).collect::<Vec<_>>().join(", ");
            ParameterError::UnknownNetwork { name: name.to_owned(), known }
        })
    }

    /// Its parameters at their defaults.
    pub fn defaults(&self) -> Parameters {
        Parameters::defaults(self.parameters)
    }

    /// Draws the network. Equal parameters give equal networks.
    pub fn draw(&self, parameters: &Parameters) -> Result<Drawn, ModelError> {
        (self.draw)(parameters)
    }
}

/// Excitatory and inhibitory conductance in uS of the networks of adaptive neurons, whose recipes
/// give none that could be had: all neuron sizes realise them.
const PLAIN_WEIGHTS_US: [f32; 2] = [0.001, 0.004];

/// The adaptive neuron that most networks of the benchmark have: PyNN's defaults, but for the
/// refractory time and the slope, whose defaults the circuits do not reach.
fn adaptive() -> CellType {
    let cell = EifCondExpIsfaIsta { tau_refrac: 1.0, delta_t: 1.0, ..Default::default() };
    CellType::EifCondExpIsfaIsta(cell)
}

/// The neuron without adaptation: PyNN's defaults, but for the refractory time.
fn integrating() -> CellType {
    CellType::IfCondExp(IfCondExp { tau_refrac: 1.0, ..Default::default() })
}

/// A network of these cells, at the default scaling of -80..0 mV onto 0.4..1.2 V.
fn plain(model: Model) -> Drawn {
    Drawn {
        model,
        scaling: Scaling::default(),
        mode: CircuitMode::default(),
        neuron_size: NeuronSizeChoice::Auto,
    }
}

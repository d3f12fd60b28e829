//! What a caller can ask of the mapper, and how it says no.

use calib::{CircuitMode, Scaling};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Number of circuits of a neuron: even, 2..=64 (mapping §2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "usize", into = "usize")]
pub struct NeuronSize(u8);

/// A neuron cannot have this many circuits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("neuron size {0}: a neuron has an even number of circuits, 2 to 64")]
pub struct InvalidNeuronSize(pub usize);

impl TryFrom<usize> for NeuronSize {
    type Error = InvalidNeuronSize;
    fn try_from(circuits: usize) -> Result<Self, InvalidNeuronSize> {
        match circuits {
            2..=64 if circuits.is_multiple_of(2) => Ok(Self(circuits as u8)),
            _ => Err(InvalidNeuronSize(circuits)),
        }
    }
}

impl From<NeuronSize> for usize {
    fn from(size: NeuronSize) -> Self {
        size.0 as usize
    }
}

impl NeuronSize {
    /// Sizes tried by [`NeuronSizeChoice::Auto`], small first.
    pub const AUTOMATIC: [Self; 8] =
        [Self(4), Self(8), Self(12), Self(16), Self(20), Self(24), Self(32), Self(64)];

    /// Number of circuits.
    pub const fn circuits(self) -> usize {
        self.0 as usize
    }

    /// Number of columns, half the circuits.
    pub const fn width(self) -> u8 {
        self.0 / 2
    }

    /// Neurons of this size on a chip: a neuron lies within one of the eight blocks of 32 columns,
    /// and one bus has 59 addresses (topology §6, §7.2).
    pub const fn neurons_per_hicann(self) -> usize {
        let fit = 8 * (32 / self.width() as usize);
        if fit < ADDRESSES_PER_BUS { fit } else { ADDRESSES_PER_BUS }
    }
}

/// Usable addresses of a bus (topology §6).
pub const ADDRESSES_PER_BUS: usize = 59;

/// How many circuits a neuron gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NeuronSizeChoice {
    /// The smallest number of chips among those that lose the least.
    #[default]
    Auto,
    /// All neurons have this size.
    Fixed(NeuronSize),
}

/// Options of [`crate::map()`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MapOptions {
    /// Circuits per neuron.
    pub neuron_size: NeuronSizeChoice,
    /// Longest chain of synapse drivers on one bus, 1..=8; 3 keeps the signal clean (topology
    /// §7.5).
    pub chain_length: usize,
    /// Share of the event links that inputs may use, above 0 and at most 1 (mapping §1.8).
    pub bandwidth_utilisation: f64,
    /// Biological to hardware units.
    pub scaling: Scaling,
    /// Capacitor and leak mode of all chips.
    pub mode: CircuitMode,
    /// Seed of the search for driver positions.
    pub seed: u64,
}

impl MapOptions {
    /// The defaults of the original tool: chains of 3, 80 % of the links (mapping §2.18), and
    /// automatic neuron sizes.
    pub const fn new(scaling: Scaling, mode: CircuitMode) -> Self {
        Self {
            neuron_size: NeuronSizeChoice::Auto,
            chain_length: 3,
            bandwidth_utilisation: 0.8,
            scaling,
            mode,
            seed: 0,
        }
    }
}

/// Events per second that fit through the link from the FPGA to a chip: one per 56 ns (topology
/// §8.2).
pub const HICANN_INPUT_HZ: f64 = 17.8e6;
/// Events per second that an FPGA can send to its eight chips (topology §8.2).
pub const FPGA_INPUT_HZ: f64 = 125e6;

/// A network that cannot be mapped as asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MapError {
    /// The option has no meaning.
    #[error("chain length {0}: a bus drives chains of 1 to {max} synapse drivers", max = crate::demand::MAX_CHAIN)]
    ChainLength(usize),
    /// The option has no meaning.
    #[error("bandwidth utilisation {0}: a share of the links above 0 and up to 1")]
    BandwidthUtilisation(f64),
    /// More buses than can be broadcast to every chip.
    #[error(
        "the network needs {buses} buses ({neuron_chips} chips of neurons of size {neuron_size}, \
         {input_chips} of inputs), but only {limit} can be broadcast over the wafer; \
         use smaller neurons, fewer neurons or lower input rates"
    )]
    TooManyBuses {
        /// Buses needed.
        buses: usize,
        /// Of them with neurons.
        neuron_chips: usize,
        /// Of them with external inputs.
        input_chips: usize,
        /// Circuits per neuron.
        neuron_size: usize,
        /// What the wafer can broadcast.
        limit: usize,
    },
    /// One source is faster than its link.
    #[error(
        "source {member} of `{population}` fires at {rate_hz:.1} Hz, {hardware_hz:.3e} events/s on \
         the wafer, but the link of a chip carries {limit_hz:.3e}; lower its rate or the speedup"
    )]
    SourceTooFast {
        /// Label of the population.
        population: String,
        /// Which member.
        member: usize,
        /// Biological rate.
        rate_hz: f64,
        /// Rate on the wafer.
        hardware_hz: f64,
        /// Limit on the wafer.
        limit_hz: f64,
    },
    /// The inputs together are faster than the FPGAs of the chips in use.
    #[error(
        "{unplaced} of {inputs} input buses find no chip whose FPGA has bandwidth left \
         ({limit_hz:.3e} events/s each); lower the input rates"
    )]
    InputBandwidth {
        /// Buses without a chip.
        unplaced: usize,
        /// All input buses.
        inputs: usize,
        /// Limit per FPGA.
        limit_hz: f64,
    },
    /// Cells that share a chip want different values of a shared parameter.
    #[error(
        "population `{population}`: its neurons have different v_reset ({low} and {high} mV), \
         which all neurons of a chip share; give the population one v_reset"
    )]
    VariedReset {
        /// Label of the population.
        population: String,
        /// Smallest value.
        low: f64,
        /// Largest value.
        high: f64,
    },
    /// A cell parameter is far outside of what the circuits reach.
    #[error("population `{population}`, neuron {member}: {source}")]
    Cell {
        /// Label of the population.
        population: String,
        /// Which member.
        member: usize,
        /// What is wrong.
        source: calib::TranslateError,
    },
}

//! Configuration as HICANNCONFIG words, the only form in which it reaches a wafer
//! (hal-config §2, §4.3).
//!
//! [`encode_wafer`] writes the words that put chips into a configuration, [`decode_wafer`] is a
//! model of the chips' registers and finds the configuration in the words again. Each bit layout
//! has one home, a submodule with both directions.
//!
//! Two things do not travel: the seed of a background generator that is off, since the chip takes
//! a seed over when a generator starts; and the synapses of a driver that is off, if all of them
//! are switched off, since that is how they come up.
//!
//! ```
//! use hal::codec::{decode_wafer, encode_wafer};
//! use hal::config::WaferConfig;
//! use hal::coord::{CrossbarSwitchOnHicann, HicannOnWafer};
//! let mut config = WaferConfig::default();
//! let chip = config.hicann_mut(HicannOnWafer::new::<93>());
//! chip.crossbar.set(CrossbarSwitchOnHicann::new::<385>(), true);
//! let words = encode_wafer(&config).unwrap();
//! assert_eq!(decode_wafer(&words).unwrap(), config);
//! ```

mod analog;
mod bus;
mod chip;
mod fg_controller;
mod fg_pass;
mod floating_gate;
#[cfg(test)]
mod invariants;
mod merger;
mod neuron;
mod read_back;
mod repeater;
mod stage;
mod switches;
mod synapse_array;
mod synapse_commands;
mod synapse_controller;
mod synapse_driver;
mod test_port;
mod wafer;

use thiserror::Error;

use crate::config::{HicannConfig, InvalidIoCode};
use crate::coord::{
    Coordinate, DncMergerOnHicann, FpgaOnWafer, HicannOnWafer, QuadOnHicann, Vertical,
};

pub use bus::{Access, Answer, Operation, Unit};
pub use fg_controller::{FgAnswer, FgBias, FgWrite};
pub use fg_pass::{FgDirection, FgPass, Programming};
pub use read_back::ReadPlace;
pub use stage::Stage;
pub(crate) use stage::{Extent, Task};
pub use synapse_commands::row_update_clocks;
pub use test_port::{gray_to_binary, ports_full, recorded_event};
pub use wafer::{WaferState, decode_wafer, encode_hicann, encode_wafer};
pub(crate) use wafer::{after_init, encode_reads, encode_stage};

/// A configuration that no register value expresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unencodable {
    /// Analog outputs and current inputs of a quad row.
    #[error(transparent)]
    IoCode(#[from] InvalidIoCode),
    /// Only the first analog output can show the fire line.
    #[error("the second analog output cannot show the fire line; use the first one")]
    FireLine,
    /// The loopback connection of a pair of DNC mergers has one direction.
    #[error("{merger} and {partner} are looped back to each other; switch one of both off")]
    Loopback {
        /// One merger.
        merger: DncMergerOnHicann,
        /// Its partner.
        partner: DncMergerOnHicann,
    },
}

/// Everything in a configuration that no register value expresses.
pub(crate) fn unencodable(config: &HicannConfig) -> Vec<Unencodable> {
    let rows = QuadOnHicann::all().flat_map(|quad| Vertical::ALL.map(|row| (quad, row)));
    let io = rows.filter_map(|(quad, row)| config.neurons.io_code(quad, row).err());
    let rest = [analog::check(&config.analog), merger::check_dnc(&config.mergers.dnc)];
    io.map(Unencodable::from).chain(rest.into_iter().filter_map(Result::err)).collect()
}

/// A chip cannot be configured like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{hicann}: {reason}")]
pub struct EncodeError {
    /// The chip.
    pub hicann: HicannOnWafer,
    /// What is wrong.
    pub reason: Unencodable,
}

/// Words that no chip understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Not a HICANNCONFIG word.
    #[error("{fpga}, word {index}: reserved bits are set in {word:#018x}")]
    Reserved {
        /// The FPGA.
        fpga: FpgaOnWafer,
        /// Position of the word.
        index: usize,
        /// The word.
        word: u64,
    },
    /// A register that does not exist, or a value that it does not take.
    #[error("{hicann}, word {index}: {data:#x} to {unit:?} {local:#x}: {what}")]
    Refused {
        /// The chip.
        hicann: HicannOnWafer,
        /// Position of the word among those of its FPGA.
        index: usize,
        /// The unit.
        unit: Unit,
        /// Local address in the unit.
        local: u16,
        /// The data.
        data: u32,
        /// What is wrong.
        what: &'static str,
    },
    /// Registers that contradict each other after the last word.
    #[error("{hicann}: the words leave {what}")]
    Inconsistent {
        /// The chip.
        hicann: HicannOnWafer,
        /// What is wrong.
        what: &'static str,
    },
}

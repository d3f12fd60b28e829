//! Synapse arrays, drivers and their controllers (hal-config §1.4 to §1.6; topology §7.4).

use serde::{Deserialize, Serialize};

use super::{Plasticity, SramTiming};
use crate::coord::{
    DriverDecoder, RowOnSynapseDriver, SynapseDecoder, SynapseDriverOnHicann, SynapseOnHicann,
    SynapseRowOnHicann, Table,
};
use crate::value::{
    ControllerDelay, GmaxDivisor, GmaxSelect, StpCapacitor, SynapseWeight, WriteDelay,
};

/// Direction of the short-term plasticity of a driver (hal-config §1.5, bits in §2.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum StpMode {
    /// Mode bit 0, the state after reset: efficacy grows with each event.
    #[default]
    Facilitation,
    /// Mode bit 1: efficacy falls with each event.
    Depression,
}

/// One of the two rows of a driver (hal-config §1.5, bits in §2.12).
///
/// An event reaches the synapses of the row whose column parity has a decoder equal to the upper
/// two bits of its address, and of these the ones with a [`SynapseDecoder`] equal to the lower
/// four. The current of a synapse grows with its weight and the row's V_gmax and falls with the divisors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowConfig {
    /// Connects the row to the left (0, excitatory) and right (1, inhibitory) synaptic input of its
    /// circuits; neither after reset.
    pub synaptic_input: [bool; 2],
    /// Upper two address bits that the even (0) and odd (1) columns respond to; 0 after reset.
    pub decoder: [DriverDecoder; 2],
    /// Which of V_gmax0..3 of its quadrant the row uses, 0..=3; 0 after reset.
    pub gmax_select: GmaxSelect,
    /// Left and right divisor, 0..=15 each; the conductance falls with their sum. 1 and 1 after
    /// reset; useful sums are 2..=30.
    pub gmax_divisor: [GmaxDivisor; 2],
}

impl Default for RowConfig {
    fn default() -> Self {
        Self {
            synaptic_input: [false; 2],
            decoder: [DriverDecoder::new::<0>(); 2],
            gmax_select: GmaxSelect::default(),
            gmax_divisor: [GmaxDivisor::new::<1>(); 2],
        }
    }
}

/// One synapse driver (hal-config §1.5, topology §7.4, §7.5; bits in §2.12).
///
/// A driver takes events from L1, by a synapse switch next to it or from its neighbour, and feeds
/// two rows of 256 synapses. Everything is off after reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SynapseDriver {
    /// Drives its two rows; a driver without it may still pass events on to its neighbour.
    pub enable: bool,
    /// Takes events from the synapse switches of its row.
    pub locin: bool,
    /// Bridges to the next driver of the quadrant away from the chip centre.
    pub connect_neighbor: bool,
    /// Switches short-term plasticity on.
    pub stp_enable: bool,
    /// Depression or facilitation.
    pub stp_mode: StpMode,
    /// Capacitor of the short-term plasticity, 0..=7: how much of its resources an event uses.
    pub stp_capacitor: StpCapacitor,
    /// Upper and lower row.
    pub rows: [RowConfig; 2],
}

/// Weights, decoders and drivers of a chip (hal-config §1.4, §1.5).
///
/// 448 rows of 256 synapses above and below the circuits; the upper half of the rows drives the top
/// row of circuits. Words in hal-config §2.9 to §2.12.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynapseArrays {
    /// Four-bit weights, 0..=15; 0 after reset.
    pub weights: Table<SynapseOnHicann, SynapseWeight>,
    /// Four-bit decoders. Unused synapses carry [`SynapseDecoder::DISABLED`].
    pub decoders: Table<SynapseOnHicann, SynapseDecoder>,
    /// The drivers.
    pub drivers: Table<SynapseDriverOnHicann, SynapseDriver>,
}

impl Default for SynapseArrays {
    /// Every synapse switched off: weight 0 and the decoder that nobody sends.
    fn default() -> Self {
        Self {
            weights: Table::default(),
            decoders: Table::filled(SynapseDecoder::DISABLED),
            drivers: Table::default(),
        }
    }
}

impl SynapseArrays {
    /// The settings of a row.
    pub fn row(&self, row: SynapseRowOnHicann) -> &RowConfig {
        &self.drivers[row.driver()].rows[row.on_driver().index()]
    }

    /// The settings of a row.
    pub fn row_mut(&mut self, row: SynapseRowOnHicann) -> &mut RowConfig {
        &mut self.drivers[row.driver()].rows[row.on_driver().index()]
    }
}

impl SynapseDriver {
    /// The settings of the upper or lower row.
    pub const fn row(&self, row: RowOnSynapseDriver) -> &RowConfig {
        &self.rows[row.index()]
    }
}

/// Controller of one synapse array: timing, locking of the drivers' delay-locked loops, and
/// plasticity (hal-config §1.6, registers in §2.13).
///
/// It writes and reads the rows of its array on command. All delays count chip clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynapseController {
    /// Releases the delay-locked loops of the left (0) and right (1) drivers from reset, so that
    /// they lock to the background events of their buses; held after reset.
    pub dll_released: [bool; 2],
    /// Clocks of a write, 0..=3; 2 after reset.
    pub write_delay: WriteDelay,
    /// Clocks until output is valid, 0..=15; 15 after reset.
    pub output_delay: ControllerDelay,
    /// Clocks of precharge, 0..=15; 15 after reset.
    pub setup_precharge: ControllerDelay,
    /// Clocks of enable, 0..=15; 15 after reset.
    pub enable_delay: ControllerDelay,
    /// Timing of the memories that hold the settings of the drivers.
    pub driver_timing: SramTiming,
    /// Long-term plasticity.
    pub plasticity: Plasticity,
}

impl Default for SynapseController {
    fn default() -> Self {
        Self {
            dll_released: [false; 2],
            write_delay: WriteDelay::new::<2>(),
            output_delay: ControllerDelay::new::<15>(),
            setup_precharge: ControllerDelay::new::<15>(),
            enable_delay: ControllerDelay::new::<15>(),
            driver_timing: SramTiming::DEFAULT,
            plasticity: Plasticity::default(),
        }
    }
}

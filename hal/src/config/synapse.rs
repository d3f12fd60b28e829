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

/// Short-term plasticity of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum StpMode {
    /// Mode bit 0.
    #[default]
    Facilitation,
    /// Mode bit 1.
    Depression,
}

/// One of the two rows of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowConfig {
    /// Connects the row to the left (0, excitatory) and right (1, inhibitory) synaptic input.
    pub synaptic_input: [bool; 2],
    /// Upper address bits that the even (0) and odd (1) columns respond to.
    pub decoder: [DriverDecoder; 2],
    /// Which V_gmax the row uses.
    pub gmax_select: GmaxSelect,
    /// Left and right divisor; the conductance falls with their sum.
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

/// One synapse driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SynapseDriver {
    /// Drives its two rows.
    pub enable: bool,
    /// Takes events from the synapse switches of its row.
    pub locin: bool,
    /// Bridges to the next driver of the quadrant away from the chip centre.
    pub connect_neighbor: bool,
    /// Switches short-term plasticity on.
    pub stp_enable: bool,
    /// Depression or facilitation.
    pub stp_mode: StpMode,
    /// Utilisation of the short-term plasticity.
    pub stp_capacitor: StpCapacitor,
    /// Upper and lower row.
    pub rows: [RowConfig; 2],
}

/// Weights, decoders and drivers of a chip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynapseArrays {
    /// Four-bit weights.
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
/// plasticity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynapseController {
    /// Releases the delay-locked loops of the left (0) and right (1) drivers from reset.
    pub dll_released: [bool; 2],
    /// Clocks of a write.
    pub write_delay: WriteDelay,
    /// Clocks until output is valid.
    pub output_delay: ControllerDelay,
    /// Clocks of precharge.
    pub setup_precharge: ControllerDelay,
    /// Clocks of enable.
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

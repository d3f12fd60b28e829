//! Currents that a floating-gate block feeds into a membrane (hal-config §1.10, §2.18).

use serde::{Deserialize, Serialize};

use crate::coord::Table;
use crate::value::{DacCode, PulseLength, StimulusSample};

/// A current in 129 steps. It reaches the circuit whose `enable_current_input` is set among those
/// of the block's row and column parity; I_bstim scales it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentStimulus {
    /// Current by step; 1023 is nominally 2.5 uA. All 0 after reset.
    pub samples: Table<StimulusSample, DacCode>,
    /// Starts again after the last step; set after reset.
    pub continuous: bool,
    /// Length of a step. The original leaves the default open (hal-config §11); here the longest.
    pub pulse_length: PulseLength,
}

impl Default for CurrentStimulus {
    fn default() -> Self {
        Self { samples: Table::default(), continuous: true, pulse_length: PulseLength::new::<15>() }
    }
}

impl CurrentStimulus {
    /// PLL clocks of one step.
    pub const fn step_clocks(&self) -> u32 {
        4 * (self.pulse_length.index() as u32 + 1)
    }
}

//! Timing of the small memories in repeaters, neuron builder and synapse drivers
//! (hal-config §0.3, §2.2).

use std::num::NonZeroU8;

use serde::{Deserialize, Serialize};

use crate::value::SramDelay;

/// How long the controller of a small memory waits. All counts are chip clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SramTiming {
    /// From the read signal to valid data, 1..=255.
    pub read_delay: NonZeroU8,
    /// Precharge before an access, 0..=15.
    pub setup_precharge: SramDelay,
    /// Length of the write signal, 0..=15.
    pub write_delay: SramDelay,
}

impl SramTiming {
    /// The timing after reset: 64, 8 and 8.
    pub const DEFAULT: Self = Self {
        read_delay: NonZeroU8::new(64).expect("64 is not zero"),
        setup_precharge: SramDelay::new::<8>(),
        write_delay: SramDelay::new::<8>(),
    };

    /// Clocks of a write.
    pub const fn write_clocks(self) -> u32 {
        (self.setup_precharge.index() + 2 + self.write_delay.index() + 2) as u32
    }

    /// Clocks of a read.
    pub const fn read_clocks(self) -> u32 {
        self.setup_precharge.index() as u32 + 2 + self.read_delay.get() as u32 + 2
    }
}

impl Default for SramTiming {
    fn default() -> Self {
        Self::DEFAULT
    }
}

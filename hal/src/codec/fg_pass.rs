//! Passes of the floating-gate controllers, and how a chip is programmed with them
//! (hal-config §1.10, §2.18, §5.4).

use serde::{Deserialize, Serialize};

use super::fg_controller::FgBias;
use crate::coord::FgRowOnBlock;
use crate::value::{DacCode, FgTime, PulseLength};

/// In which direction a pass moves the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FgDirection {
    /// Raises cells below their value; instruction 1.
    Up,
    /// Lowers cells above their value; instruction 2.
    Down,
}

/// One programming pass: direction and settings of the controller. Times count clocks of the
/// controller, `pulse_length + 1` slow clocks of four PLL clocks each (hal-config §1.10).
///
/// The two bias currents of the original are always 0, which it enforces itself, and so are its
/// switches for calibration and grounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FgPass {
    /// Direction of the pass.
    pub direction: FgDirection,
    /// Most write pulses per cell, 0..=255; default 255.
    pub max_cycle: u8,
    /// Clocks of a comparison; default 40.
    pub read_time: FgTime,
    /// Pulses after which the write time doubles; default 9.
    pub acceleration_step: FgTime,
    /// First write time of voltage cells; default 15.
    pub voltage_write_time: FgTime,
    /// First write time of current cells; default 1.
    pub current_write_time: FgTime,
    /// Length of a clock of the controller; default 9.
    pub pulse_length: PulseLength,
}

impl FgPass {
    const COARSE: Self = Self {
        direction: FgDirection::Down,
        max_cycle: 255,
        read_time: FgTime::new::<40>(),
        acceleration_step: FgTime::new::<9>(),
        voltage_write_time: FgTime::new::<15>(),
        current_write_time: FgTime::new::<1>(),
        pulse_length: PulseLength::new::<9>(),
    };
    const FINE: Self = Self {
        direction: FgDirection::Down,
        max_cycle: 10,
        read_time: FgTime::new::<63>(),
        acceleration_step: FgTime::new::<63>(),
        voltage_write_time: FgTime::new::<5>(),
        current_write_time: FgTime::new::<20>(),
        pulse_length: PulseLength::new::<1>(),
    };
    /// The default list: coarse down and up, fine down and up.
    pub const DEFAULT: [Self; 4] = [
        Self::COARSE,
        Self { direction: FgDirection::Up, ..Self::COARSE },
        Self::FINE,
        Self { direction: FgDirection::Up, ..Self::FINE },
    ];
    /// The pass that lowers all cells to zero before they are programmed.
    pub const ERASE: Self = Self {
        direction: FgDirection::Down,
        max_cycle: 23,
        read_time: FgTime::new::<30>(),
        acceleration_step: FgTime::new::<2>(),
        voltage_write_time: FgTime::new::<63>(),
        current_write_time: FgTime::new::<63>(),
        pulse_length: PulseLength::new::<15>(),
    };
    /// The pass that raises large currents at once.
    pub const FAST_UP: Self = Self { direction: FgDirection::Up, max_cycle: 31, ..Self::ERASE };

    /// The operation register.
    pub const fn operation(self) -> u32 {
        (self.current_write_time.index() as u32) << 26
            | (self.voltage_write_time.index() as u32) << 20
            | (self.acceleration_step.index() as u32) << 14
            | (self.read_time.index() as u32) << 8
            | self.max_cycle as u32
    }

    /// The bias register.
    pub fn bias(self) -> u32 {
        FgBias { pulse_length: self.pulse_length, ..FgBias::default() }.to_register()
    }

    /// PLL clocks that a row takes if no cell ever reaches its value.
    pub fn worst_case_clocks(self, row: FgRowOnBlock) -> u64 {
        let pulse = self.pulse_length.index() as u64 + 1;
        let first =
            if row.is_current() { self.current_write_time } else { self.voltage_write_time };
        let mut write_time = first.index() as u64;
        let (mut clocks, mut last) = (0, 0);
        for cycle in 0..=u64::from(self.max_cycle) {
            if cycle == last + self.acceleration_step.index() as u64 && write_time < 128 {
                write_time *= 2;
                last = cycle;
            }
            clocks += write_time * pulse + (self.read_time.index() as u64 + 1) * pulse * 129;
        }
        4 * clocks
    }
}

/// How the cells of a chip are programmed (hal-config §1.10, §5.4): erased with
/// [`FgPass::ERASE`], then row by row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programming {
    /// Passes that each row goes through; [`FgPass::DEFAULT`] unless set. Erased cells reach their
    /// values by an upward pass only.
    pub passes: Vec<FgPass>,
    /// Rows of currents whose smallest value is at least this on one of the blocks get
    /// [`FgPass::FAST_UP`] instead; default 800.
    pub fast_upwards_limit: DacCode,
}

impl Default for Programming {
    fn default() -> Self {
        Self { passes: FgPass::DEFAULT.to_vec(), fast_upwards_limit: DacCode::new::<800>() }
    }
}

impl Programming {
    /// The pass whose settings stay in the controllers.
    pub(super) fn last_pass(&self) -> FgPass {
        self.passes.last().copied().unwrap_or(FgPass::DEFAULT[3])
    }
}

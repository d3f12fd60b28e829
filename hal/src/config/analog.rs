//! The two analog outputs (hal-config §1.3).

use serde::{Deserialize, Serialize};

use crate::coord::{AnalogOnHicann, Table};

/// What an analog output shows (hal-config §1.3, bits in §2.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnalogSource {
    /// Floating-gate cells of the right blocks.
    FgRight,
    /// The membrane with `enable_aout` among the bottom circuits of odd columns.
    MembraneBottomOdd,
    /// The same for the top circuits of odd columns.
    MembraneTopOdd,
    /// The same for the bottom circuits of even columns.
    MembraneBottomEven,
    /// The same for the top circuits of even columns.
    MembraneTopEven,
    /// Floating-gate cells of the left blocks.
    FgLeft,
    /// The fire line of circuit 0; first output only.
    FireLine,
    /// The pre-output of the drivers.
    Preout,
    /// The control voltage of the delay-locked loops.
    DllVoltage,
    /// Enabled, but connected to nothing.
    Nothing,
}

impl AnalogSource {
    /// All sources with their bit in the register.
    pub const ALL: [(Self, u32); 10] = [
        (Self::FgRight, 0),
        (Self::MembraneBottomOdd, 2),
        (Self::MembraneTopOdd, 3),
        (Self::MembraneBottomEven, 4),
        (Self::MembraneTopEven, 5),
        (Self::FgLeft, 6),
        (Self::FireLine, 7),
        (Self::Preout, 8),
        (Self::DllVoltage, 9),
        (Self::Nothing, 10),
    ];
}

/// What the two outputs show; `None` is disabled, the state after reset (hal-config §1.3).
///
/// The outputs belong to the reticle and are shared by its eight chips; the ADC samples them with
/// 12 bits at 96 MHz.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AnalogOutputs {
    /// By output.
    pub source: Table<AnalogOnHicann, Option<AnalogSource>>,
}

//! Raw values of ADCs to volts (analog §2.5).

use serde::{Deserialize, Serialize};

/// A second-order calibration of one channel of an ADC.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdcCalibration {
    /// Volts by powers of the raw value: 0, 1 and 2.
    pub volts: [f64; 3],
}

impl AdcCalibration {
    /// Without measured data: 12 bits, 0 is 1.8 V and 4095 is 0 V.
    pub const NOMINAL: Self = Self { volts: [1.8, -1.8 / 4095.0, 0.0] };
    /// The 16 bits of the original's simulated wafer, 0 is 0 V and 65535 is 1.8 V.
    pub const SIMULATED_16_BIT: Self = Self { volts: [0.0, 1.8 / 65_535.0, 0.0] };

    /// Volts of a raw value.
    pub fn volts(&self, raw: u16) -> f64 {
        let [c0, c1, c2] = self.volts;
        let raw = f64::from(raw);
        (c2 * raw + c1) * raw + c0
    }
}

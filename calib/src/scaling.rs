//! Between biological units and the hardware domain: time runs faster, voltages are mapped
//! affinely, and everything else follows (analog §1.4).

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The three numbers that tie the biological to the hardware domain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// Biological time per hardware time, 10^4 as a rule.
    pub speedup: f64,
    /// Hardware volts per biological volt.
    pub alpha_v: f64,
    /// Hardware volts at 0 mV.
    pub shift_v: f64,
}

impl Default for Scaling {
    /// The defaults of the original: 10^4, 10, 1.2 V.
    fn default() -> Self {
        Self { speedup: 1e4, alpha_v: 10.0, shift_v: 1.2 }
    }
}

/// A scaling that maps nothing onto anything.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum InvalidScaling {
    /// One of the voltage ranges is empty.
    #[error(
        "the voltage window {bio_min_mv}..{bio_max_mv} mV onto {hw_min_v}..{hw_max_v} V is empty \
         or not finite; give a rising range on both sides"
    )]
    Window {
        /// Lowest biological potential, mV.
        bio_min_mv: f64,
        /// Highest biological potential, mV.
        bio_max_mv: f64,
        /// Lowest hardware voltage, V.
        hw_min_v: f64,
        /// Highest hardware voltage, V.
        hw_max_v: f64,
    },
    /// A factor is not a positive number.
    #[error("{name} is {value}; it must be a positive number")]
    Factor {
        /// `speedup` or `alpha_v`.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// The shift is not a number.
    #[error("shift_v is {0} V; it must be a finite number")]
    Shift(f64),
}

impl Scaling {
    /// The scaling that maps `bio_min_mv..bio_max_mv` exactly onto `hw_min_v..hw_max_v`, with the
    /// default speedup (analog §1.4).
    pub fn from_voltage_window(
        bio_min_mv: f64,
        bio_max_mv: f64,
        hw_min_v: f64,
        hw_max_v: f64,
    ) -> Result<Self, InvalidScaling> {
        let bio = bio_max_mv - bio_min_mv;
        let hw = hw_max_v - hw_min_v;
        if !(bio > 0.0 && hw > 0.0 && bio.is_finite() && hw.is_finite()) {
            return Err(InvalidScaling::Window { bio_min_mv, bio_max_mv, hw_min_v, hw_max_v });
        }
        Ok(Self {
            alpha_v: 1e3 * hw / bio,
            shift_v: (bio_max_mv * hw_min_v - bio_min_mv * hw_max_v) / bio,
            ..Self::default()
        })
    }

    /// Whether all three numbers make sense.
    pub fn validate(&self) -> Result<(), InvalidScaling> {
        for (name, value) in [("speedup", self.speedup), ("alpha_v", self.alpha_v)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(InvalidScaling::Factor { name, value });
            }
        }
        if self.shift_v.is_finite() { Ok(()) } else { Err(InvalidScaling::Shift(self.shift_v)) }
    }

    /// A potential: mV to hardware V.
    pub fn potential_to_hw_v(&self, bio_mv: f64) -> f64 {
        bio_mv * 1e-3 * self.alpha_v + self.shift_v
    }

    /// A potential: hardware V to mV.
    pub fn potential_to_bio_mv(&self, hw_v: f64) -> f64 {
        (hw_v - self.shift_v) / self.alpha_v * 1e3
    }

    /// A difference of potentials, like delta_T: mV to hardware V.
    pub fn difference_to_hw_v(&self, bio_mv: f64) -> f64 {
        bio_mv * 1e-3 * self.alpha_v
    }

    /// A difference of potentials: hardware V to mV.
    pub fn difference_to_bio_mv(&self, hw_v: f64) -> f64 {
        hw_v / self.alpha_v * 1e3
    }

    /// A time: ms to hardware s.
    pub fn time_to_hw_s(&self, bio_ms: f64) -> f64 {
        bio_ms * 1e-3 / self.speedup
    }

    /// A time: hardware s to ms.
    pub fn time_to_bio_ms(&self, hw_s: f64) -> f64 {
        hw_s * self.speedup * 1e3
    }

    /// A rate: Hz to hardware Hz.
    pub fn rate_to_hw_hz(&self, bio_hz: f64) -> f64 {
        bio_hz * self.speedup
    }

    /// A rate: hardware Hz to Hz.
    pub fn rate_to_bio_hz(&self, hw_hz: f64) -> f64 {
        hw_hz / self.speedup
    }

    /// A conductance: nS of a neuron of `cm_nf` to S of a circuit of `capacitance_f`.
    pub fn conductance_to_hw_s(&self, bio_ns: f64, cm_nf: f64, capacitance_f: f64) -> f64 {
        bio_ns * 1e-9 * self.conductance_factor(cm_nf, capacitance_f)
    }

    /// A conductance: S of a circuit of `capacitance_f` to nS of a neuron of `cm_nf`.
    pub fn conductance_to_bio_ns(&self, hw_s: f64, cm_nf: f64, capacitance_f: f64) -> f64 {
        hw_s / self.conductance_factor(cm_nf, capacitance_f) * 1e9
    }

    /// A current: nA of a neuron of `cm_nf` to A of a circuit of `capacitance_f`.
    pub fn current_to_hw_a(&self, bio_na: f64, cm_nf: f64, capacitance_f: f64) -> f64 {
        bio_na * 1e-9 * self.alpha_v * self.conductance_factor(cm_nf, capacitance_f)
    }

    /// A current: A of a circuit of `capacitance_f` to nA of a neuron of `cm_nf`.
    pub fn current_to_bio_na(&self, hw_a: f64, cm_nf: f64, capacitance_f: f64) -> f64 {
        hw_a / self.alpha_v / self.conductance_factor(cm_nf, capacitance_f) * 1e9
    }

    /// Hardware siemens per biological siemens: time constants C/g shrink by the speedup.
    fn conductance_factor(&self, cm_nf: f64, capacitance_f: f64) -> f64 {
        self.speedup * capacitance_f / (cm_nf * 1e-9)
    }
}

//! The nominal law from floating-gate cells to circuits: the one home of every formula that turns
//! a 10-bit value into volts, seconds or siemens of the hardware, and back.
//!
//! It is what the original stack applied where no measured calibration existed (analog §1.5). The
//! ideal calibration is made of it, and so is nominal silicon in the emulator. Deviations of single
//! wafers and cells are not known here.
//!
//! Arguments named `code` take a [`DacCode`] or an `f64`: what a cell really holds is analog and
//! may lie between two codes.

mod circuit;
mod correlation;
mod neuron;
mod plasticity;
mod polynomial;
mod synapse;
mod table;
#[cfg(test)]
mod tests;
mod transformation;

use crate::config::NeuronHalf;
use crate::value::DacCode;
use crate::wafer::DncCycles;

pub use circuit::{Adaptation, Cells, CircuitParameters, Exponential, circuit, circuit_from_cells};
pub use correlation::{CORRELATION_PAIRS, CORRELATION_TAU_S, Capacitors, Correlation, correlation};
pub use neuron::{
    a_s, b_a, delta_t_v, e_synx_v, neuron_transformation, shared_transformation, tau_m_s,
    tau_ref_s, tau_syn_s, tau_w_s,
};
pub use plasticity::{
    ShortTermPlasticity, recovery_transformation, short_term_plasticity,
    short_term_plasticity_from_cells, stp_capacitor, stp_utilisation,
};
pub use synapse::{REFERENCE_DIVISOR_SUM, REFERENCE_GMAX_A, split_divisor, synapse_s};
pub use transformation::{Formula, Outside, Transformation, TransformationError};

/// Big membrane capacitor, farad (analog §1.4).
pub const BIG_CAPACITOR_F: f64 = 2.16456e-12;
/// Small membrane capacitor, farad (analog §1.4).
pub const SMALL_CAPACITOR_F: f64 = 164.2e-15;
/// Volts of a voltage cell at code 1023 (analog §1.1).
pub const FULL_SCALE_V: f64 = 1.8;
/// Amperes of a current cell at code 1023 (analog §1.1).
pub const FULL_SCALE_A: f64 = 2.5e-6;
/// Delay of a connection without its route, hardware seconds (analog §5.5).
const ROUTE_BASE_S: f64 = 64.44e-9;
/// Delay per chip of the route, hardware seconds (analog §5.5).
const ROUTE_STEP_S: f64 = 3.97e-9;
/// Largest code as a number.
const MAX_CODE: f64 = 1023.0;

/// Volts of a voltage cell (analog §1.1).
pub fn volts(code: impl Into<f64>) -> f64 {
    code.into() * FULL_SCALE_V / MAX_CODE
}

/// Amperes of a current cell (analog §1.1).
pub fn amperes(code: impl Into<f64>) -> f64 {
    code.into() * FULL_SCALE_A / MAX_CODE
}

/// The code nearest to a value in units of codes: rounded half away from zero and kept within
/// 0..=1023 (analog §1.5). NaN becomes 0.
pub fn nearest_code(value: f64) -> DacCode {
    DacCode::wrap(value.round().clamp(0.0, MAX_CODE) as usize)
}

/// Membrane capacitance of one circuit, farad (analog §1.4).
pub fn capacitance_f(half: &NeuronHalf) -> f64 {
    if half.big_capacitor { BIG_CAPACITOR_F } else { SMALL_CAPACITOR_F }
}

/// Delay of a connection by the number of chips on its route, those of source and target counted,
/// hardware seconds. Fitted on one wafer, without its jitter (analog §5.5).
pub fn route_delay_s(hicanns_on_route: usize) -> f64 {
    ROUTE_BASE_S + ROUTE_STEP_S * hicanns_on_route as f64
}

/// [`route_delay_s`] in whole cycles, to the nearest.
pub fn route_delay(hicanns_on_route: usize) -> DncCycles {
    DncCycles((route_delay_s(hicanns_on_route) / DncCycles::SECONDS).round() as u64)
}

//! A network that fills the wafer, for a given time: how the emulator grows with the network.

use calib::IfCondExp;
use marocco::network::Receptor;

use super::variation::{Spread, VARIATION};
use super::{NEURON_SIZE, Protocol, Readout, SIMULATION_TIME, protocol};
use crate::model::{CellType, ModelError};
use crate::networks::{EIGHTHS, RING_SEED, ring};
use crate::parameter::{Parameter, Parameters, Value};

/// What can be set.
pub(super) const PARAMETERS: &[Parameter] = &[
    EIGHTHS,
    Parameter { default: Value::Real(1000.0), ..SIMULATION_TIME },
    Parameter { default: Value::Whole(8), ..NEURON_SIZE },
    RING_SEED,
    VARIATION,
];

/// Above the threshold of -50 mV: neurons fire without input, and inhibit each other.
const V_REST_MV: f64 = -40.0;

/// Draws the network.
pub(super) fn build(parameters: &Parameters) -> Result<Protocol, ModelError> {
    let cell = IfCondExp { v_rest: V_REST_MV, tau_refrac: 1.0, ..Default::default() };
    let drawn = ring(parameters, CellType::IfCondExp(cell), Receptor::Inhibitory)?;
    protocol(drawn, parameters, &Spread::BALANCED, Readout::All)
}

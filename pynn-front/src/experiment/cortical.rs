//! The cortical microcircuit for a given time (analog §7.2).

use super::variation::{Spread, VARIATION};
use super::{NEURON_SIZE, Protocol, Readout, SIMULATION_TIME, protocol};
use crate::model::ModelError;
use crate::networks::{CORTICAL_SCALE, CORTICAL_SEED, W_EXC_FACTOR, cortical};
use crate::parameter::{Domain, Parameter, Parameters, Value};

/// What can be set.
pub(super) const PARAMETERS: &[Parameter] = &[
    CORTICAL_SCALE,
    SIMULATION_TIME,
    NEURON_SIZE,
    CORTICAL_SEED,
    W_EXC_FACTOR,
    VARIATION,
    SECOND_SAMPLE,
];

/// The published one comes after 8.64 s of the wafer, a biological day (analog §7.2).
const SECOND_SAMPLE: Parameter = Parameter {
    name: "second_sample_after_s",
    default: Value::Real(0.0),
    domain: Domain::Real(0.0, 31_557_600.0),
    unit: "s",
    meaning: "biological time after the run until a second sample of equal length; 86400 is the \
              published day, 0 means none",
};

/// Draws the network.
pub(super) fn build(parameters: &Parameters) -> Result<Protocol, ModelError> {
    let drawn = cortical(parameters)?;
    let protocol = protocol(drawn, parameters, &Spread::CORTICAL, Readout::All)?;
    let after_ms = 1e3 * parameters.real(SECOND_SAMPLE.name);
    Ok(Protocol { second_after_ms: (after_ms > 0.0).then_some(after_ms), ..protocol })
}

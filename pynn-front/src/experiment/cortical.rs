//! The cortical microcircuit for a given time (analog §7.2).

use super::variation::{Spread, VARIATION};
use super::{NEURON_SIZE, Protocol, SIMULATION_TIME, protocol};
use crate::model::ModelError;
use crate::networks::{CORTICAL_SCALE, CORTICAL_SEED, W_EXC_FACTOR, cortical};
use crate::parameter::{Parameter, Parameters};

/// What can be set.
pub(super) const PARAMETERS: &[Parameter] =
    &[CORTICAL_SCALE, SIMULATION_TIME, NEURON_SIZE, CORTICAL_SEED, W_EXC_FACTOR, VARIATION];

/// Draws the network.
pub(super) fn build(parameters: &Parameters) -> Result<Protocol, ModelError> {
    protocol(cortical(parameters)?, parameters, &Spread::CORTICAL)
}

//! The balanced random network for a given time (analog §7.1).

use super::variation::{Spread, VARIATION};
use super::{NEURON_SIZE, Protocol, SIMULATION_TIME, protocol};
use crate::model::ModelError;
use crate::networks::{ETA, G, NETWORK_SEED, SCALE, balanced};
use crate::parameter::{Parameter, Parameters};

/// What can be set.
pub(super) const PARAMETERS: &[Parameter] =
    &[G, ETA, SIMULATION_TIME, NEURON_SIZE, SCALE, NETWORK_SEED, VARIATION];

/// Draws the network.
pub(super) fn build(parameters: &Parameters) -> Result<Protocol, ModelError> {
    protocol(balanced(parameters)?, parameters, &Spread::BALANCED)
}

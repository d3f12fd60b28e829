//! Circuit modes, floating-gate cells and synaptic strength against the claim (V05).

use super::{Case, Faults};

pub(super) fn check(_case: &Case<'_>, _faults: &mut Faults) {}

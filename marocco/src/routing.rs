//! L1 routing: from the sending repeaters to the chips that listen.

mod broadcast;

use std::collections::BTreeMap;

use hal::coord::{HicannOnWafer, OnWafer, VLineOnHicann};
use hal::defects::Defects;

use crate::mapping::{Bus, Route};

/// The chips that listen to a bus, each with the number of synapses that depend on it.
pub(crate) type Targets = Vec<(HicannOnWafer, u32)>;

/// Where each chip takes a bus from: a vertical line of its own or, facing it, of its western or
/// eastern neighbour, whose synapse switch serves it.
pub(crate) type BusEnds = BTreeMap<HicannOnWafer, OnWafer<VLineOnHicann>>;

/// A routed bus.
#[derive(Debug)]
pub(crate) struct RoutedBus {
    pub(crate) route: Route,
    pub(crate) ends: BusEnds,
    /// The targets that are not among the ends, ascending.
    pub(crate) unreached: Vec<HicannOnWafer>,
}

/// What the router may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Closed crossbar switches per line and chip (topology §4.6).
    pub(crate) crossbar_switches: usize,
    /// Closed synapse switches per vertical line of a chip, 1..=28 (topology §4.6).
    pub(crate) synapse_switches: usize,
    /// Most rounds of rip-up.
    pub(crate) rounds: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { crossbar_switches: 1, synapse_switches: 1, rounds: 40 }
    }
}

/// Routes each bus to its targets: `senders[i]` sends to the chips `targets[i]`.
pub(crate) fn route(
    senders: &[Bus],
    targets: &[Targets],
    _defects: &Defects,
    _limits: &Limits,
) -> Vec<RoutedBus> {
    broadcast::broadcast(senders, targets)
}

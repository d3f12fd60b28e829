//! L1 routing: from the sending repeaters to the chips that listen (mapping §7.3, §8.D).
//!
//! The network consists of 32 components that no bus leaves (topology §4.7), so there are 32
//! independent problems in lines. What couples them are the synapse drivers: the lines of four
//! components compete for the fourteen drivers of a slot group. Components that never do so are
//! routed at the same time, the others one after the other, each with the loads left by those
//! before it.
//!
//! Every bus starts as a trunk with ribs, where that fits; the rest, and whatever lies behind
//! defects, is searched for under negotiated congestion.

mod broadcast;
mod ground;
mod lines;
mod part;
mod search;
mod slots;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

use hal::coord::{Coordinate, HicannOnWafer, OnWafer, VLineOnHicann};
use hal::defects::Defects;
use hal::l1::{L1Component, L1Line};
use rayon::prelude::*;

use crate::cancel::Cancel;
use crate::mapping::{Bus, Route, RouteLine};
use part::Part;

/// The chips that listen to a bus, each with the number of synapses that depend on it.
pub(crate) type Targets = Vec<(HicannOnWafer, u32)>;

/// Where each chip takes a bus from: a vertical line of its own or, facing it, of its western or
/// eastern neighbour, whose synapse switch serves it.
pub(crate) type BusEnds = BTreeMap<HicannOnWafer, OnWafer<VLineOnHicann>>;

/// A routed bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoutedBus {
    pub(crate) route: Route,
    pub(crate) ends: BusEnds,
    /// The targets that are not among the ends, ascending.
    pub(crate) unreached: Vec<HicannOnWafer>,
}

impl RoutedBus {
    /// Gives up the targets that are more than so many chips away, and the lines that lead to no
    /// other.
    fn shorten(&mut self, hicanns: usize) {
        let route = &mut self.route;
        let chips: Vec<usize> = (0..route.lines.len()).map(|i| route.hicanns_to(i)).collect();
        if chips.iter().all(|&n| n <= hicanns) {
            return;
        }
        let place = |tap: &OnWafer<VLineOnHicann>| {
            let line = OnWafer { hicann: tap.hicann, local: L1Line::V(tap.local) };
            route.lines.iter().position(|l| l.line == line)
        };
        let mut needed = vec![false; route.lines.len()];
        let mut kept = BusEnds::new();
        for (&target, tap) in &self.ends {
            match place(tap).filter(|&i| chips[i] <= hicanns) {
                Some(line) => {
                    needed[line] = true;
                    kept.insert(target, *tap);
                }
                None => self.unreached.push(target),
            }
        }
        self.ends = kept;
        self.unreached.sort_unstable();
        // parents come before their children
        for i in (0..needed.len()).rev() {
            if let (true, Some(parent)) = (needed[i], route.lines[i].parent) {
                needed[parent as usize] = true;
            }
        }
        let mut number = 0;
        let numbers: Vec<u32> = needed
            .iter()
            .map(|&needed| {
                number += u32::from(needed);
                number
            })
            .collect();
        let lines = std::mem::take(&mut route.lines);
        let kept = lines.into_iter().zip(&needed).filter(|(_, needed)| **needed);
        route.lines = kept
            .map(|(line, _)| RouteLine {
                parent: line.parent.map(|parent| numbers[parent as usize] - 1),
                ..line
            })
            .collect();
    }
}

/// What the router may use.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Closed crossbar switches per line and chip (topology §4.6).
    pub(crate) crossbar_switches: usize,
    /// Closed synapse switches per vertical line of a chip, 1..=28 (topology §4.6).
    pub(crate) synapse_switches: usize,
    /// Most chips of a route, source and target counted.
    pub(crate) route_hicanns: usize,
    /// Most rounds of negotiation.
    pub(crate) rounds: usize,
    /// Lines that the searches of one component may visit before negotiation ends.
    pub(crate) effort: u64,
    /// Ends all searches.
    pub(crate) cancel: Cancel,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            crossbar_switches: 1,
            synapse_switches: 1,
            route_hicanns: usize::MAX,
            rounds: 40,
            effort: 1_000_000,
            cancel: Cancel::default(),
        }
    }
}

/// Components whose numbers differ by a multiple of this share no slot group.
const COLOURS: usize = 4;
/// How often the load of slot groups is evened out.
const BALANCE_PASSES: usize = 2;

/// Routes each bus to its targets: `senders[i]` sends to the chips `targets[i]`.
///
/// No line carries two buses, no line has more closed switches than the limits say, and nothing
/// defective is used. Where not all targets can be reached, those with few synapses give way.
/// Equal arguments give equal routes for any number of threads.
pub(crate) fn route(
    senders: &[Bus],
    targets: &[Targets],
    defects: &Defects,
    limits: &Limits,
) -> Vec<RoutedBus> {
    let slots = slots::sizes(defects);
    let mut buses: BTreeMap<L1Component, Vec<(usize, Bus, &Targets)>> = BTreeMap::new();
    for (i, (&bus, targets)) in senders.iter().zip(targets).enumerate() {
        let component = L1Line::H(bus.merger.hline()).on(bus.hicann).component();
        buses.entry(component).or_default().push((i, bus, targets));
    }
    let buses: Vec<_> = buses.into_iter().collect();
    let mut parts: Vec<Part<'_>> = buses
        .par_iter()
        .map(|(component, buses)| Part::new(*component, buses, defects, limits, &slots))
        .collect();
    in_turn(&mut parts, Part::broadcast);
    in_turn(&mut parts, Part::negotiate);
    for _ in 0..BALANCE_PASSES {
        in_turn(&mut parts, Part::balance);
    }
    let mut routes: Vec<(usize, RoutedBus)> =
        parts.into_par_iter().flat_map_iter(|part| part.into_routes(senders)).collect();
    routes.sort_unstable_by_key(|&(i, _)| i);
    let mut routes: Vec<RoutedBus> = routes.into_iter().map(|(_, route)| route).collect();
    for route in &mut routes {
        route.shorten(limits.route_hicanns);
    }
    routes
}

/// Applies a step to all components, those together that share no slot group.
fn in_turn<'a>(parts: &mut [Part<'a>], step: fn(&mut Part<'a>)) {
    for colour in 0..COLOURS {
        let mut load = vec![0; slots::GROUPS];
        for part in &*parts {
            part.add_load(&mut load);
        }
        parts.par_iter_mut().filter(|part| part.component().index() % COLOURS == colour).for_each(
            |part| {
                part.set_load(&load);
                step(part);
            },
        );
    }
}

//! Tests of the router: what its routes may never do, and how much they reach.

mod capacity;
mod legal;
mod original;

use std::collections::BTreeSet;

use hal::coord::{Coordinate, DncMergerOnHicann, HicannOnWafer};
use hal::defects::Defects;
use hal::l1::{L1Component, L1Line};

use super::{RoutedBus, Targets};
use crate::mapping::Bus;

/// Chips of the largest rectangle (mapping §1.1).
fn rectangle() -> Vec<HicannOnWafer> {
    let inside = |h: &HicannOnWafer| (8..=27).contains(&h.x()) && (2..=13).contains(&h.y());
    HicannOnWafer::all().filter(inside).collect()
}

fn merger(index: usize) -> DncMergerOnHicann {
    DncMergerOnHicann::from_index(index).unwrap()
}

fn component(bus: Bus) -> L1Component {
    L1Line::H(bus.merger.hline()).on(bus.hicann).component()
}

/// The chips of which a merger can send.
fn able(
    chips: &[HicannOnWafer],
    merger: DncMergerOnHicann,
    defects: &Defects,
) -> Vec<HicannOnWafer> {
    let repeater = merger.sending_repeater().repeater();
    chips.iter().copied().filter(|&hicann| defects.is_usable(repeater.on(hicann))).collect()
}

/// The senders at merger 3 of these chips, in order, as long as no component has more than `cap`.
fn capped(chips: &[HicannOnWafer], cap: usize) -> Vec<Bus> {
    let mut used = [0; L1Component::SIZE];
    let mut senders = Vec::new();
    for &hicann in chips {
        let bus = Bus { hicann, merger: merger(3) };
        let used = &mut used[component(bus).index()];
        if *used < cap {
            *used += 1;
            senders.push(bus);
        }
    }
    senders
}

/// Every sender to every chip, with one synapse each.
fn to_all(senders: &[Bus], chips: &[HicannOnWafer]) -> Vec<Targets> {
    vec![chips.iter().map(|&chip| (chip, 1)).collect(); senders.len()]
}

/// Pairs of bus and target that are not reached, and all of them.
fn unreached(routed: &[RoutedBus]) -> (usize, usize) {
    let lost = routed.iter().map(|r| r.unreached.len()).sum();
    let all: usize = routed.iter().map(|r| r.ends.len()).sum();
    (lost, all + lost)
}

/// Chips as a set, for comparisons.
fn set<T: Ord + Copy>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    items.into_iter().collect()
}

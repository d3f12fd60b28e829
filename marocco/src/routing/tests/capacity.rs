//! How much fits onto the wafer, with and without defects.

use std::collections::BTreeMap;

use hal::coord::{Coordinate, DncOnWafer, HicannOnWafer, L1Class, Side, VLineOnHicann};
use hal::defects::Defects;
use hal::l1::{L1Component, L1Line};

use super::super::{Limits, RoutedBus, Targets, route, slots};
use super::legal::{all_of_l1, check};
use super::{able, capped, component, merger, rectangle, to_all, unreached};
use crate::mapping::Bus;

fn routed(senders: &[Bus], targets: &[Targets], defects: &Defects) -> Vec<RoutedBus> {
    let routed = route(senders, targets, defects, &Limits::default());
    check(senders, targets, defects, &Limits::default(), &routed);
    routed
}

/// Broadcasts in the rectangle from all chips that can send, at most `cap` per component.
fn broadcast(cap: usize, defects: &Defects) -> Vec<RoutedBus> {
    let chips = able(&rectangle(), merger(3), defects);
    let senders = capped(&chips, cap);
    routed(&senders, &to_all(&senders, &chips), defects)
}

/// Share of the targets that are not reached.
fn lost_share(routed: &[RoutedBus]) -> f64 {
    let (lost, all) = unreached(routed);
    lost as f64 / all as f64
}

/// Buses per slot group that are more than it has drivers.
fn overfull(routed: &[RoutedBus], defects: &Defects) -> usize {
    let mut load: BTreeMap<slots::SlotGroup, u16> = BTreeMap::new();
    for (&hicann, &vline) in routed.iter().flat_map(|r| &r.ends) {
        let (own, facing) = slots::reached(vline, defects);
        let group = if vline.hicann == hicann { own } else { facing.map(|(_, group)| group) };
        *load.entry(group.unwrap()).or_default() += 1;
    }
    let sizes = slots::sizes(defects);
    load.iter().map(|(&group, &n)| usize::from(n.saturating_sub(sizes[group as usize]))).sum()
}

#[test]
fn a_full_broadcast_leaves_every_bus_a_driver() {
    let chips = rectangle();
    let senders = capped(&chips, 7);
    assert_eq!(senders.len(), 210);
    let routed = routed(&senders, &to_all(&senders, &chips), &Defects::default());
    assert_eq!(unreached(&routed), (0, 210 * 240));
    assert_eq!(overfull(&routed, &Defects::default()), 0);
    // nothing is in the way of trunks and ribs
    for bus in &routed {
        assert!(bus.ends.iter().all(|(&hicann, vline)| hicann == vline.hicann));
        assert!((259..=260).contains(&bus.route.lines.len()), "{}", bus.route.lines.len());
    }
}

#[test]
fn t61_224_buses_reach_all_chips() {
    let chips = rectangle();
    let senders = capped(&chips, 8);
    assert_eq!(senders.len(), 224);
    let routed = routed(&senders, &to_all(&senders, &chips), &Defects::default());
    assert_eq!(unreached(&routed), (0, 224 * 240));
}

#[test]
fn t61_256_buses_fill_all_vertical_lines() {
    // eight senders per component, no two in a row, so that no trunk meets another
    let chips = rectangle();
    let mut rows: BTreeMap<L1Component, Vec<usize>> = BTreeMap::new();
    let mut senders = Vec::new();
    for index in 0..8 {
        for &hicann in &chips {
            let bus = Bus { hicann, merger: merger(index) };
            let rows = rows.entry(component(bus)).or_default();
            if rows.len() < 8 && !rows.contains(&hicann.y()) {
                rows.push(hicann.y());
                senders.push(bus);
            }
        }
    }
    assert_eq!(senders.len(), 8 * L1Class::SIZE);
    let routed = routed(&senders, &to_all(&senders, &chips), &Defects::default());
    assert_eq!(unreached(&routed), (0, 256 * 240));
}

#[test]
fn defects_of_one_percent_cost_nothing_with_two_lines_to_spare() {
    for seed in 1..=3 {
        let defects = Defects::random(&all_of_l1(0.01), seed);
        assert_eq!(lost_share(&broadcast(6, &defects)), 0.0);
    }
    // two of the groups of every chip have twelve drivers for their 24 buses
    let defects = Defects::manufactured(30);
    let routed = broadcast(6, &defects);
    assert_eq!(lost_share(&routed), 0.0);
    assert!(overfull(&routed, &defects) < 20);
}

#[test]
fn defects_of_one_percent_cost_little_with_one_line_to_spare() {
    assert!(lost_share(&broadcast(7, &Defects::random(&all_of_l1(0.01), 1))) < 0.001);
    assert!(lost_share(&broadcast(7, &Defects::manufactured(30))) < 0.001);
}

#[test]
fn defects_of_five_percent_and_missing_reticles_cost_little() {
    let mut defects = Defects::random(&all_of_l1(0.05), 1);
    for reticle in [10, 25, 33] {
        defects.insert(DncOnWafer::from_index(reticle).unwrap());
    }
    assert!(lost_share(&broadcast(6, &defects)) < 0.002);
}

#[test]
fn neighbourhoods_of_two_buses_per_chip_fit() {
    let all: Vec<HicannOnWafer> = HicannOnWafer::all().collect();
    let near = |one: HicannOnWafer, other: HicannOnWafer| {
        one.x().abs_diff(other.x()).pow(2) + one.y().abs_diff(other.y()).pow(2) <= 16
    };
    let senders: Vec<Bus> = all[16..368]
        .iter()
        .flat_map(|&hicann| [3, 5].map(|index| Bus { hicann, merger: merger(index) }))
        .collect();
    let around = |bus: &Bus| {
        let near = all.iter().filter(|&&chip| near(chip, bus.hicann));
        near.map(|&chip| (chip, 10)).collect()
    };
    let targets: Vec<Targets> = senders.iter().map(around).collect();
    let routed = routed(&senders, &targets, &Defects::default());
    assert_eq!(unreached(&routed).0, 0);
    assert_eq!(overfull(&routed, &Defects::default()), 0);
}

#[test]
fn ten_buses_to_all_chips_pass_local_ones() {
    let all: Vec<HicannOnWafer> = HicannOnWafer::all().collect();
    let senders: Vec<Bus> = all.iter().map(|&hicann| Bus { hicann, merger: merger(3) }).collect();
    let targets: Vec<Targets> = senders
        .iter()
        .map(|bus| match bus.hicann.index() % 38 {
            19 => all.iter().map(|&chip| (chip, 1)).collect(),
            _ => vec![(bus.hicann, 1)],
        })
        .collect();
    assert_eq!(unreached(&routed(&senders, &targets, &Defects::default())).0, 0);
}

#[test]
fn facing_lines_serve_where_a_chip_has_no_lines_of_its_own() {
    let mut defects = Defects::default();
    let (deaf, sender) = (HicannOnWafer::at(10, 8).unwrap(), HicannOnWafer::at(9, 8).unwrap());
    for vline in VLineOnHicann::all() {
        defects.insert(vline.on(deaf));
    }
    let targets = [vec![(deaf, 7)]];
    let found = routed(&[Bus { hicann: sender, merger: merger(3) }], &targets, &defects);
    let vline = found[0].ends[&deaf];
    assert!(vline.hicann != deaf);
    let expected = if vline.hicann.x() < deaf.x() { Side::Right } else { Side::Left };
    assert_eq!(vline.local.side(), expected);
}

#[test]
fn where_lines_are_scarce_the_lighter_bus_gives_way() {
    // only one vertical line of the component is left on the target
    let (light, heavy) = (HicannOnWafer::at(10, 8).unwrap(), HicannOnWafer::at(12, 7).unwrap());
    let target = HicannOnWafer::at(14, 8).unwrap();
    let merger = merger(3);
    let senders = [light, heavy].map(|hicann| Bus { hicann, merger });
    assert_eq!(component(senders[0]), component(senders[1]));
    let mut defects = Defects::default();
    let lines = L1Line::all().map(|line| line.on(target));
    let lines = lines.filter(|line| line.component() == component(senders[0]));
    let vertical = lines.filter(|line| matches!(line.local, L1Line::V(_)));
    for line in vertical.skip(1) {
        defects.insert(line);
    }
    for (x, y) in [(13, 8), (15, 8)] {
        for vline in VLineOnHicann::all() {
            defects.insert(vline.on(HicannOnWafer::at(x, y).unwrap()));
        }
    }
    let targets = [vec![(target, 3)], vec![(target, 4)]];
    let found = routed(&senders, &targets, &defects);
    assert_eq!(found[0].unreached, [target]);
    assert!(found[1].unreached.is_empty());
}

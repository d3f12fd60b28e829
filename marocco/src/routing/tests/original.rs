//! The tests of the original's routers, as far as they make sense for this one (mapping §10).

use hal::coord::{Coordinate, Direction, DncOnWafer, HLineOnHicann, HicannOnWafer, Side};
use hal::defects::Defects;
use hal::l1::L1Line;

use super::super::{Limits, RoutedBus, Targets, route};
use super::legal::check;
use super::{merger, set};
use crate::mapping::Bus;

fn at(x: usize, y: usize) -> HicannOnWafer {
    HicannOnWafer::at(x, y).unwrap()
}

/// The bus of a sending repeater.
fn bus(x: usize, y: usize, sending: usize) -> Bus {
    Bus { hicann: at(x, y), merger: merger(7 - sending) }
}

fn targets(chips: &[(usize, usize)]) -> Targets {
    chips.iter().map(|&(x, y)| (at(x, y), 1)).collect()
}

fn route_one(bus: Bus, targets: &Targets, defects: &Defects) -> RoutedBus {
    let (senders, targets) = ([bus], [targets.clone()]);
    let mut routed = route(&senders, &targets, defects, &Limits::default());
    check(&senders, &targets, defects, &Limits::default(), &routed);
    routed.remove(0)
}

/// The lines from the sending repeater to the line that serves a chip.
fn path(routed: &RoutedBus, target: HicannOnWafer) -> Vec<hal::coord::OnWafer<L1Line>> {
    let lines = &routed.route.lines;
    let end = routed.ends[&target];
    let end = L1Line::V(end.local).on(end.hicann);
    let mut here = lines.iter().position(|l| l.line == end);
    let mut path = Vec::new();
    while let Some(i) = here {
        path.push(lines[i].line);
        here = lines[i].parent.map(|parent| parent as usize);
    }
    path.reverse();
    path
}

#[test]
fn t23_a_trunk_ends_at_the_rim_and_a_wish_without_switches_reaches_nothing() {
    let senders = [bus(14, 0, 3)];
    let all = [HicannOnWafer::all().map(|chip| (chip, 1)).collect()];
    let routed = route(&senders, &all, &Defects::default(), &Limits::default());
    check(&senders, &all, &Defects::default(), &Limits::default(), &routed);
    assert!(routed[0].unreached.is_empty());

    let none = Limits { crossbar_switches: 0, ..Limits::default() };
    let routed = route(&senders, &all, &Defects::default(), &none);
    assert!(routed[0].ends.is_empty() && routed[0].route.lines.is_empty());
}

#[test]
fn t24_all_targets_are_reached_and_no_others() {
    let wanted = targets(&[(4, 4), (6, 6), (12, 7), (13, 5)]);
    let routed = route_one(bus(5, 5, 3), &wanted, &Defects::default());
    assert_eq!(set(routed.ends.keys().copied()), set(wanted.iter().map(|t| t.0)));
    let path = path(&routed, at(6, 6));
    assert_eq!(path.len(), 4);
    let horizontal = path.iter().map(|line| matches!(line.local, L1Line::H(_)));
    assert_eq!(horizontal.collect::<Vec<_>>(), [true, true, false, false]);
}

#[test]
fn t25_a_broken_line_is_passed_by_the_row_above_or_below() {
    let mut defects = Defects::default();
    defects.insert(HLineOnHicann::new::<32>().on(at(6, 5)));
    let routed = route_one(bus(5, 5, 3), &targets(&[(6, 5)]), &defects);
    let path = path(&routed, at(6, 5));
    assert_eq!(path.len(), 7);
    assert!(path.iter().any(|line| [4, 6].contains(&line.hicann.y())));
}

#[test]
fn t26_missing_reticles_are_passed_with_at_most_two_turns_back() {
    let mut defects = Defects::default();
    for reticle in [19, 28] {
        defects.insert(DncOnWafer::from_index(reticle).unwrap());
    }
    let routed = route_one(bus(12, 8, 3), &targets(&[(35, 8)]), &defects);
    let path = path(&routed, at(35, 8));
    let turns = path
        .windows(2)
        .filter(|pair| matches!((pair[0].local, pair[1].local), (L1Line::V(_), L1Line::H(_))));
    assert!(path.iter().all(|line| defects.is_usable(line.hicann)));
    assert!((1..=2).contains(&turns.count()));
}

#[test]
fn t27_the_sender_itself_can_listen_over_two_lines() {
    let routed = route_one(bus(5, 5, 3), &targets(&[(5, 5)]), &Defects::default());
    assert_eq!(routed.route.lines.len(), 2);
    assert_eq!(path(&routed, at(5, 5)).len(), 2);
}

#[test]
fn t28_targets_on_both_sides_near_the_rim() {
    let routed = route_one(bus(13, 1, 3), &targets(&[(11, 2), (12, 0)]), &Defects::default());
    assert!(routed.unreached.is_empty());
    for (x, y) in [(21, 0), (14, 0)] {
        let both = targets(&[(x - 1, y), (x + 1, y), (x, y)]);
        assert!(route_one(bus(x, y, 3), &both, &Defects::default()).unreached.is_empty());
    }
}

#[test]
fn t29_the_bus_stays_on_its_lane() {
    // hline 30 of (5,5) continues as 32, and vlines 79 and 15 are two of its eight
    let routed = route_one(bus(5, 5, 3), &targets(&[(6, 5)]), &Defects::default());
    let path = path(&routed, at(6, 5));
    assert_eq!(path[0], L1Line::H(HLineOnHicann::new::<30>()).on(at(5, 5)));
    assert_eq!(path[1], L1Line::H(HLineOnHicann::new::<32>()).on(at(6, 5)));
    let L1Line::V(end) = path[2].local else { panic!("ends on {}", path[2]) };
    assert!(HLineOnHicann::new::<32>().crossbar_vlines().any(|v| v == end));
}

#[test]
fn t30_leaving_to_the_west_starts_on_the_western_chip() {
    let sender = bus(5, 5, 3);
    let routed = route_one(sender, &targets(&[(4, 5)]), &Defects::default());
    let first = routed.route.lines[0];
    let left = sender.merger.sending_repeater().on(sender.hicann).injects_to(Side::Left);
    assert_eq!((Some(first.line), first.parent), (left, None));
    assert_eq!(
        left,
        L1Line::H(HLineOnHicann::new::<30>()).on(at(5, 5)).hop(Direction::West).map(|h| h.to)
    );
    assert!(routed.route.lines.iter().all(|l| l.line.hicann != at(5, 5)));
}

#[test]
fn t31_a_chip_without_horizontal_lines_sends_nothing_and_still_listens() {
    let mut defects = Defects::default();
    let (mute, other) = (HicannOnWafer::new::<0>(), HicannOnWafer::new::<1>());
    for hline in HLineOnHicann::all() {
        defects.insert(hline.on(mute));
    }
    let merger = merger(3);
    let senders = [Bus { hicann: mute, merger }, Bus { hicann: other, merger }];
    let both = vec![vec![(mute, 500), (other, 500)]; 2];
    let routed = route(&senders, &both, &defects, &Limits::default());
    check(&senders, &both, &defects, &Limits::default(), &routed);
    assert_eq!(routed[0].unreached, [mute, other]);
    assert!(routed[0].route.lines.is_empty());
    assert!(routed[1].unreached.is_empty());
}

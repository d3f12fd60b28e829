//! The rules of L1, checked by a walk over `hal`'s hops and switches that shares nothing with the
//! router; and random problems that must keep them.

use std::collections::{BTreeMap, BTreeSet};

use hal::coord::{
    Coordinate, CrossbarSwitchOnHicann, Direction, HicannOnWafer, OnWafer, SendingRepeaterOnHicann,
    Side, VLineOnHicann,
};
use hal::defects::{ComponentKind, Defects, Rates};
use hal::l1::{L1Line, L1Repeater};
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::super::{Limits, RoutedBus, Targets, route};
use super::{merger, set};
use crate::mapping::Bus;

/// Panics if a route breaks a rule.
pub(super) fn check(
    senders: &[Bus],
    targets: &[Targets],
    defects: &Defects,
    limits: &Limits,
    routed: &[RoutedBus],
) {
    assert_eq!(routed.len(), senders.len());
    let mut carrier: BTreeMap<OnWafer<L1Line>, Bus> = BTreeMap::new();
    let mut switches: BTreeMap<OnWafer<L1Line>, usize> = BTreeMap::new();
    let mut forwarding: BTreeSet<OnWafer<L1Repeater>> = BTreeSet::new();
    for ((routed, &bus), targets) in routed.iter().zip(senders).zip(targets) {
        assert_eq!(routed.route.bus, bus);
        for (i, here) in routed.route.lines.iter().enumerate() {
            let line = here.line;
            assert!(defects.is_usable(line), "{line} is defective");
            assert_eq!(carrier.insert(line, bus), None, "{line} carries two buses or one twice");
            let Some(parent) = here.parent else {
                let sending = bus.merger.sending_repeater().on(bus.hicann);
                assert!(Side::ALL.iter().any(|&side| sending.injects_to(side) == Some(line)));
                assert!(defects.is_usable(repeater(sending)));
                continue;
            };
            assert!((parent as usize) < i, "{line} comes before its parent");
            let from = routed.route.lines[parent as usize].line;
            if from.hicann == line.hicann {
                let switch = switch(from.local, line.local).expect("a switch joins them");
                assert!(defects.is_usable(switch.on(line.hicann)), "{switch} is defective");
                *switches.entry(from).or_default() += 1;
                *switches.entry(line).or_default() += 1;
            } else {
                let hops = Direction::ALL.into_iter().filter_map(|d| from.hop(d));
                let hop = hops.into_iter().find(|hop| hop.to == line).expect("a lane joins them");
                assert!(defects.allows(hop), "no way from {from} to {line}");
                assert!(forwarding.insert(hop.repeater), "{} has two jobs", hop.repeater);
            }
        }
        check_ends(targets, defects, limits, routed);
    }
    for (line, closed) in switches {
        assert!(closed <= limits.crossbar_switches, "{closed} closed switches on {line}");
    }
    for (routed, &bus) in routed.iter().zip(senders) {
        let sending = bus.merger.sending_repeater().on(bus.hicann);
        if !routed.route.lines.is_empty() {
            assert!(!forwarding.contains(&repeater(sending)), "{sending} cannot forward as well");
            let own = repeater(sending).local.line().on(bus.hicann);
            assert!(carrier.get(&own).is_none_or(|&other| other == bus), "{own} is not free");
        }
    }
}

fn check_ends(targets: &Targets, defects: &Defects, limits: &Limits, routed: &RoutedBus) {
    let reached = set(routed.ends.keys().copied());
    let unreached = set(routed.unreached.iter().copied());
    assert!(reached.is_disjoint(&unreached));
    assert_eq!(&reached | &unreached, set(targets.iter().map(|t| t.0)));
    let lines = set(routed.route.lines.iter().map(|l| l.line));
    let mut taps: BTreeMap<OnWafer<VLineOnHicann>, usize> = BTreeMap::new();
    for (&hicann, &vline) in &routed.ends {
        assert!(lines.contains(&L1Line::V(vline.local).on(vline.hicann)));
        let mut ways = vline.local.synapse_switches().filter_map(|switch| {
            let driver = switch.row().driver(vline.hicann)?;
            Some(defects.is_usable(switch.on(vline.hicann)) && defects.is_usable(driver))
                .filter(|_| driver.hicann == hicann)
        });
        assert!(ways.any(|works| works), "{vline} reaches no driver of {hicann}");
        *taps.entry(vline).or_default() += 1;
    }
    assert!(taps.values().all(|&n| n <= limits.synapse_switches));
    for leaf in routed
        .route
        .lines
        .iter()
        .enumerate()
        .filter(|(i, _)| routed.route.lines.iter().all(|l| l.parent != Some(*i as u32)))
    {
        let L1Line::V(vline) = leaf.1.line.local else { panic!("{} leads nowhere", leaf.1.line) };
        assert!(taps.contains_key(&vline.on(leaf.1.line.hicann)), "{vline} leads nowhere");
    }
}

fn repeater(sending: OnWafer<SendingRepeaterOnHicann>) -> OnWafer<L1Repeater> {
    L1Repeater::H(sending.local.repeater()).on(sending.hicann)
}

fn switch(one: L1Line, other: L1Line) -> Option<CrossbarSwitchOnHicann> {
    match (one, other) {
        (L1Line::H(h), L1Line::V(v)) | (L1Line::V(v), L1Line::H(h)) => {
            CrossbarSwitchOnHicann::between(h, v)
        }
        _ => None,
    }
}

/// Senders, their targets and the defects of a wafer.
fn problems() -> impl Strategy<Value = (Vec<Bus>, Vec<Targets>, Defects)> {
    let chips: Vec<HicannOnWafer> = HicannOnWafer::all().collect();
    let buses = subsequence((0..8 * HicannOnWafer::SIZE).collect::<Vec<_>>(), 1..60);
    let target = subsequence(chips, 0..50);
    let rates = (0.0..0.1_f64, any::<u64>());
    (buses, proptest::collection::vec(target, 60), 0..1000_u32, rates).prop_map(
        |(buses, targets, weight, (rate, seed))| {
            let senders = buses.into_iter().map(|bus| Bus {
                hicann: HicannOnWafer::from_index(bus / 8).unwrap(),
                merger: merger(bus % 8),
            });
            let senders: Vec<Bus> = senders.collect();
            let weigh = |(i, hicann)| (hicann, weight * i as u32 % 997);
            let targets: Vec<Targets> = targets
                .into_iter()
                .take(senders.len())
                .map(|targets| targets.into_iter().enumerate().map(weigh).collect())
                .collect();
            (senders, targets, Defects::random(&all_of_l1(rate), seed))
        },
    )
}

/// The same rate for everything that routes may meet.
pub(super) fn all_of_l1(rate: f64) -> Rates {
    use ComponentKind::{
        CrossbarSwitch, HLine, HRepeater, SynapseDriver, SynapseSwitch, VLine, VRepeater,
    };
    let kinds = [CrossbarSwitch, HLine, HRepeater, SynapseDriver, SynapseSwitch, VLine, VRepeater];
    kinds.into_iter().fold(Rates::NONE, |rates, kind| rates.with(kind, rate).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_rule_is_ever_broken(
        (senders, targets, defects) in problems(),
        crossbar_switches in 1..=2_usize,
        synapse_switches in 1..=2_usize,
    ) {
        let limits = Limits { crossbar_switches, synapse_switches, ..Limits::default() };
        let routed = route(&senders, &targets, &defects, &limits);
        check(&senders, &targets, &defects, &limits, &routed);
    }

    #[test]
    fn the_number_of_threads_changes_nothing((senders, targets, defects) in problems()) {
        let [one, two] = [1, 2].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| route(&senders, &targets, &defects, &Limits::default()))
        });
        prop_assert!(one == two);
    }
}

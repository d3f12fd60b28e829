//! Rules of repeaters and the lines they drive (hal-config §5.8; topology §4.5, §5.3).

use std::collections::BTreeMap;

use petgraph::unionfind::UnionFind;

use super::{ConfigFault, TestPortUse};
use crate::config::{HicannConfig, MergerMode, MergerTree, RepeaterMode, Repeaters, WaferConfig};
use crate::coord::{
    Coordinate, Direction, HicannOnWafer, L1Address, OnWafer, RepeaterBlockOnHicann,
    SendingRepeaterOnHicann, Side, TestPortOnRepeaterBlock, Vertical,
};
use crate::l1::{L1Line, L1Repeater};

fn usage<D: Copy>(mode: RepeaterMode<D>) -> Option<TestPortUse> {
    match mode {
        RepeaterMode::Output(_) | RepeaterMode::OutputBoth => Some(TestPortUse::Output),
        RepeaterMode::Input(_) => Some(TestPortUse::Input),
        RepeaterMode::Idle | RepeaterMode::Forwarding(_) | RepeaterMode::Loopback => None,
    }
}

/// Per test port one repeater emits and one records. Sending repeaters have no port.
pub(super) fn check_test_ports(
    hicann: HicannOnWafer,
    repeaters: &Repeaters,
    faults: &mut Vec<ConfigFault>,
) {
    type Port = (RepeaterBlockOnHicann, TestPortOnRepeaterBlock, TestPortUse);
    let horizontal = repeaters.horizontal.iter().filter_map(|(place, r)| {
        Some(((place.block(), place.test_port()?, usage(r.mode)?), L1Repeater::H(place)))
    });
    let vertical = repeaters.vertical.iter().filter_map(|(place, r)| {
        Some(((place.block(), place.test_port(), usage(r.mode)?), L1Repeater::V(place)))
    });
    let mut users: BTreeMap<Port, L1Repeater> = BTreeMap::new();
    for (at, second) in horizontal.chain(vertical) {
        if let Some(&first) = users.get(&at) {
            let (block, port, usage) = at;
            faults.push(ConfigFault::TestPort { hicann, block, port, usage, first, second });
        } else {
            users.insert(at, second);
        }
    }
}

/// A sending repeater needs an idle clock between two events of the chip. Events of the FPGA come
/// far enough apart.
pub(super) fn check_mergers(
    hicann: HicannOnWafer,
    config: &HicannConfig,
    faults: &mut Vec<ConfigFault>,
) {
    for sending in SendingRepeaterOnHicann::all() {
        let mode = config.repeaters.horizontal[sending.repeater()].mode;
        let place = sending.dnc_merger();
        let merger = config.mergers.dnc[place];
        let paced = match merger.mode {
            MergerMode::LeftOnly => true,
            MergerMode::Merge => merger.slow,
            MergerMode::RightOnly => false,
        };
        if usage(mode) == Some(TestPortUse::Output) && !paced {
            faults.push(ConfigFault::FastMerger { merger: place.on(hicann) });
        }
    }
}

/// A random generator needs a seed, and has no address (topology §5.6).
pub(super) fn check_generators(
    hicann: HicannOnWafer,
    mergers: &MergerTree,
    faults: &mut Vec<ConfigFault>,
) {
    for (place, generator) in mergers.background.iter().filter(|(_, g)| g.enable && g.random) {
        let place = place.on(hicann);
        if generator.seed == 0 {
            faults.push(ConfigFault::DeadGenerator { generator: place });
        }
        if generator.address != L1Address::BACKGROUND {
            faults.push(ConfigFault::RandomAddress { generator: place });
        }
    }
}

/// Directions in which a repeater transmits; `to` translates its own notion of direction.
fn transmissions<D: Copy>(
    mode: RepeaterMode<D>,
    both: [D; 2],
    to: impl Fn(D) -> Direction,
) -> impl Iterator<Item = Direction> {
    let directions: [Option<D>; 2] = match mode {
        RepeaterMode::Idle | RepeaterMode::Loopback => [None; 2],
        RepeaterMode::Forwarding(d) | RepeaterMode::Output(d) | RepeaterMode::Input(d) => {
            [Some(d), None]
        }
        RepeaterMode::OutputBoth => both.map(Some),
    };
    directions.map(|d| d.map(&to)).into_iter().flatten()
}

/// A line, with all lines that closed crossbar switches join to it, has one transmitter.
pub(super) fn check_drivers(config: &WaferConfig, faults: &mut Vec<ConfigFault>) {
    let mut driven: Vec<(OnWafer<L1Line>, OnWafer<L1Repeater>)> = Vec::new();
    for (&hicann, chip) in &config.hicanns {
        let mut add = |repeater: L1Repeater, direction| {
            let repeater = repeater.on(hicann);
            driven.extend(repeater.transmits_to(direction).map(|line| (line, repeater)));
        };
        for (place, repeater) in chip.repeaters.horizontal.iter() {
            let directions = transmissions(repeater.mode, Side::ALL, Side::direction);
            directions.for_each(|d| add(L1Repeater::H(place), d));
        }
        for (place, repeater) in chip.repeaters.vertical.iter() {
            let directions = transmissions(repeater.mode, Vertical::ALL, Vertical::direction);
            directions.for_each(|d| add(L1Repeater::V(place), d));
        }
    }
    driven.sort_unstable();
    for of_chip in driven.chunk_by(|(a, _), (b, _)| a.hicann == b.hicann) {
        let mut nets = UnionFind::<u16>::new(L1Line::SIZE);
        let index = |line: L1Line| line.index() as u16;
        if let Some(chip) = config.hicanns.get(&of_chip[0].0.hicann) {
            for switch in chip.crossbar.closed() {
                nets.union(index(L1Line::H(switch.hline())), index(L1Line::V(switch.vline())));
            }
        }
        let mut first_of = [None; L1Line::SIZE];
        for &(line, second) in of_chip {
            let net = &mut first_of[usize::from(nets.find(index(line.local)))];
            match *net {
                None => *net = Some(second),
                Some(first) => faults.push(ConfigFault::DrivenTwice { line, first, second }),
            }
        }
    }
}

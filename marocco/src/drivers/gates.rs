//! Which gate of plasticity each quadrant of a chip gets.

use hal::coord::{HicannOnWafer, OnWafer, QuadrantOnHicann, Side, VLineOnHicann, Vertical};

use crate::demand::BusDemand;
use crate::kinds::Kinds;

/// The gate of each quadrant, by its number; 0 without plasticity.
pub(crate) type Gates = [usize; QuadrantOnHicann::SIZE];

/// The gates with which the buses that arrive at a chip realise most. A bus reaches both quadrants
/// of its side. First it is settled which arrays update weights; then each side gets the best one
/// of the other gates, and the one that helps most beside it.
pub(crate) fn choose_gates(
    hicann: HicannOnWafer,
    demands: &[BusDemand],
    taps: &[Option<OnWafer<VLineOnHicann>>],
    kinds: &Kinds,
) -> Gates {
    let mut gates = Gates::default();
    if kinds.gates().len() == 1 {
        return gates;
    }
    let controllers = choose_controllers(demands, taps, kinds);
    for side in Side::ALL {
        let arriving: Vec<&BusDemand> = demands
            .iter()
            .zip(taps)
            .filter(|(_, tap)| tap.is_some_and(|tap| side_of(hicann, tap) == side))
            .map(|(demand, _)| demand)
            .collect();
        let realised = |chosen: [usize; 2]| -> u64 {
            let best = |d: &&BusDemand| {
                let last = |gate: usize| d.realised(gate).iter().copied().max().unwrap_or(0);
                u64::from(chosen.map(last).into_iter().max().unwrap_or(0))
            };
            arriving.iter().map(best).sum()
        };
        let best = |array: Option<usize>, with: &dyn Fn(usize) -> u64| {
            if let Some(controller) = array {
                return controller;
            }
            let constant = kinds.gates().filter(|&gate| kinds.controller(gate).is_none());
            // the first of equal ones
            constant.max_by_key(|&gate| (with(gate), std::cmp::Reverse(gate))).unwrap_or(0)
        };
        let first = best(controllers[0], &|gate| realised([gate; 2]));
        let second = best(controllers[1], &|gate| realised([first, gate]));
        let helps = realised([first, second]) > realised([first; 2]);
        let second = if controllers != [None; 2] || helps { second } else { first };
        for (vertical, gate) in Vertical::ALL.into_iter().zip([first, second]) {
            gates[QuadrantOnHicann::at(side, vertical).index()] = gate;
        }
    }
    gates
}

/// For the top and the bottom array: the gate whose weights its controller updates, if any.
fn choose_controllers(
    demands: &[BusDemand],
    taps: &[Option<OnWafer<VLineOnHicann>>],
    kinds: &Kinds,
) -> [Option<usize>; 2] {
    let updating = || kinds.gates().filter(|&gate| kinds.controller(gate).is_some());
    let choices: Vec<Option<usize>> = std::iter::once(None).chain(updating().map(Some)).collect();
    if choices.len() == 1 {
        return [None; 2];
    }
    let constant = || kinds.gates().filter(|&gate| kinds.controller(gate).is_none());
    let realised = |demand: &BusDemand, choice: Option<usize>| -> u64 {
        let most = |gate: usize| demand.realised(gate).iter().copied().max().unwrap_or(0);
        u64::from(choice.map_or_else(|| constant().map(most).max().unwrap_or(0), most))
    };
    let arriving = || demands.iter().zip(taps).filter(|(_, tap)| tap.is_some()).map(|(d, _)| d);
    // what is realised at all counts, and then what has a choice of two arrays
    let value = |pair: [Option<usize>; 2]| -> (u64, u64) {
        arriving().fold((0, 0), |(most, both), demand| {
            let [a, b] = pair.map(|choice| realised(demand, choice));
            (most + a.max(b), both + a + b)
        })
    };
    let pairs = choices.iter().flat_map(|&a| choices.iter().map(move |&b| [a, b]));
    let mut best = ([None; 2], value([None; 2]));
    for pair in pairs.skip(1) {
        let value = value(pair);
        if value > best.1 {
            best = (pair, value);
        }
    }
    best.0
}

/// The side of the drivers that a line reaches on a chip: its own side, or that of the border
/// between the line's chip and this one.
fn side_of(hicann: HicannOnWafer, tap: OnWafer<VLineOnHicann>) -> Side {
    let side = tap.local.side();
    match (side, tap.hicann == hicann) {
        (side, true) => side,
        (Side::Left, false) => Side::Right,
        (Side::Right, false) => Side::Left,
    }
}

//! Which gate of short-term plasticity each quadrant of a chip gets.

use hal::coord::{HicannOnWafer, OnWafer, QuadrantOnHicann, Side, VLineOnHicann, Vertical};

use crate::demand::BusDemand;
use crate::kinds::Kinds;

/// The gate of each quadrant, by its number; 0 without short-term plasticity.
pub(crate) type Gates = [usize; QuadrantOnHicann::SIZE];

/// The gates with which the buses that arrive at a chip realise most: on each side the best one,
/// and the one that helps most beside it. A bus reaches both quadrants of its side.
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
        let best = |with: &dyn Fn(usize) -> u64| {
            // the first of equal ones
            kinds.gates().max_by_key(|&gate| (with(gate), std::cmp::Reverse(gate))).unwrap_or(0)
        };
        let first = best(&|gate| realised([gate; 2]));
        let second = best(&|gate| realised([first, gate]));
        let second = if realised([first, second]) > realised([first; 2]) { second } else { first };
        for (vertical, gate) in Vertical::ALL.into_iter().zip([first, second]) {
            gates[QuadrantOnHicann::at(side, vertical).index()] = gate;
        }
    }
    gates
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

//! Which lines carry which bus: a walk over the decoded switches and repeaters (topology §4).

use std::collections::VecDeque;

use hal::coord::{
    Coordinate, CrossbarSwitchOnHicann, Direction, HicannOnWafer, OnWafer, SendingRepeaterOnHicann,
    Side,
};
use hal::l1::{L1Line, L1Repeater};

use super::Chips;
use crate::mapping::Bus;

/// A bus on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    /// The line.
    pub line: OnWafer<L1Line>,
    /// The bus.
    pub bus: Bus,
    /// In how many ways the bus gets there; 1 unless its lines form a loop.
    pub ways: u16,
}

/// Everything that the lines of the wafer carry.
#[derive(Debug, Default)]
pub(super) struct Carried {
    arrivals: Vec<Arrival>,
}

impl Carried {
    /// All arrivals, sorted by line, then bus.
    pub(super) fn all(&self) -> &[Arrival] {
        &self.arrivals
    }

    /// The buses on a line, ascending.
    pub(super) fn on(&self, line: OnWafer<L1Line>) -> &[Arrival] {
        let start = self.arrivals.partition_point(|a| a.line < line);
        let count = self.arrivals[start..].partition_point(|a| a.line == line);
        &self.arrivals[start..start + count]
    }
}

/// Follows the output of every sending repeater.
pub(super) fn flood(chips: &Chips<'_>) -> Carried {
    let mut arrivals: Vec<Arrival> = Vec::new();
    // whose turn it was when the line was last reached, and where its arrival stands
    let mut reached: Vec<(u32, u32)> = vec![(0, 0); OnWafer::<L1Line>::SIZE];
    let mut turn = 0;
    for hicann in HicannOnWafer::all() {
        for sending in SendingRepeaterOnHicann::all() {
            turn += 1;
            let bus = Bus { hicann, merger: sending.dnc_merger() };
            let starts = injected(chips, sending.on(hicann));
            let mut queue: VecDeque<_> = starts.map(|line| (line, None)).collect();
            while let Some((line, from)) = queue.pop_front() {
                let (last, place) = reached[line.index()];
                if last == turn {
                    arrivals[place as usize].ways += 1;
                    continue;
                }
                reached[line.index()] = (turn, arrivals.len() as u32);
                arrivals.push(Arrival { line, bus, ways: 1 });
                // a closed switch is a wire for both directions: not back through it
                let next = driven(chips, line).filter(|&to| Some(to) != from);
                queue.extend(next.map(|to| (to, Some(line))));
            }
        }
    }
    arrivals.sort_unstable_by_key(|a| (a.line, a.bus));
    Carried { arrivals }
}

/// The lines onto which a sending repeater puts its bus (topology §4.1).
fn injected(
    chips: &Chips<'_>,
    sending: OnWafer<SendingRepeaterOnHicann>,
) -> impl Iterator<Item = OnWafer<L1Line>> {
    let chip = chips[sending.hicann];
    let repeater = sending.local.repeater();
    let mode = chip.repeaters.horizontal[repeater].mode;
    // its receiver is not in use, so only the driver of the block has to be released
    let on = chip.repeater_blocks[repeater.block()].driver_released;
    Side::ALL
        .into_iter()
        .filter(move |&side| on && mode.outputs_to(side))
        .filter_map(move |side| sending.injects_to(side))
}

/// The lines that a line drives: through closed crossbar switches of its chip, and through
/// repeaters that forward away from it.
fn driven(chips: &Chips<'_>, line: OnWafer<L1Line>) -> impl Iterator<Item = OnWafer<L1Line>> {
    let chip = chips[line.hicann];
    let closed = move |h, v| {
        CrossbarSwitchOnHicann::between(h, v).is_some_and(|s| chip.crossbar.is_closed(s))
    };
    let crossing: Vec<L1Line> = match line.local {
        L1Line::H(h) => h.crossbar_vlines().filter(|&v| closed(h, v)).map(L1Line::V).collect(),
        L1Line::V(v) => {
            v.crossbar_hlines().into_iter().filter(|&h| closed(h, v)).map(L1Line::H).collect()
        }
    };
    let onwards = line.local.directions().into_iter().filter_map(move |direction| {
        let hop = line.hop(direction)?;
        (forwards(chips, hop.repeater) == Some(direction)).then_some(hop.to)
    });
    crossing.into_iter().map(move |l| l.on(line.hicann)).chain(onwards)
}

/// The direction in which a repeater passes events on, if it is released and does so.
fn forwards(chips: &Chips<'_>, repeater: OnWafer<L1Repeater>) -> Option<Direction> {
    let chip = chips[repeater.hicann];
    let block = chip.repeater_blocks[repeater.local.block()];
    if !(block.dll_released && block.driver_released) {
        return None;
    }
    match repeater.local {
        L1Repeater::H(r) => chip.repeaters.horizontal[r].mode.forwards_to().map(Side::direction),
        L1Repeater::V(r) => {
            chip.repeaters.vertical[r].mode.forwards_to().map(hal::coord::Vertical::direction)
        }
    }
}

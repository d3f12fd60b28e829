//! Class-balanced broadcast: a trunk along the row of the sender, and one rib per column.
//!
//! A bus leaves its sending repeater along its row. In each column with targets it turns, by the
//! one crossbar switch it closes there, onto one vertical line that runs north and south as far as
//! targets lie. Trunks of one row never share a line, because senders of one row start on the same
//! line and their columns differ by less than 32. Ribs of one column share no line, because each
//! gets a diagonal of its own: `vline + 2 y` on the left and `vline - 2 y` on the right stay
//! constant along a rib, and a class has four of each (mapping §7.3).

use std::collections::BTreeMap;

use hal::coord::{Coordinate, Direction, HLineOnHicann, OnWafer, Side, VLineOnHicann};
use hal::l1::{L1Component, L1Line};

use super::{BusEnds, RoutedBus, Targets};
use crate::mapping::{Bus, Route, RouteLine};

/// Routes each bus to its targets. `senders[i]` sends to the chips `targets[i]`.
pub(super) fn broadcast(senders: &[Bus], targets: &[Targets]) -> Vec<RoutedBus> {
    // buses of each component in order, to deal out the diagonals
    let mut order: BTreeMap<L1Component, usize> = BTreeMap::new();
    senders
        .iter()
        .zip(targets)
        .map(|(&bus, targets)| {
            let line = L1Line::H(bus.merger.hline()).on(bus.hicann);
            let component = line.component();
            let rank = order.entry(component).or_default();
            let diagonal = Diagonal::of_rank(*rank, component);
            *rank += 1;
            route_bus(bus, targets, diagonal)
        })
        .collect()
}

/// One of the eight vertical lines that a bus can turn to.
#[derive(Debug, Clone, Copy)]
struct Diagonal {
    side: Side,
    /// Which of the four lines of the side, 0..4.
    number: usize,
}

impl Diagonal {
    /// The diagonal of the n-th bus of a component. Sides alternate, and odd components start on
    /// the other side, so that four neighbouring classes of seven buses load both sides with 14.
    fn of_rank(rank: usize, component: L1Component) -> Self {
        let side =
            if (rank + component.index()).is_multiple_of(2) { Side::Left } else { Side::Right };
        Self { side, number: rank / 2 }
    }

    /// The line that leaves `hline` on a chip. The number counts diagonals, which move through the
    /// lines with the row of the chip.
    fn vline(self, hline: OnWafer<HLineOnHicann>) -> VLineOnHicann {
        let y = hline.hicann.y();
        let wanted = |v: &VLineOnHicann| {
            let diagonal = match v.side() {
                Side::Left => (v.index() + 2 * y) % 128,
                Side::Right => (v.index() - 2 * y) % 128,
            };
            v.side() == self.side && diagonal / 32 == self.number
        };
        hline.local.crossbar_vlines().find(wanted).expect("one line per side and quarter")
    }
}

fn route_bus(bus: Bus, targets: &Targets, diagonal: Diagonal) -> RoutedBus {
    let mut tree = Tree { lines: Vec::new(), ends: BusEnds::new() };
    // first and last row with targets, by column
    let mut columns: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (target, _) in targets {
        let rows = columns.entry(target.x()).or_insert((target.y(), target.y()));
        *rows = (rows.0.min(target.y()), rows.1.max(target.y()));
    }
    let own = L1Line::H(bus.merger.hline()).on(bus.hicann);
    let home = bus.hicann.x();
    if columns.range(home..).next().is_some() {
        let last = *columns.keys().next_back().expect("not empty");
        let root = tree.push(own, None);
        tree.trunk(root, Direction::East, last - home, &columns, diagonal);
    }
    if let Some(&first) = columns.keys().next().filter(|&&x| x < home) {
        let west = own.hop(Direction::West).expect("a column lies to the west").to;
        let root = tree.push(west, None);
        tree.trunk(root, Direction::West, home - 1 - first, &columns, diagonal);
    }
    RoutedBus { route: Route { bus, lines: tree.lines }, ends: tree.ends, unreached: Vec::new() }
}

struct Tree {
    lines: Vec<RouteLine>,
    ends: BusEnds,
}

impl Tree {
    fn push(&mut self, line: OnWafer<L1Line>, parent: Option<u32>) -> u32 {
        if let L1Line::V(vline) = line.local {
            self.ends.insert(line.hicann, vline.on(line.hicann));
        }
        self.lines.push(RouteLine { line, parent });
        self.lines.len() as u32 - 1
    }

    /// Walks along the row, with a rib in each column that has targets.
    fn trunk(
        &mut self,
        root: u32,
        direction: Direction,
        hops: usize,
        columns: &BTreeMap<usize, (usize, usize)>,
        diagonal: Diagonal,
    ) {
        let mut here = root;
        for hop in 0..=hops {
            let line = self.lines[here as usize].line;
            if let (Some(&rows), L1Line::H(hline)) = (columns.get(&line.hicann.x()), line.local) {
                self.rib(here, diagonal.vline(hline.on(line.hicann)), rows);
            }
            if hop < hops {
                let next = line.hop(direction).expect("rows of the rectangle have no gaps").to;
                here = self.push(next, Some(here));
            }
        }
    }

    /// Turns onto a vertical line and follows it to the first and last row.
    fn rib(&mut self, from: u32, vline: VLineOnHicann, rows: (usize, usize)) {
        let hicann = self.lines[from as usize].line.hicann;
        let turn = self.push(L1Line::V(vline).on(hicann), Some(from));
        let north = hicann.y().saturating_sub(rows.0);
        let south = rows.1.saturating_sub(hicann.y());
        for (direction, hops) in [(Direction::North, north), (Direction::South, south)] {
            let mut here = turn;
            for _ in 0..hops {
                let line = self.lines[here as usize].line;
                let next = line.hop(direction).expect("columns of the rectangle have no gaps").to;
                here = self.push(next, Some(here));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hal::coord::HicannOnWafer;

    use super::*;
    use crate::placement::MERGER;

    /// The 210 senders of the rectangle with at most seven per class, each to all chips.
    fn full_broadcast() -> (Vec<Bus>, Vec<RoutedBus>) {
        let mut used = [0; 32];
        let mut senders = Vec::new();
        let mut all = Vec::new();
        for hicann in HicannOnWafer::all() {
            if (8..=27).contains(&hicann.x()) && (2..=13).contains(&hicann.y()) {
                all.push((hicann, 1));
                let class = (hicann.x() + 2 * hicann.y()) % 32;
                if used[class] < 7 {
                    used[class] += 1;
                    senders.push(Bus { hicann, merger: MERGER });
                }
            }
        }
        let targets = vec![all; senders.len()];
        let routed = broadcast(&senders, &targets);
        (senders, routed)
    }

    #[test]
    fn a_full_broadcast_shares_no_line() {
        let (senders, routed) = full_broadcast();
        assert_eq!(senders.len(), 210);
        let mut seen = BTreeSet::new();
        for bus in &routed {
            assert_eq!(bus.ends.len(), 240);
            for line in &bus.route.lines {
                assert!(seen.insert(line.line), "{} is used twice", line.line);
            }
        }
    }

    #[test]
    fn a_full_broadcast_leaves_every_bus_a_slot_in_its_switch_group() {
        let (_, routed) = full_broadcast();
        let mut load: BTreeMap<(HicannOnWafer, Side, usize), usize> = BTreeMap::new();
        for bus in &routed {
            for (&hicann, vline) in &bus.ends {
                *load
                    .entry((hicann, vline.local.side(), vline.local.switch_group()))
                    .or_default() += 1;
            }
        }
        assert!(load.values().all(|&n| n <= 14));
    }
}

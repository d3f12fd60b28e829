//! The lines of one component of the L1 network, as far as a wafer's defects leave them usable.
//!
//! A component has ten lines on every chip, two horizontal and eight vertical ones, and no switch
//! or repeater leads out of it (topology §4.7). Lines are numbered chip by chip, horizontal ones
//! first, so that everything about a component fits into short vectors.

use hal::coord::{
    Coordinate, CrossbarSwitchOnHicann, HLineOnHicann, HicannOnWafer, OnWafer, VLineOnHicann,
};
use hal::defects::Defects;
use hal::l1::{L1Component, L1Line};

use super::slots::{self, SlotGroup};

/// Number of a line within its component, `10 * chip + position`.
pub(super) type Node = u16;
/// Stands for a line that does not exist.
pub(super) const NOWHERE: Node = Node::MAX;
/// Lines of a component on a chip.
const PER_CHIP: usize = 10;
/// The first of them are horizontal.
const HORIZONTAL: usize = 2;
/// Lines of a component.
pub(super) const NODES: usize = PER_CHIP * HicannOnWafer::SIZE;

/// One line and where it leads.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) usable: bool,
    /// The continuations to the west and east, or to the north and south.
    pub(super) hops: [Node; 2],
    /// Bit `i` tells whether the switch to the i-th line of the other orientation works.
    crossing: u8,
    /// Drivers of its own chip that the line reaches.
    pub(super) own: Option<SlotGroup>,
    /// Chip beyond the border on the side of the line, and the drivers that it reaches there.
    pub(super) facing: Option<(HicannOnWafer, SlotGroup)>,
}

/// All lines of a component.
#[derive(Debug)]
pub(super) struct Lines {
    component: L1Component,
    lines: Vec<Line>,
}

impl Lines {
    pub(super) fn new(component: L1Component, defects: &Defects) -> Self {
        let lines = HicannOnWafer::all().flat_map(|hicann| {
            let lines = lines_on(component, hicann);
            lines.map(|line| Line::new(line.on(hicann), &lines, defects))
        });
        Self { component, lines: lines.collect() }
    }

    pub(super) fn get(&self, node: Node) -> &Line {
        &self.lines[node as usize]
    }

    /// The line with this number.
    pub(super) fn line(&self, node: Node) -> OnWafer<L1Line> {
        let hicann = chip(node);
        lines_on(self.component, hicann)[node as usize % PER_CHIP].on(hicann)
    }

    /// The lines of the same chip that a working crossbar switch joins to this one.
    pub(super) fn crossing(&self, node: Node) -> impl Iterator<Item = Node> {
        let mask = self.get(node).crossing;
        let place = node as usize % PER_CHIP;
        let first = node - place as Node + if place < HORIZONTAL { HORIZONTAL as Node } else { 0 };
        (0..8).filter(move |i| mask >> i & 1 == 1).map(move |i| first + i)
    }

    /// The lines that reach drivers of a chip: its own vertical ones, and those that face it.
    pub(super) fn reaching(&self, hicann: HicannOnWafer) -> impl Iterator<Item = Node> {
        let neighbours = [Some(hicann), hicann.west(), hicann.east()].into_iter().flatten();
        let nodes = neighbours.flat_map(|chip| {
            let first = (PER_CHIP * chip.index()) as Node;
            first + HORIZONTAL as Node..first + PER_CHIP as Node
        });
        nodes.filter(move |&node| {
            let line = self.get(node);
            let facing = line.facing.is_some_and(|(chip, _)| chip == hicann);
            facing || (line.own.is_some() && chip(node) == hicann)
        })
    }

    /// Nothing crosses the border between two lines any more: its repeater sends.
    pub(super) fn sever(&mut self, one: Node, other: Node) {
        for (from, to) in [(one, other), (other, one)] {
            for hop in &mut self.lines[from as usize].hops {
                if *hop == to {
                    *hop = NOWHERE;
                }
            }
        }
    }
}

impl Line {
    fn new(line: OnWafer<L1Line>, on_chip: &[L1Line; PER_CHIP], defects: &Defects) -> Self {
        let usable = defects.is_usable(line);
        let mut built = Self { usable, hops: [NOWHERE; 2], crossing: 0, own: None, facing: None };
        if !usable {
            return built;
        }
        for (slot, direction) in built.hops.iter_mut().zip(line.local.directions()) {
            if let Some(hop) = line.hop(direction).filter(|&hop| defects.allows(hop)) {
                *slot = node(hop.to);
            }
        }
        let works = |h: HLineOnHicann, v: VLineOnHicann| {
            CrossbarSwitchOnHicann::between(h, v)
                .is_some_and(|switch| defects.is_usable(switch.on(line.hicann)))
        };
        let others = match line.local {
            L1Line::H(_) => &on_chip[HORIZONTAL..],
            L1Line::V(_) => &on_chip[..HORIZONTAL],
        };
        for (i, &other) in others.iter().enumerate() {
            let (L1Line::H(h), L1Line::V(v)) = (match line.local {
                L1Line::H(_) => (line.local, other),
                L1Line::V(_) => (other, line.local),
            }) else {
                unreachable!("the other lines have the other orientation")
            };
            built.crossing |= u8::from(works(h, v)) << i;
        }
        if let L1Line::V(v) = line.local {
            (built.own, built.facing) = slots::reached(v.on(line.hicann), defects);
        }
        built
    }
}

/// The ten lines of a component on a chip: its two horizontal ones, then the vertical ones
/// ascending.
fn lines_on(component: L1Component, hicann: HicannOnWafer) -> [L1Line; PER_CHIP] {
    let even = 2 * component.class_on(hicann).index();
    let [first, second] = [even, even + 1]
        .map(|h| HLineOnHicann::from_index(h).expect("a class has two horizontal lines"));
    let mut lines = [L1Line::H(first); PER_CHIP];
    lines[1] = L1Line::H(second);
    for (slot, vline) in lines[HORIZONTAL..].iter_mut().zip(first.crossbar_vlines()) {
        *slot = L1Line::V(vline);
    }
    lines
}

/// Number of a line within its component.
pub(super) fn node(line: OnWafer<L1Line>) -> Node {
    let place = match line.local {
        L1Line::H(h) => h.index() % 2,
        // four lines of a class on each side, one in each quarter of it
        L1Line::V(v) => HORIZONTAL + v.index() / 32,
    };
    (PER_CHIP * line.hicann.index() + place) as Node
}

/// The chip of a line.
pub(super) fn chip(node: Node) -> HicannOnWafer {
    HicannOnWafer::from_index(node as usize / PER_CHIP).expect("nodes are numbered by chip")
}

/// Whether two neighbouring lines are joined by a switch, not by a repeater.
pub(super) fn same_chip(one: Node, other: Node) -> bool {
    one as usize / PER_CHIP == other as usize / PER_CHIP
}

/// Whether the line is a horizontal one.
pub(super) fn is_horizontal(node: Node) -> bool {
    (node as usize % PER_CHIP) < HORIZONTAL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_one_to_one() {
        for component in L1Component::all() {
            let lines = Lines::new(component, &Defects::default());
            for i in 0..NODES as Node {
                assert_eq!(lines.line(i).component(), component);
                assert_eq!(node(lines.line(i)), i);
            }
        }
    }

    #[test]
    fn t22_lines_lead_where_the_graph_of_the_wafer_leads() {
        let component = L1Component::new::<5>();
        let lines = Lines::new(component, &Defects::default());
        for i in 0..NODES as Node {
            let hops = lines.get(i).hops.into_iter().filter(|&n| n != NOWHERE);
            let mut found: Vec<_> = lines.crossing(i).chain(hops).map(|n| lines.line(n)).collect();
            let mut expected: Vec<_> = lines.line(i).neighbours().map(|(line, _)| line).collect();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected);
        }
    }
}

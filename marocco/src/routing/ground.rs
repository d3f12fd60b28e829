//! What lines and slots cost: the ground on which the buses of a component compete.

use hal::coord::HicannOnWafer;

use super::Limits;
use super::lines::{self, Lines, NODES, Node, is_horizontal};
use super::slots::SlotGroup;
use super::tree::Tree;

/// Cost of a vertical line; a chip has eight of a component.
const VERTICAL: u32 = 10;
/// Cost of a horizontal line; a chip has two of a component.
const HORIZONTAL: u32 = 30;
/// Cost of being served from a neighbour's line, so that it remains the exception.
const FACING: u32 = 120;
/// Cost of a slot group that is nearly full; proportionally less before that.
const NEARLY_FULL: u32 = 8;
/// Cost of a slot group without a free driver, and of each bus that is too many there.
const FULL: u32 = 200;
const TOO_MANY: u32 = 20;

/// No bus, or no target.
pub(super) const NONE: u16 = u16::MAX;

/// A bus of the component.
#[derive(Debug)]
pub(super) struct Net {
    /// Position in the list of senders.
    pub(super) index: usize,
    /// Lines that the sending repeater can drive: its own and that of the western chip.
    pub(super) roots: [Option<Node>; 2],
    /// Chips that listen, ascending, with the synapses that depend on them.
    pub(super) targets: Vec<(HicannOnWafer, u32)>,
    /// Position among the targets by chip, else [`NONE`].
    target_on: Vec<u16>,
    pub(super) tree: Tree,
}

impl Net {
    /// # Arguments
    /// `targets` ascending, without repetition.
    pub(super) fn new(
        index: usize,
        roots: [Option<Node>; 2],
        targets: Vec<(HicannOnWafer, u32)>,
    ) -> Self {
        let mut target_on = vec![NONE; HicannOnWafer::SIZE];
        for (i, (hicann, _)) in targets.iter().enumerate() {
            target_on[hicann.index()] = i as u16;
        }
        let tree = Tree::new(targets.len());
        Self { index, roots, targets, target_on, tree }
    }

    /// The target on a chip that is not served yet.
    pub(super) fn pending_on(&self, hicann: HicannOnWafer) -> Option<usize> {
        let target = usize::from(self.target_on[hicann.index()]);
        (target < self.targets.len() && self.tree.ends()[target].is_none()).then_some(target)
    }

    /// The targets that are not served yet.
    pub(super) fn pending(&self) -> impl Iterator<Item = usize> {
        self.tree.ends().iter().enumerate().filter(|(_, end)| end.is_none()).map(|(i, _)| i)
    }
}

/// Lines, slots and who uses them.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) lines: Lines,
    pub(super) limits: &'a Limits,
    /// Buses on each line.
    pub(super) occupied: Vec<u8>,
    /// The bus whose sending repeater owns a line, else [`NONE`].
    pub(super) reserved: Vec<u16>,
    /// What past conflicts add to the cost of each line.
    pub(super) history: Vec<u32>,
    /// Usable drivers of each slot group.
    pub(super) slots: &'a [u16],
    /// Buses of all components that each slot group has to take.
    pub(super) load: Vec<u16>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(lines: Lines, limits: &'a Limits, slots: &'a [u16]) -> Self {
        Self {
            lines,
            limits,
            occupied: vec![0; NODES],
            reserved: vec![NONE; NODES],
            history: vec![0; NODES],
            slots,
            load: vec![0; slots.len()],
        }
    }

    /// Cost of one more line for a bus that does not use it yet; none if it cannot have it.
    ///
    /// # Arguments
    /// `sharing` is the cost of each other bus on the line; with none, it must be free.
    pub(super) fn price(&self, node: Node, bus: usize, sharing: Option<u32>) -> Option<u32> {
        let i = node as usize;
        let others = u32::from(self.occupied[i]);
        let owner = self.reserved[i];
        let foreign = owner != NONE && usize::from(owner) != bus;
        if foreign || !self.lines.get(node).usable || (others > 0 && sharing.is_none()) {
            return None;
        }
        let base = if is_horizontal(node) { HORIZONTAL } else { VERTICAL };
        Some(base + self.history[i] + others * sharing.unwrap_or(0))
    }

    /// The slot group that serves a target from a line: of the line's own chip, or of the chip
    /// that it faces.
    pub(super) fn group(&self, node: Node, target: HicannOnWafer) -> SlotGroup {
        let line = self.lines.get(node);
        let facing = line.facing.filter(|&(hicann, _)| hicann == target).map(|(_, group)| group);
        let own = line.own.filter(|_| lines::chip(node) == target);
        own.or(facing).expect("targets are served from lines that reach them")
    }

    /// The targets that a line can serve and that are not served yet, with their cost.
    pub(super) fn taps(&self, node: Node, net: &Net) -> impl Iterator<Item = (usize, u32)> {
        let line = self.lines.get(node);
        let own = line.own.map(|group| (lines::chip(node), group, 0));
        let facing = line.facing.map(|(hicann, group)| (hicann, group, FACING));
        own.into_iter().chain(facing).filter_map(|(hicann, group, cost)| {
            Some((net.pending_on(hicann)?, cost + self.crowding(group)))
        })
    }

    /// Cost of one more bus in a slot group.
    pub(super) fn crowding(&self, group: SlotGroup) -> u32 {
        let (load, slots) = (self.load[group as usize], self.slots[group as usize]);
        match load.checked_sub(slots) {
            Some(excess) => FULL + TOO_MANY * u32::from(excess),
            None => NEARLY_FULL * u32::from(load) / u32::from(slots),
        }
    }

    /// Whether a slot group has more buses than drivers.
    pub(super) fn is_overfull(&self, group: SlotGroup) -> bool {
        self.load[group as usize] > self.slots[group as usize]
    }

    /// Whether a slot group has a driver left.
    pub(super) fn has_room(&self, group: SlotGroup) -> bool {
        self.load[group as usize] < self.slots[group as usize]
    }
}

/// Changes of a tree, with the books of the ground kept.
impl Ground<'_> {
    /// Adds a line to a tree.
    pub(super) fn extend(&mut self, net: &mut Net, node: Node, parent: Option<Node>) {
        net.tree.add(node, parent);
        self.occupied[node as usize] += 1;
    }

    /// Serves a target from a line of the tree.
    pub(super) fn serve(&mut self, net: &mut Net, target: usize, node: Node) {
        net.tree.tap(target, node);
        let group = self.group(node, net.targets[target].0);
        self.load[group as usize] += 1;
    }

    /// Removes branches and all lines that serve no target.
    pub(super) fn cut(&mut self, net: &mut Net, is_cut: impl Fn(Node) -> bool) {
        let before = net.tree.ends().to_vec();
        for node in net.tree.cut(is_cut) {
            self.occupied[node as usize] -= 1;
        }
        for (target, end) in before.into_iter().enumerate() {
            if let (Some(node), None) = (end, net.tree.ends()[target]) {
                let group = self.group(node, net.targets[target].0);
                self.load[group as usize] -= 1;
            }
        }
    }

    /// Gives an empty tree back what it had.
    pub(super) fn restore(&mut self, net: &mut Net, old: Tree) {
        for &node in old.members() {
            self.occupied[node as usize] += 1;
        }
        for (end, &(target, _)) in old.ends().iter().zip(&net.targets) {
            if let Some(node) = *end {
                let group = self.group(node, target);
                self.load[group as usize] += 1;
            }
        }
        net.tree = old;
    }

    /// No longer serves a target, and removes the lines that only it needed.
    pub(super) fn release(&mut self, net: &mut Net, target: usize) {
        if let Some(node) = net.tree.ends()[target] {
            let group = self.group(node, net.targets[target].0);
            self.load[group as usize] -= 1;
            net.tree.untap(target);
            for node in net.tree.cut(|_| false) {
                self.occupied[node as usize] -= 1;
            }
        }
    }
}

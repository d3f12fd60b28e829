//! The buses of one component of the L1 network: negotiation of the lines among them.
//!
//! A line may at first carry several buses, at a price that rises from round to round and, for
//! lines that were contested before, for good. Each round the buses give up the branches that lie
//! on contested lines and look for cheaper ones, until none is contested (PathFinder; mapping §8.D).

use hal::coord::{Coordinate, OnWafer, SendingRepeaterOnHicann, Side};
use hal::defects::Defects;
use hal::l1::{L1Component, L1Line, L1Repeater};

use super::broadcast::{Diagonal, lay};
use super::ground::{Ground, Net};
use super::lines::{self, Lines, Node};
use super::search::{Found, Search};
use super::{BusEnds, Limits, RoutedBus, Targets};
use crate::mapping::{Bus, Route, RouteLine};

/// Price of each other bus on a line in the first round, and how it rises.
const SHARING: u32 = 5;
const fn next_sharing(sharing: u32) -> u32 {
    if sharing > 1000 { sharing } else { sharing + sharing / 2 }
}
/// What a conflict adds to the price of a line for good.
const CONFLICT: u32 = 15;
/// A component and its buses.
#[derive(Debug)]
pub(super) struct Part<'a> {
    component: L1Component,
    ground: Ground<'a>,
    nets: Vec<Net>,
    search: Search,
}

impl<'a> Part<'a> {
    /// # Arguments
    /// `buses` are those whose sending lines lie in the component, with their position in the
    /// list of senders and their targets; `slots` the usable drivers of each slot group.
    pub(super) fn new(
        component: L1Component,
        buses: &[(usize, Bus, &Targets)],
        defects: &Defects,
        limits: &'a Limits,
        slots: &'a [u16],
    ) -> Self {
        let mut ground = Ground::new(Lines::new(component, defects), limits, slots);
        let mut nets = Vec::with_capacity(buses.len());
        for &(index, bus, targets) in buses {
            let sending = bus.merger.sending_repeater().on(bus.hicann);
            if !targets.is_empty() {
                reserve(&mut ground, index, sending);
            }
            nets.push(Net::new(index, roots(sending, defects), merged(targets)));
        }
        Self { component, ground, nets, search: Search::new() }
    }

    pub(super) fn component(&self) -> L1Component {
        self.component
    }

    /// Sets how many buses of all components use each slot group.
    pub(super) fn set_load(&mut self, load: &[u16]) {
        self.ground.load.copy_from_slice(load);
    }

    /// Adds the uses of slot groups by this component.
    pub(super) fn add_load(&self, load: &mut [u16]) {
        for net in &self.nets {
            for (end, &(target, _)) in net.tree.ends().iter().zip(&net.targets) {
                if let Some(node) = *end {
                    load[self.ground.group(node, target) as usize] += 1;
                }
            }
        }
    }

    /// Lays trunks and ribs as far as they fit.
    pub(super) fn broadcast(&mut self) {
        for (rank, net) in self.nets.iter_mut().enumerate() {
            lay(&mut self.ground, net, Diagonal::of_rank(rank, self.component));
        }
    }

    /// Routes all targets that are not served yet, and gives up those that do not fit.
    pub(super) fn negotiate(&mut self) {
        let mut sharing = SHARING;
        for round in 0..self.ground.limits.rounds {
            for net in self.by_contested_weight() {
                if round > 0 {
                    let Self { ground, nets, .. } = self;
                    let contested = contested(ground);
                    ground.cut(&mut nets[net], |node| contested[node as usize]);
                }
                self.grow(net, Some(sharing));
            }
            if !self.charge() || self.search.effort > self.ground.limits.effort {
                break;
            }
            sharing = next_sharing(sharing);
        }
        self.settle();
        for net in self.by_pending_weight() {
            self.grow(net, None);
        }
        for net in self.by_pending_weight() {
            self.rebuild(net);
        }
    }

    /// Grows a tree anew from the targets that it could not reach, and keeps it if it is better.
    fn rebuild(&mut self, net: usize) {
        let missing: Vec<usize> = self.nets[net].pending().collect();
        if missing.is_empty() {
            return;
        }
        let before = lacking(&self.nets[net]);
        let old = self.nets[net].tree.clone();
        self.ground.cut(&mut self.nets[net], |_| true);
        for target in missing {
            if let Some(found) = self.nearest(net, None, Some(target)) {
                self.attach(net, &found);
            }
        }
        self.grow(net, None);
        if lacking(&self.nets[net]) >= before {
            self.ground.cut(&mut self.nets[net], |_| true);
            self.ground.restore(&mut self.nets[net], old);
        }
    }

    /// Moves buses out of slot groups that have more of them than drivers.
    pub(super) fn balance(&mut self) {
        for net in 0..self.nets.len() {
            for target in 0..self.nets[net].targets.len() {
                if self.is_misplaced(net, target) {
                    self.ground.release(&mut self.nets[net], target);
                    // the old way is free again, if there is no better one
                    if let Some(found) = self.nearest(net, None, Some(target)) {
                        self.attach(net, &found);
                    }
                }
            }
        }
    }

    /// Whether a target is served by a full slot group while another group has room.
    fn is_misplaced(&self, net: usize, target: usize) -> bool {
        let (ground, net) = (&self.ground, &self.nets[net]);
        let Some(node) = net.tree.ends()[target] else { return false };
        let hicann = net.targets[target].0;
        ground.is_overfull(ground.group(node, hicann))
            && ground.lines.reaching(hicann).any(|node| ground.has_room(ground.group(node, hicann)))
    }

    fn nearest(&mut self, net: usize, sharing: Option<u32>, only: Option<usize>) -> Option<Found> {
        if self.ground.limits.cancel.is_cancelled() {
            return None;
        }
        self.search.nearest(&self.ground, &self.nets[net], sharing, only)
    }

    fn attach(&mut self, net: usize, found: &Found) {
        let net = &mut self.nets[net];
        let mut parent = found.parent;
        for &node in &found.path {
            self.ground.extend(net, node, parent);
            parent = Some(node);
        }
        self.ground.serve(net, found.target, found.end);
    }

    /// Extends a tree target by target, the nearest first.
    fn grow(&mut self, net: usize, sharing: Option<u32>) {
        if self.nets[net].pending().next().is_none() {
            return;
        }
        let mut found = self.nearest(net, sharing, None);
        while let Some(last) = found {
            self.attach(net, &last);
            found = self.search.next_nearest(&self.ground, &self.nets[net], sharing, &last);
        }
    }

    /// The buses, those first that have the least to lose on contested lines.
    fn by_contested_weight(&self) -> Vec<usize> {
        let contested = contested(&self.ground);
        let mut order: Vec<usize> = (0..self.nets.len()).collect();
        order.sort_by_cached_key(|&net| weight_at(&self.nets[net], |n| contested[n as usize]));
        order
    }

    /// The buses, those first that lack the most synapses.
    fn by_pending_weight(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.nets.len()).collect();
        order.sort_by_cached_key(|&net| std::cmp::Reverse(lacking(&self.nets[net])));
        order
    }

    /// Raises the price of contested lines; tells whether there were any.
    fn charge(&mut self) -> bool {
        let Ground { occupied, history, .. } = &mut self.ground;
        let mut any = false;
        for (&buses, price) in occupied.iter().zip(history) {
            *price += CONFLICT * u32::from(buses.saturating_sub(1));
            any |= buses > 1;
        }
        any
    }

    /// Leaves every contested line to the bus with the most synapses behind it.
    fn settle(&mut self) {
        for node in (0..lines::NODES).map(|node| node as Node) {
            if self.ground.occupied[node as usize] < 2 {
                continue;
            }
            let rivals = (0..self.nets.len()).filter(|&net| self.nets[net].tree.contains(node));
            let stay = rivals.clone().max_by_key(|&net| {
                (weight_at(&self.nets[net], |n| n == node), std::cmp::Reverse(net))
            });
            let rivals: Vec<usize> = rivals.filter(|&net| Some(net) != stay).collect();
            for net in rivals {
                self.ground.cut(&mut self.nets[net], |n| n == node);
            }
        }
    }

    /// The routes, with the position of each bus in the list of senders.
    pub(super) fn into_routes(self, senders: &[Bus]) -> Vec<(usize, RoutedBus)> {
        let lines = &self.ground.lines;
        let routes =
            self.nets.iter().map(|net| (net.index, routed(net, senders[net.index], lines)));
        routes.collect()
    }
}

/// The lines that a sending repeater can drive, as far as they work.
fn roots(sending: OnWafer<SendingRepeaterOnHicann>, defects: &Defects) -> [Option<Node>; 2] {
    let repeater = L1Repeater::H(sending.local.repeater()).on(sending.hicann);
    [Side::Right, Side::Left].map(|side| {
        let line = sending.injects_to(side)?;
        (defects.is_usable(repeater) && defects.is_usable(line)).then(|| lines::node(line))
    })
}

/// Keeps other buses off the line of a sending repeater, and all off the border that it no longer
/// bridges (topology §4.1).
fn reserve(ground: &mut Ground<'_>, index: usize, sending: OnWafer<SendingRepeaterOnHicann>) {
    let own = L1Line::H(sending.local.repeater().line()).on(sending.hicann);
    ground.reserved[lines::node(own) as usize] = index as u16;
    if let Some(west) = sending.injects_to(Side::Left) {
        ground.lines.sever(lines::node(own), lines::node(west));
    }
}

/// Targets in ascending order, each once.
fn merged(targets: &Targets) -> Targets {
    let mut sorted = targets.clone();
    sorted.sort_unstable_by_key(|&(hicann, _)| hicann);
    sorted.dedup_by(|next, first| {
        let same = next.0 == first.0;
        if same {
            first.1 = first.1.saturating_add(next.1);
        }
        same
    });
    sorted
}

fn contested(ground: &Ground<'_>) -> Vec<bool> {
    ground.occupied.iter().map(|&buses| buses > 1).collect()
}

/// Synapses of a target; targets of no synapses count a little, so that they are not dropped
/// without need.
fn weight(net: &Net, target: usize) -> u64 {
    u64::from(net.targets[target].1.max(1))
}

/// Synapses of all targets that are not served.
fn lacking(net: &Net) -> u64 {
    net.pending().map(|target| weight(net, target)).sum()
}

/// Synapses that are served over certain lines.
fn weight_at(net: &Net, is_cut: impl Fn(Node) -> bool) -> u64 {
    let below = net.tree.below(is_cut);
    let ends = net.tree.ends().iter().enumerate();
    let lost = ends.filter(|(_, end)| end.is_some_and(|node| below[node as usize]));
    lost.map(|(target, _)| weight(net, target)).sum()
}

fn routed(net: &Net, bus: Bus, lines: &Lines) -> RoutedBus {
    let tree = &net.tree;
    let mut place = vec![0; lines::NODES];
    let mut route = Route { bus, lines: Vec::with_capacity(tree.members().len()) };
    for (i, &node) in tree.members().iter().enumerate() {
        place[node as usize] = i as u32;
        let parent = tree.parent(node).map(|parent| place[parent as usize]);
        route.lines.push(RouteLine { line: lines.line(node), parent });
    }
    let mut ends = BusEnds::new();
    let mut unreached = Vec::new();
    for (end, &(hicann, _)) in tree.ends().iter().zip(&net.targets) {
        match end.map(|node| lines.line(node)) {
            Some(OnWafer { hicann: chip, local: L1Line::V(vline) }) => {
                ends.insert(hicann, vline.on(chip));
            }
            _ => unreached.push(hicann),
        }
    }
    RoutedBus { route, ends, unreached }
}

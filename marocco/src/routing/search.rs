//! The cheapest way from a bus's tree to a chip that it does not serve yet.
//!
//! A Dijkstra search from all lines of the tree at once. A line may be reached in two states: over
//! a border, or by a crossbar switch, after which another switch may not be allowed.
//!
//! When a tree grows target by target, the search goes on where it stopped: the new lines of the
//! tree are further places to start from. What it found before may then need a switch that has
//! been used in the meantime; such a find is discarded, and the search starts anew.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::ground::{Ground, NONE, Net};
use super::lines::{NODES, NOWHERE, Node};

/// A line and how it was reached: `2 * node`, plus 1 if by a switch.
type State = u16;
/// Predecessor of the lines at the sending repeater.
const START: State = State::MAX;

/// Where a search ended.
#[derive(Debug)]
pub(super) struct Found {
    /// Position among the targets.
    pub(super) target: usize,
    /// The line that serves it.
    pub(super) end: Node,
    /// The line of the tree where the new lines start; none if at the sending repeater.
    pub(super) parent: Option<Node>,
    /// New lines, from the tree to the end.
    pub(super) path: Vec<Node>,
}

/// The way that was found led over a switch that has been used since.
struct Stale;

/// A search and the memory that it uses again and again.
#[derive(Debug)]
pub(super) struct Search {
    /// Number of the search.
    turn: u32,
    /// The search that last reached a state, its cost, and from which state.
    reached: Vec<(u32, u32, State)>,
    /// Cost, state, and the target that it is the end for, if it is one.
    heap: BinaryHeap<Reverse<(u32, State, u16)>>,
    /// Lines visited so far by all searches.
    pub(super) effort: u64,
}

/// What a search may do, and for whom.
struct Query<'a> {
    ground: &'a Ground<'a>,
    net: &'a Net,
    sharing: Option<u32>,
    only: Option<usize>,
}

impl Search {
    pub(super) fn new() -> Self {
        Self {
            turn: 0,
            reached: vec![(0, 0, START); 2 * NODES],
            heap: BinaryHeap::new(),
            effort: 0,
        }
    }

    /// The cheapest way to any target that is not served yet, or to a certain one.
    ///
    /// # Arguments
    /// `sharing` as for [`Ground::price`]; `only` the target to look for.
    pub(super) fn nearest(
        &mut self,
        ground: &Ground<'_>,
        net: &Net,
        sharing: Option<u32>,
        only: Option<usize>,
    ) -> Option<Found> {
        self.turn += 1;
        self.heap.clear();
        let query = Query { ground, net, sharing, only };
        for &root in net.roots.iter().flatten() {
            self.enter(&query, root, false, 0, START);
        }
        self.start_from(&query, net.tree.members());
        // without changes of the tree, every find is good
        self.run(&query).ok().flatten()
    }

    /// The next cheapest way after the last one became part of the tree.
    pub(super) fn next_nearest(
        &mut self,
        ground: &Ground<'_>,
        net: &Net,
        sharing: Option<u32>,
        last: &Found,
    ) -> Option<Found> {
        let query = Query { ground, net, sharing, only: None };
        // the first and last line may have changed without being new
        self.start_from(&query, &last.path);
        self.start_from(&query, &[last.end]);
        match self.run(&query) {
            Ok(found) => found,
            Err(Stale) => self.nearest(ground, net, sharing, None),
        }
    }

    fn start_from(&mut self, query: &Query<'_>, members: &[Node]) {
        let tree = &query.net.tree;
        for &member in members {
            self.leave(query, 2 * member, 0, tree.switches(member), tree.taps(member));
        }
    }

    fn run(&mut self, query: &Query<'_>) -> Result<Option<Found>, Stale> {
        let tree = &query.net.tree;
        while let Some(Reverse((cost, state, target))) = self.heap.pop() {
            let node = state / 2;
            if target != NONE {
                let pending = tree.ends()[usize::from(target)].is_none();
                if pending && tree.taps(node) < query.ground.limits.synapse_switches {
                    return self.found(query, state, target).map(Some);
                }
            } else if !tree.contains(node) && cost == self.reached[state as usize].1 {
                self.leave(query, state, cost, usize::from(state % 2), 0);
            }
        }
        Ok(None)
    }

    /// Goes on from a line that has these switches closed.
    fn leave(&mut self, query: &Query<'_>, state: State, cost: u32, switches: usize, taps: usize) {
        self.effort += 1;
        let Query { ground, net, .. } = *query;
        let node = state / 2;
        if taps < ground.limits.synapse_switches {
            for (target, price) in ground.taps(node, net) {
                if query.only.is_none_or(|only| only == target) {
                    self.heap.push(Reverse((cost + price, state, target as u16)));
                }
            }
        }
        for &next in ground.lines.get(node).hops.iter().filter(|&&next| next != NOWHERE) {
            self.enter(query, next, false, cost, state);
        }
        if switches < ground.limits.crossbar_switches {
            for next in ground.lines.crossing(node) {
                self.enter(query, next, true, cost, state);
            }
        }
    }

    fn enter(&mut self, query: &Query<'_>, node: Node, by_switch: bool, cost: u32, from: State) {
        if query.net.tree.contains(node) {
            return;
        }
        let Some(price) = query.ground.price(node, query.net.index, query.sharing) else { return };
        let cost = cost + price;
        // arriving over a border leaves more choice, so it counts for both
        let arrivals = [2 * node, 2 * node + 1];
        let known = &arrivals[..=usize::from(by_switch)];
        let at = |state: State| self.reached[state as usize];
        if known.iter().any(|&s| at(s).0 == self.turn && at(s).1 <= cost) {
            return;
        }
        if !by_switch && at(arrivals[1]).0 == self.turn && self.passes(query, node, from) {
            return;
        }
        let state = arrivals[usize::from(by_switch)];
        self.reached[state as usize] = (self.turn, cost, from);
        self.heap.push(Reverse((cost, state, NONE)));
    }

    /// Whether the way to a state already leads over a line.
    fn passes(&self, query: &Query<'_>, node: Node, mut state: State) -> bool {
        while state != START && !query.net.tree.contains(state / 2) {
            if state / 2 == node {
                return true;
            }
            state = self.reached[state as usize].2;
        }
        false
    }

    /// The way to a line, if it is still possible.
    fn found(&self, query: &Query<'_>, end: State, target: u16) -> Result<Found, Stale> {
        let tree = &query.net.tree;
        let mut path: Vec<Node> = Vec::new();
        let (mut state, mut by_switch) = (end, false);
        while state != START && !tree.contains(state / 2) {
            if path.contains(&(state / 2)) {
                return Err(Stale);
            }
            path.push(state / 2);
            by_switch = state % 2 == 1;
            state = self.reached[state as usize].2;
        }
        path.reverse();
        let parent = (state != START).then_some(state / 2);
        if let (true, Some(parent)) = (by_switch, parent)
            && tree.switches(parent) >= query.ground.limits.crossbar_switches
        {
            return Err(Stale);
        }
        Ok(Found { target: target.into(), end: end / 2, parent, path })
    }
}

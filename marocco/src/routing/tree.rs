//! The lines of one bus: a tree that grows by paths and shrinks by branches.

use super::lines::{NODES, Node, same_chip};

/// Parent of a line that is not part of the tree.
const ABSENT: Node = Node::MAX;
/// Parent of a line that is fed by the sending repeater.
const ROOT: Node = Node::MAX - 1;

/// What a bus does with one line.
#[derive(Debug, Clone, Copy)]
struct Use {
    parent: Node,
    /// Closed crossbar switches on the line.
    switches: u8,
    /// Targets that are served from the line.
    taps: u8,
}

/// The tree of a bus within its component.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    uses: Vec<Use>,
    /// The lines, parents before children.
    members: Vec<Node>,
    /// The line that serves each target.
    ends: Vec<Option<Node>>,
}

impl Tree {
    /// The empty tree of a bus with so many targets.
    pub(super) fn new(targets: usize) -> Self {
        let unused = Use { parent: ABSENT, switches: 0, taps: 0 };
        Self { uses: vec![unused; NODES], members: Vec::new(), ends: vec![None; targets] }
    }

    pub(super) fn contains(&self, node: Node) -> bool {
        self.uses[node as usize].parent != ABSENT
    }

    /// The lines, parents before children.
    pub(super) fn members(&self) -> &[Node] {
        &self.members
    }

    /// The line that feeds a line of the tree; none for those at the sending repeater.
    pub(super) fn parent(&self, node: Node) -> Option<Node> {
        Some(self.uses[node as usize].parent).filter(|&parent| parent != ROOT)
    }

    /// Closed crossbar switches on a line.
    pub(super) fn switches(&self, node: Node) -> usize {
        self.uses[node as usize].switches.into()
    }

    /// Closed synapse switches on a line, if every target gets one driver chain.
    pub(super) fn taps(&self, node: Node) -> usize {
        self.uses[node as usize].taps.into()
    }

    /// The line that serves each target.
    pub(super) fn ends(&self) -> &[Option<Node>] {
        &self.ends
    }

    pub(super) fn add(&mut self, node: Node, parent: Option<Node>) {
        debug_assert!(!self.contains(node));
        self.uses[node as usize].parent = parent.unwrap_or(ROOT);
        if let Some(parent) = parent.filter(|&parent| same_chip(node, parent)) {
            self.uses[node as usize].switches += 1;
            self.uses[parent as usize].switches += 1;
        }
        self.members.push(node);
    }

    /// Serves a target from a line.
    pub(super) fn tap(&mut self, target: usize, node: Node) {
        self.ends[target] = Some(node);
        self.uses[node as usize].taps += 1;
    }

    /// No longer serves a target; the line stays.
    pub(super) fn untap(&mut self, target: usize) {
        if let Some(node) = self.ends[target].take() {
            self.uses[node as usize].taps -= 1;
        }
    }

    /// Lines of the tree at or below one of the given lines.
    pub(super) fn below(&self, is_cut: impl Fn(Node) -> bool) -> Vec<bool> {
        let mut below = vec![false; NODES];
        for &node in &self.members {
            let inherited = self.parent(node).is_some_and(|parent| below[parent as usize]);
            below[node as usize] = inherited || is_cut(node);
        }
        below
    }

    /// Removes whole branches, and then every line that serves no target any more. Returns the
    /// removed lines.
    pub(super) fn cut(&mut self, is_cut: impl Fn(Node) -> bool) -> Vec<Node> {
        let mut gone = self.below(is_cut);
        for target in 0..self.ends.len() {
            if self.ends[target].is_some_and(|node| gone[node as usize]) {
                self.untap(target);
            }
        }
        let mut needed = vec![false; NODES];
        for &node in self.members.iter().rev() {
            let use_ = &self.uses[node as usize];
            if use_.taps > 0 || needed[node as usize] {
                if use_.parent != ROOT {
                    needed[use_.parent as usize] = true;
                }
            } else {
                gone[node as usize] = true;
            }
        }
        let removed: Vec<Node> =
            self.members.iter().copied().filter(|&node| gone[node as usize]).collect();
        self.members.retain(|&node| !gone[node as usize]);
        for &node in &removed {
            let use_ = &mut self.uses[node as usize];
            let parent = std::mem::replace(&mut use_.parent, ABSENT);
            use_.switches = 0;
            if parent != ROOT && same_chip(node, parent) && !gone[parent as usize] {
                self.uses[parent as usize].switches -= 1;
            }
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two horizontal lines on chips 0 and 1, each with a vertical line, that of chip 0 followed
    /// by one on chip 20.
    fn tree() -> Tree {
        let mut tree = Tree::new(3);
        tree.add(0, None);
        tree.add(10, Some(0));
        tree.add(2, Some(0));
        tree.add(202, Some(2));
        tree.add(12, Some(10));
        tree.tap(0, 2);
        tree.tap(1, 202);
        tree.tap(2, 12);
        tree
    }

    #[test]
    fn a_cut_takes_the_branch_and_what_served_only_it() {
        let mut tree = tree();
        assert_eq!(tree.cut(|node| node == 12), [10, 12]);
        assert_eq!(tree.ends(), [Some(2), Some(202), None]);
        assert_eq!(tree.members(), [0, 2, 202]);
        assert_eq!((tree.switches(0), tree.switches(2), tree.taps(12)), (1, 1, 0));
    }

    #[test]
    fn nothing_is_left_of_a_bus_without_targets() {
        let mut tree = tree();
        assert_eq!(tree.cut(|node| node == 0).len(), 5);
        assert!(tree.members().is_empty() && !tree.contains(0) && tree.switches(2) == 0);
    }
}

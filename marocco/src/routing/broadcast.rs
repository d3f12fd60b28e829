//! Class-balanced broadcast: a trunk along the row of the sender, and one rib per column.
//!
//! A bus leaves its sending repeater along its row. In each column with targets it turns, by the
//! one crossbar switch it closes there, onto one vertical line that runs north and south as far as
//! targets lie. Trunks of one row never share a line, because senders of one row start on the same
//! line and their columns differ by less than 32. Ribs of one column share no line as long as each
//! gets a diagonal of its own: `vline + 2 y` on the left and `vline - 2 y` on the right stay
//! constant along a rib, and a class has four of each (mapping §7.3).
//!
//! What is broken or taken ends a trunk or a rib; the targets behind it are left to the search.

use std::collections::BTreeMap;

use hal::coord::{OnWafer, Side};
use hal::l1::{L1Component, L1Line};

use super::ground::{Ground, Net};
use super::lines::{self, NOWHERE, Node};

/// One of the eight vertical lines that a bus can turn to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Diagonal {
    side: Side,
    /// Which of the four lines of the side, 0..4. It counts diagonals, which move through the lines
    /// with the row of the chip.
    number: usize,
}

impl Diagonal {
    /// The diagonal that the n-th bus of a component takes if all are alike. Sides alternate, and
    /// odd components start on the other side, so that four neighbouring components of seven buses
    /// load both sides with 14.
    pub(super) fn of_rank(rank: usize, component: L1Component) -> Self {
        let side =
            if (rank + component.index()).is_multiple_of(2) { Side::Left } else { Side::Right };
        Self { side, number: rank / 2 % 4 }
    }

    /// The diagonal of a vertical line.
    fn of(line: OnWafer<L1Line>) -> Option<Self> {
        let L1Line::V(vline) = line.local else { return None };
        let y = line.hicann.y();
        let diagonal = match vline.side() {
            Side::Left => (vline.index() + 2 * y) % 128,
            Side::Right => (vline.index() - 2 * y) % 128,
        };
        Some(Self { side: vline.side(), number: diagonal / 32 })
    }
}

/// First and last row with targets, by column.
type Columns = BTreeMap<usize, (usize, usize)>;

/// A vertical line and those that continue it, as far as they are free and serve targets.
struct Rib {
    /// From the trunk to the north, and from there to the south.
    arms: [Vec<Node>; 2],
    /// The targets that it serves, each with its line.
    taps: Vec<(usize, Node)>,
    /// Synapses that depend on them; those in slot groups with room count four times.
    score: u64,
}

/// Lays the trunk and the ribs of a bus as far as the lines are free.
pub(super) fn lay(ground: &mut Ground<'_>, net: &mut Net, wish: Diagonal) {
    if ground.limits.crossbar_switches == 0 || ground.limits.synapse_switches == 0 {
        return;
    }
    let mut columns = Columns::new();
    for (target, _) in &net.targets {
        let rows = columns.entry(target.x()).or_insert((target.y(), target.y()));
        *rows = (rows.0.min(target.y()), rows.1.max(target.y()));
    }
    let (Some(&first), Some(&last)) = (columns.keys().next(), columns.keys().next_back()) else {
        return;
    };
    // the right output starts on the sender's own chip, the left one on its western neighbour
    let [own, west] = net.roots;
    if let Some(root) = own {
        let hops = (last + 1).checked_sub(lines::chip(root).x());
        trunk(ground, net, root, 1, hops.unwrap_or(0), &columns, wish);
    }
    if let Some(root) = west {
        let hops = (lines::chip(root).x() + 1).checked_sub(first);
        trunk(ground, net, root, 0, hops.unwrap_or(0), &columns, wish);
    }
    ground.cut(net, |_| false);
}

/// Walks along the row over so many chips, with a rib in each column that has targets.
fn trunk(
    ground: &mut Ground<'_>,
    net: &mut Net,
    root: Node,
    direction: usize,
    chips: usize,
    columns: &Columns,
    wish: Diagonal,
) {
    let (mut here, mut parent) = (root, None);
    for _ in 0..chips {
        if here == NOWHERE || ground.price(here, net.index, None).is_none() {
            return;
        }
        ground.extend(net, here, parent);
        if let Some(&rows) = columns.get(&lines::chip(here).x())
            && let Some(rib) = best_rib(ground, net, here, rows, wish)
        {
            for arm in &rib.arms {
                let mut parent = here;
                for &node in arm {
                    if !net.tree.contains(node) {
                        ground.extend(net, node, Some(parent));
                    }
                    parent = node;
                }
            }
            for (target, node) in rib.taps {
                ground.serve(net, target, node);
            }
        }
        parent = Some(here);
        here = ground.lines.get(here).hops[direction];
    }
}

/// The rib with the most synapses, the wished one among equals.
fn best_rib(
    ground: &Ground<'_>,
    net: &Net,
    trunk: Node,
    rows: (usize, usize),
    wish: Diagonal,
) -> Option<Rib> {
    let ribs = ground.lines.crossing(trunk).filter_map(|turn| {
        let rib = rib(ground, net, turn, rows)?;
        let wished = Diagonal::of(ground.lines.line(turn)) == Some(wish);
        Some(((rib.score, wished), rib))
    });
    // the first one of the best
    ribs.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, rib)| rib)
}

fn rib(ground: &Ground<'_>, net: &Net, turn: Node, rows: (usize, usize)) -> Option<Rib> {
    ground.price(turn, net.index, None)?;
    let y = lines::chip(turn).y();
    let reach = [y.saturating_sub(rows.0), rows.1.saturating_sub(y)];
    let mut rib = Rib { arms: [Vec::new(), Vec::new()], taps: Vec::new(), score: 0 };
    for (direction, (arm, hops)) in rib.arms.iter_mut().zip(reach).enumerate() {
        let mut here = turn;
        for hop in 0..=hops {
            if here == NOWHERE || ground.price(here, net.index, None).is_none() {
                break;
            }
            arm.push(here);
            // the line at the trunk belongs to both arms, but serves once
            if (hop, direction) != (0, 1)
                && let Some(group) = ground.lines.get(here).own
                && let Some(target) = net.pending_on(lines::chip(here))
            {
                let synapses = u64::from(net.targets[target].1.max(1));
                rib.score += if ground.has_room(group) { 4 * synapses } else { synapses };
                rib.taps.push((target, here));
            }
            here = ground.lines.get(here).hops[direction];
        }
    }
    (!rib.taps.is_empty()).then_some(rib)
}

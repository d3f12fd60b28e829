//! Invariants 8 to 22 and 29 to 36: lines, switches, repeaters and the network they make.

use hal::coord::*;
use hal::l1::{L1Component, L1Joint, L1Line, L1Repeater, graph};
use petgraph::graph::NodeIndex;

use super::{distinct, histogram, is_permutation};
use crate::topology::reach;

fn orbit<C: Copy + Ord>(all: impl Iterator<Item = C>, next: impl Fn(C) -> C) -> Vec<usize> {
    let mut rest: std::collections::BTreeSet<C> = all.collect();
    let mut lengths = Vec::new();
    while let Some(mut line) = rest.pop_first() {
        let mut length = 1;
        loop {
            line = next(line);
            if !rest.remove(&line) {
                break;
            }
            length += 1;
        }
        lengths.push(length);
    }
    lengths
}

#[test]
fn invariant_08_lanes() {
    for h in HLineOnHicann::all() {
        assert_eq!(h.east().west(), h);
        assert_eq!(h.east().index() % 2, h.index() % 2);
    }
    for v in VLineOnHicann::all() {
        assert_eq!(v.south().north(), v);
        assert_eq!((v.south().index() % 2, v.south().side()), (v.index() % 2, v.side()));
    }
    assert_eq!(orbit(HLineOnHicann::all(), HLineOnHicann::east), [32; 2]);
    assert_eq!(orbit(VLineOnHicann::all(), VLineOnHicann::south), [64; 4]);
}

#[test]
fn invariant_09_crossbar_counts() {
    let all = || CrossbarSwitchOnHicann::all();
    assert_eq!(all().len(), 512);
    let per_hline = histogram(all().map(|s| (s.hline(), s.vline().side())));
    assert!(per_hline.len() == 128 && per_hline.iter().all(|(_, n)| *n == 4));
    let per_vline = histogram(all().map(CrossbarSwitchOnHicann::vline));
    assert!(per_vline.len() == 256 && per_vline.iter().all(|(_, n)| *n == 2));
    assert_eq!(all().filter(|s| s.vline().side() == Side::Left).count(), 256);
}

#[test]
fn invariant_10_crossbar_order() {
    let pairs = HLineOnHicann::all().flat_map(|h| VLineOnHicann::all().map(move |v| (h, v)));
    let switches = pairs.filter_map(|(h, v)| CrossbarSwitchOnHicann::between(h, v));
    assert!(switches.eq(CrossbarSwitchOnHicann::all()));
}

#[test]
fn invariant_11_twin_lines() {
    let vlines = |h: HLineOnHicann| h.crossbar_vlines().collect::<Vec<_>>();
    let sets = histogram(HLineOnHicann::all().map(vlines));
    assert!(sets.len() == 32 && sets.iter().all(|(_, n)| *n == 2));
    assert!(
        HLineOnHicann::all()
            .step_by(2)
            .zip(HLineOnHicann::all().skip(1).step_by(2))
            .all(|(even, odd)| vlines(even) == vlines(odd))
    );
    assert!(is_permutation(sets.iter().flat_map(|(set, _)| set.iter().map(|v| v.index())), 256));
}

#[test]
fn invariant_12_sending_lines() {
    let lines: Vec<_> =
        SendingRepeaterOnHicann::all().map(SendingRepeaterOnHicann::hline).collect();
    assert!(lines.iter().map(|h| h.index()).eq((6..64).step_by(8)));
    assert!(lines.iter().all(|h| h.repeater().side() == Side::Left));
    for sending in SendingRepeaterOnHicann::all() {
        let merger = sending.dnc_merger();
        assert_eq!(merger.index(), 7 - sending.index());
        assert_eq!(merger.hline().index(), 62 - 8 * merger.index());
        assert_eq!(sending.repeater().sending(), Some(sending));
    }
    assert_eq!(distinct(lines.iter().flat_map(|h| h.crossbar_vlines())).len(), 64);
}

#[test]
fn invariant_13_synapse_switch_counts() {
    let all = || SynapseSwitchOnHicann::all();
    assert_eq!(all().len(), 7168);
    let per_row = histogram(all().map(SynapseSwitchOnHicann::row));
    assert!(per_row.len() == 448 && per_row.iter().all(|(_, n)| *n == 16));
    let per_vline = histogram(all().map(SynapseSwitchOnHicann::vline));
    assert!(per_vline.len() == 256 && per_vline.iter().all(|(_, n)| *n == 28));
    assert_eq!(all().filter(|s| s.vline().side() == Side::Left).count(), 3584);
    assert_eq!(all().filter(|s| s.row().y().vertical() == Vertical::Top).count(), 3584);
}

#[test]
fn invariant_14_synapse_switch_order() {
    let pairs =
        SynapseDriverOnHicann::all().flat_map(|y| VLineOnHicann::all().map(move |v| (v, y)));
    let switches = pairs.filter_map(|(v, y)| SynapseSwitchOnHicann::between(v, y));
    assert!(switches.eq(SynapseSwitchOnHicann::all()));
}

#[test]
fn invariant_15_rows_of_a_vline() {
    for v in VLineOnHicann::all() {
        let rows: Vec<usize> = v.synapse_switches().map(|s| s.row().y().index()).collect();
        let (top, bottom): (Vec<usize>, Vec<usize>) = rows.iter().partition(|y| **y < 112);
        assert_eq!(top.len(), 14);
        let mut mirrored: Vec<usize> = top.iter().map(|t| 223 - t).collect();
        mirrored.reverse();
        assert_eq!(bottom, mirrored);
        // the closed formula of topology §4.4
        let a = v.switch_group();
        let offset = if v.side() == Side::Left { 2 * a } else { 14 - 2 * a };
        assert!(top.into_iter().eq((0..7).flat_map(|k| [0, 1].map(|i| offset + 16 * k + i))));
    }
}

#[test]
fn invariant_16_drivers() {
    let all = || SynapseDriverOnHicann::all();
    assert_eq!(all().filter(|d| d.side() == Side::Left).count(), 112);
    let quadrants = histogram(all().map(SynapseDriverOnHicann::quadrant));
    assert!(quadrants.len() == 4 && quadrants.iter().all(|(_, n)| *n == 56));
    assert!(all().all(|d| d.quadrant().driver(d.on_quadrant()) == d));
    assert!(all().all(|d| d.quadrant() == QuadrantOnHicann::at(d.side(), d.vertical())));
    for driver in all() {
        assert!(driver.outward().is_none_or(|d| d.inward() == Some(driver)));
        assert!(driver.outward().is_none_or(|d| d.quadrant() == driver.quadrant()));
    }
}

#[test]
fn invariant_17_switch_rows() {
    let here = HicannOnWafer::new::<200>();
    let (mut local, mut west, mut east) = (0, 0, 0);
    for row in SynapseSwitchRowOnHicann::all() {
        let driver = row.driver(here).unwrap();
        assert_eq!(driver.local, row.y());
        match () {
            () if driver.hicann == here => local += 1,
            () if Some(driver.hicann) == here.west() => west += 1,
            () => east += 1,
        }
        assert_eq!(row.is_local(), driver.hicann == here);
        // of the two rows that face each other exactly one is local to its chip
        let facing = row.facing(here).unwrap();
        assert_ne!(row.is_local(), facing.local.is_local());
        assert_eq!(facing.local.driver(facing.hicann), Some(driver));
    }
    assert_eq!((local, west, east), (224, 112, 112));
}

#[test]
fn invariant_18_drivers_of_a_vline() {
    for v in VLineOnHicann::all() {
        let own = v.synapse_switches().filter(|s| s.row().is_local()).count();
        assert_eq!((own, v.synapse_switches().count()), (14, 28));
    }
}

#[test]
fn invariant_19_groups_of_vlines() {
    let rows = |v: VLineOnHicann| v.synapse_switches().map(|s| s.row().y()).collect::<Vec<_>>();
    let groups = histogram(VLineOnHicann::all().map(|v| (v.side(), v.switch_group(), rows(v))));
    assert!(groups.len() == 16 && groups.iter().all(|(_, n)| *n == 16));
    for ((side, group, rows), _) in &groups[..8] {
        assert_eq!(*side, Side::Left);
        let mirrored = groups.iter().find(|((s, g, _), _)| (*s, *g) == (Side::Right, 7 - group));
        assert_eq!(rows, &mirrored.unwrap().0.2);
    }
}

#[test]
fn invariant_20_repeaters() {
    let horizontal = HRepeaterOnHicann::all().filter(|r| r.side() == Side::Left).count();
    assert_eq!(horizontal, 32);
    let vertical = VRepeaterOnHicann::all().map(|r| (r.line().side(), r.vertical()));
    assert!(histogram(vertical).iter().all(|(_, n)| *n == 64));
    assert!(is_permutation(VLineOnHicann::all().map(|v| v.repeater().index()), 256));
    assert!(VLineOnHicann::all().all(|v| v.repeater().line() == v));
    assert!(HLineOnHicann::all().all(|h| h.repeater().line() == h));
}

#[test]
fn invariant_21_blocks_and_test_ports() {
    let blocks = histogram(L1Repeater::all().map(L1Repeater::block));
    assert!(blocks.iter().map(|(_, n)| *n).eq([64, 64, 32, 32, 64, 64]));
    let horizontal =
        HRepeaterOnHicann::all().filter_map(|r| Some((r.block().index(), r.test_port()?.index())));
    let vertical = VRepeaterOnHicann::all().map(|r| (r.block().index(), r.test_port().index()));
    let wanted = [
        ((0, 0), 32),
        ((0, 1), 32),
        ((1, 0), 32),
        ((1, 1), 32),
        ((2, 0), 8),
        ((2, 1), 16),
        ((3, 0), 16),
        ((3, 1), 16),
        ((4, 0), 32),
        ((4, 1), 32),
        ((5, 0), 32),
        ((5, 1), 32),
    ];
    assert_eq!(histogram(horizontal.chain(vertical)), wanted);
}

#[test]
fn invariant_22_one_repeater_per_lane_and_border() {
    let mut used = vec![0; OnWafer::<L1Repeater>::SIZE];
    for line in OnWafer::<L1Line>::all() {
        for direction in [Direction::East, Direction::South] {
            let Some(hop) = line.hop(direction) else { continue };
            // the way back leads through the same repeater
            let back = hop.to.hop(direction.opposite()).unwrap();
            assert_eq!((back.to, back.repeater), (line, hop.repeater));
            assert_eq!(hop.repeater.transmits_to(direction), Some(hop.to));
            assert_eq!(hop.repeater.transmits_to(direction.opposite()), Some(line));
            used[hop.repeater.index()] += 1;
        }
    }
    assert!(used.iter().all(|n| *n <= 1));
    assert_eq!(used.iter().sum::<usize>(), 64 * 368 + 256 * 348);
    let idle = OnWafer::<L1Repeater>::all().filter(|r| used[r.index()] == 0);
    let (horizontal, vertical): (Vec<_>, Vec<_>) =
        idle.partition(|r| matches!(r.local, L1Repeater::H(_)));
    assert_eq!((horizontal.len(), vertical.len()), (1_024, 9_216));
    let over_the_rim = horizontal.iter().chain(&vertical).all(|r| r.far_line().is_none());
    assert!(over_the_rim);
}

#[test]
fn invariant_29_drivers_of_the_sending_lines() {
    let mut all = Vec::new();
    for sending in SendingRepeaterOnHicann::all() {
        let vlines = sending.hline().crossbar_vlines();
        let rows = vlines.flat_map(VLineOnHicann::synapse_switches).map(SynapseSwitchOnHicann::row);
        let drivers = distinct(rows.filter(|row| row.is_local()).map(SynapseSwitchRowOnHicann::y));
        assert_eq!(drivers.len(), 28);
        for y in &drivers {
            let b = (y.index() / 2) % 8;
            let s = if y.vertical() == Vertical::Top { 7 - b } else { b };
            assert_eq!(s, sending.index());
            assert_eq!(y.sending_repeater(), sending);
        }
        all.extend(drivers);
    }
    assert!(is_permutation(all.iter().map(|d| d.index()), 224));
}

#[test]
fn invariant_30_line_graph() {
    let graph = graph();
    assert_eq!((graph.node_count(), graph.edge_count()), (122_880, 309_248));
    for line in OnWafer::<L1Line>::all() {
        let node = NodeIndex::new(line.index());
        assert_eq!(graph[node], line);
        let borders = line.local.directions().map(|d| line.hop(d).is_some() as usize);
        let switches = if matches!(line.local, L1Line::H(_)) { 8 } else { 2 };
        let degree = graph.edges(node).count();
        assert_eq!(degree, switches + borders.iter().sum::<usize>());
        // both ends name the same switch or repeater
        for (other, joint) in line.neighbours() {
            assert!(other.neighbours().any(|(l, j)| (l, j) == (line, joint)));
        }
    }
}

#[test]
fn invariant_31_components() {
    let components = petgraph::algo::connected_components(&graph());
    assert_eq!(components, L1Component::SIZE);
    let sizes = histogram(OnWafer::<L1Line>::all().map(OnWafer::<L1Line>::component));
    assert!(sizes.len() == 32 && sizes.iter().all(|(_, n)| *n == 3_840));
    let same =
        |(line, other): (OnWafer<L1Line>, OnWafer<L1Line>)| line.component() == other.component();
    let pairs = OnWafer::<L1Line>::all()
        .flat_map(|line| line.neighbours().map(move |(other, _)| (line, other)));
    assert!(pairs.into_iter().all(same));
}

#[test]
fn invariant_32_every_component_on_every_chip() {
    let lines = OnWafer::<L1Line>::all()
        .map(|l| (l.hicann, l.component(), matches!(l.local, L1Line::H(_))));
    for ((_, _, horizontal), n) in histogram(lines) {
        assert_eq!(n, if horizontal { 2 } else { 8 });
    }
}

#[test]
fn invariant_33_sending_lines_of_a_component() {
    let lines = OnWafer::<SendingRepeaterOnHicann>::all()
        .map(|s| L1Line::H(s.local.hline()).on(s.hicann).component());
    let sizes = histogram(lines);
    assert!(sizes.len() == 32 && sizes.iter().all(|(_, n)| *n == 96));
}

#[test]
fn invariant_34_drivers_reachable_from_a_component() {
    for hicann in HicannOnWafer::all() {
        let distinct_drivers = L1Component::all().map(|component| {
            let mut drivers = reach(component, hicann).concat();
            drivers.sort_unstable();
            drivers.dedup();
            drivers.len()
        });
        let inner = hicann.west().is_some() && hicann.east().is_some();
        let wanted = if inner { [(28, 16), (42, 16)] } else { [(28, 24), (42, 8)] };
        assert_eq!(histogram(distinct_drivers), wanted, "{hicann}");
    }
}

#[test]
fn invariant_35_candidates_are_eight_apart() {
    for v in VLineOnHicann::all() {
        let local =
            v.synapse_switches().map(SynapseSwitchOnHicann::row).filter(|row| row.is_local());
        let places = local.map(|row| (row.y().quadrant(), row.y().on_quadrant().index()));
        let mut by_quadrant = std::collections::BTreeMap::<_, Vec<usize>>::new();
        places.for_each(|(quadrant, i)| by_quadrant.entry(quadrant).or_default().push(i));
        for candidates in by_quadrant.values() {
            assert_eq!(candidates.len(), 7);
            assert!(candidates.windows(2).all(|pair| pair[1] - pair[0] == 8));
        }
    }
}

#[test]
fn invariant_36_what_a_defect_removes() {
    let graph = graph();
    let mut edges_of = vec![0; OnWafer::<L1Repeater>::SIZE];
    for edge in graph.edge_references() {
        if let L1Joint::Repeater(repeater) = edge.weight() {
            edges_of[repeater.index()] += 1;
        }
    }
    for repeater in OnWafer::<L1Repeater>::all() {
        let bridges = usize::from(repeater.far_line().is_some());
        assert_eq!(edges_of[repeater.index()], bridges);
    }
    let at = |x, y| HicannOnWafer::at(x, y).unwrap();
    let examples = [
        L1Repeater::H(HRepeaterOnHicann::new::<12>()).on(at(6, 5)),
        L1Repeater::V(VRepeaterOnHicann::new::<130>()).on(at(5, 5)),
    ];
    assert!(examples.iter().all(|r| edges_of[r.index()] == 1));
    for line in OnWafer::<L1Line>::all().filter(|l| matches!(l.local, L1Line::H(_))) {
        let removed = graph.edges(NodeIndex::new(line.index())).count();
        assert!((9..=10).contains(&removed));
    }
}

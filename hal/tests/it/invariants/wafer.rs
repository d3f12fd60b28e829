//! Invariants 1 to 7: chips, reticles, FPGAs.

use hal::coord::*;

use super::{histogram, is_permutation};

fn grid() -> impl Iterator<Item = (usize, usize)> {
    (0..HicannOnWafer::GRID_HEIGHT)
        .flat_map(|y| (0..HicannOnWafer::GRID_WIDTH).map(move |x| (x, y)))
}

#[test]
fn invariant_01_rows_and_columns() {
    let rows = histogram(HicannOnWafer::all().map(HicannOnWafer::y)).into_iter().map(|(_, n)| n);
    let wanted = [12, 12, 20, 20, 28, 28, 36, 36, 36, 36, 28, 28, 20, 20, 12, 12];
    assert!(rows.eq(wanted));
    let columns: Vec<usize> =
        histogram(HicannOnWafer::all().map(HicannOnWafer::x)).into_iter().map(|(_, n)| n).collect();
    let wanted = [[4; 4], [8; 4], [12; 4]].concat();
    let right = wanted.iter().rev().copied();
    assert_eq!(columns, wanted.iter().copied().chain([16; 12]).chain(right).collect::<Vec<_>>());
    assert_eq!(HicannOnWafer::all().len(), 384);
}

#[test]
fn invariant_02_positions_round_trip() {
    for hicann in HicannOnWafer::all() {
        assert_eq!(HicannOnWafer::at(hicann.x(), hicann.y()), Some(hicann));
    }
    assert_eq!(grid().filter(|&(x, y)| HicannOnWafer::at(x, y).is_none()).count(), 192);
}

#[test]
fn invariant_03_neighbours() {
    let missing = |d| HicannOnWafer::all().filter(|h| h.neighbour(d).is_none()).count();
    for direction in Direction::ALL {
        for hicann in HicannOnWafer::all() {
            if let Some(next) = hicann.neighbour(direction) {
                assert_eq!(next.neighbour(direction.opposite()), Some(hicann));
            }
        }
    }
    assert_eq!(Direction::ALL.map(missing), [36, 16, 36, 16]);
    assert_eq!((384 - missing(Direction::East), 384 - missing(Direction::North)), (368, 348));
    let degrees = HicannOnWafer::all()
        .map(|h| Direction::ALL.into_iter().filter(|d| h.neighbour(*d).is_some()).count());
    assert_eq!(histogram(degrees), [(2, 16), (3, 72), (4, 296)]);
}

#[test]
fn invariant_04_point_symmetry() {
    for hicann in HicannOnWafer::all() {
        let mirrored = HicannOnWafer::at(35 - hicann.x(), 15 - hicann.y()).unwrap();
        assert_eq!(mirrored.index(), 383 - hicann.index());
    }
}

#[test]
fn invariant_05_reticles() {
    for hicann in HicannOnWafer::all() {
        assert_eq!(hicann.dnc().hicann(hicann.on_dnc()), hicann);
    }
    let sizes = histogram(HicannOnWafer::all().map(HicannOnWafer::dnc));
    assert!(sizes.len() == 48 && sizes.iter().all(|(_, n)| *n == 8));
}

#[test]
fn invariant_06_boards() {
    assert!(is_permutation(DncOnWafer::all().map(|d| d.fpga().index()), 48));
    assert!(DncOnWafer::all().all(|d| d.fpga().dnc() == d));
    assert!(is_permutation(DncOnWafer::all().map(|d| d.power().number() - 1), 48));
    let triggers = histogram(DncOnWafer::all().map(DncOnWafer::trigger));
    assert!(triggers.len() == 12 && triggers.iter().all(|(_, n)| *n == 4));
    let groups = histogram(DncOnWafer::all().map(DncOnWafer::adc_group));
    assert!(groups.len() == 6 && groups.iter().all(|(_, n)| *n == 8));
    let group_of_trigger = histogram(DncOnWafer::all().map(|d| (d.trigger(), d.adc_group())));
    let wanted = [5, 3, 3, 1, 1, 0, 0, 2, 2, 4, 4, 5];
    assert!(group_of_trigger.iter().map(|((_, group), _)| group.index()).eq(wanted));
}

#[test]
fn invariant_07_links() {
    assert!(is_permutation(HicannOnDnc::all().map(|h| h.link().index()), 8));
    for link in HighspeedLinkOnDnc::all() {
        let hicann = link.hicann();
        assert_eq!(hicann.link(), link);
        assert_eq!((hicann.index() % 4, hicann.index() / 4), (link.index() / 2, link.index() % 2));
    }
}

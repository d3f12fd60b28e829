//! Invariants 9 and 12: programming time and rows of the floating gates.

use hal::codec::{FgDirection, FgPass, Programming};
use hal::config::{NeuronParameter, SharedParameter};
use hal::coord::{Coordinate, FgRowOnBlock, Side};
use hal::value::FgTime;
use proptest::prelude::*;

use crate::configs::place;

prop_compose! {
    fn any_pass()(
        max_cycle: u8, read_time in place(), acceleration_step in place(),
        voltage_write_time in place(), current_write_time in place(), pulse_length in place(),
    ) -> FgPass {
        FgPass {
            direction: FgDirection::Up, max_cycle, read_time, acceleration_step,
            voltage_write_time, current_write_time, pulse_length,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// More cycles or slower reads never take less time, whatever the other settings.
    #[test]
    fn hal_invariant_09_programming_time(pass in any_pass(), row in place()) {
        let row: FgRowOnBlock = row;
        let clocks = |max_cycle, read_time| {
            FgPass { max_cycle, read_time, ..pass }.worst_case_clocks(row)
        };
        let cycles: Vec<u64> = (0..=255).map(|n| clocks(n, pass.read_time)).collect();
        prop_assert!(cycles.is_sorted_by(|a, b| a < b));
        let reads: Vec<u64> = FgTime::all().map(|n| clocks(pass.max_cycle, n)).collect();
        prop_assert!(reads.is_sorted_by(|a, b| a < b));
    }
}

#[test]
fn hal_invariant_09_default_passes() {
    assert_eq!(Programming::default().passes.len(), 4);
}

/// Rows in left and right blocks (hal-config §1.10); -1 where a parameter is missing.
const SHARED: [(i8, i8); 23] = [
    (0, 0),
    (1, 1),
    (2, 2),
    (3, -1),
    (-1, 3),
    (4, 4),
    (5, 5),
    (6, 6),
    (7, 7),
    (8, 8),
    (9, 9),
    (10, 10),
    (11, 11),
    (12, -1),
    (-1, 12),
    (13, 13),
    (14, 14),
    (15, 15),
    (16, 16),
    (17, 17),
    (19, 19),
    (21, 21),
    (23, 23),
];
const NEURON: [(i8, i8); 23] = [
    (6, 16),
    (18, 2),
    (16, 0),
    (1, 15),
    (3, 1),
    (17, 3),
    (7, 19),
    (11, 21),
    (9, 11),
    (21, 7),
    (19, 5),
    (13, 9),
    (15, 23),
    (23, 13),
    (5, 17),
    (20, 4),
    (8, 10),
    (10, 8),
    (14, 12),
    (22, 6),
    (12, 14),
    (4, 18),
    (2, 20),
];

fn rows<P>(
    all: impl Iterator<Item = P>,
    table: &[(i8, i8)],
    side: Side,
    row: impl Fn(P, Side) -> Option<FgRowOnBlock>,
) -> Vec<usize> {
    let rows: Vec<Option<FgRowOnBlock>> = all.map(|p| row(p, side)).collect();
    let by_table = table.iter().map(|(left, right)| [*left, *right][side.index()]);
    assert!(rows.iter().map(|r| r.map_or(-1, |r| r.index() as i8)).eq(by_table));
    rows.into_iter().flatten().map(FgRowOnBlock::index).collect()
}

#[test]
fn hal_invariant_12_rows_of_parameters() {
    for side in Side::ALL {
        let shared = rows(SharedParameter::all(), &SHARED, side, SharedParameter::row);
        let neuron = rows(NeuronParameter::all(), &NEURON, side, |p, s| Some(p.row(s)));
        // every row but those without a parameter, each once
        let free = |used: &[usize]| -> Vec<usize> {
            assert!((0..24).all(|row| used.iter().filter(|u| **u == row).count() <= 1));
            (0..24).filter(|row| !used.contains(row)).collect()
        };
        assert_eq!(free(&shared), [18, 20, 22]);
        assert_eq!(free(&neuron), [[0], [22]][side.index()]);
    }
}

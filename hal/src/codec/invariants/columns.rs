//! Invariants 1, 2, 4 and 5 of the synapse arrays: rows, columns and their bits; addresses of
//! repeaters.

use proptest::prelude::*;

use super::{drawn, is_permutation};
use crate::codec::synapse_array::{COLUMN_SETS, SynIn, hardware_rows};
use crate::codec::{repeater, synapse_controller};
use crate::config::{Repeaters, SynapseArrays};
use crate::coord::*;
use crate::value::SynapseWeight;

/// The 32 words of a row, by position `column / 8`.
fn by_position(words: impl Fn(usize) -> SynIn) -> [u32; 32] {
    let mut row = [0; 32];
    for set in 0..COLUMN_SETS {
        for (i, word) in words(set).into_iter().enumerate() {
            row[8 * i + set] = word;
        }
    }
    row
}

fn weight_row(arrays: &SynapseArrays, row: SynapseRowOnHicann) -> [u32; 32] {
    by_position(|set| arrays.weights_of(row, set))
}

fn decoder_rows(arrays: &SynapseArrays, driver: SynapseDriverOnHicann) -> [[u32; 32]; 2] {
    hardware_rows(driver).map(|row| by_position(|set| arrays.decoders_of(row, set)))
}

/// Arrays in which one driver has random synapses.
fn random_driver(seed: u64, driver: SynapseDriverOnHicann) -> SynapseArrays {
    let mut arrays = SynapseArrays::default();
    for row in hardware_rows(driver) {
        for synapse in SynapseColumnOnHicann::all().map(|column| row.synapse(column)) {
            arrays.weights[synapse] = drawn(seed, synapse.index());
            arrays.decoders[synapse] = drawn(!seed, synapse.index());
        }
    }
    arrays
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn hal_invariant_01_rows_of_synapses(seed: u64, driver in 0..SynapseDriverOnHicann::SIZE) {
        let driver = SynapseDriverOnHicann::wrap(driver);
        let arrays = random_driver(seed, driver);
        let mut again = SynapseArrays::default();
        for row in hardware_rows(driver) {
            for set in 0..COLUMN_SETS {
                again.write_weights(row, set, &arrays.weights_of(row, set));
                again.write_decoders(row, set, &arrays.decoders_of(row, set));
            }
        }
        prop_assert!(again == arrays);
    }
}

/// Every nibble of both rows of a driver, on a driver of each array.
#[test]
fn hal_invariant_01_decoder_double_rows() {
    for driver in [SynapseDriverOnHicann::new::<7>(), SynapseDriverOnHicann::new::<200>()] {
        let [upper, lower] = hardware_rows(driver);
        let (mut arrays, mut again) = (SynapseArrays::default(), SynapseArrays::default());
        for (column, values) in
            SynapseColumnOnHicann::all().flat_map(|c| (0..256).map(move |v| (c, v)))
        {
            let set = column.index() / 8 % 8;
            let [a, b] = [upper, lower].map(|row| row.synapse(column));
            arrays.decoders[a] = SynapseDecoder::wrap(values / 16);
            arrays.decoders[b] = SynapseDecoder::wrap(values % 16);
            for row in [upper, lower] {
                again.write_decoders(row, set, &arrays.decoders_of(row, set));
            }
            assert_eq!(
                (again.decoders[a], again.decoders[b]),
                (arrays.decoders[a], arrays.decoders[b])
            );
        }
        assert!(again == arrays);
    }
}

/// Rows of an array are numbered from below in the top array and from above in the bottom one.
#[test]
fn hal_invariant_04_hardware_rows() {
    for array in SynapseArrayOnHicann::all() {
        let hardware = |row| synapse_controller::hardware_row(array, row) as usize;
        assert!(is_permutation(SynapseRowOnArray::all().map(hardware), 224));
        for row in SynapseRowOnArray::all() {
            let number = hardware(row);
            // its own inverse
            assert_eq!(hardware(SynapseRowOnArray::wrap(number)), row.index());
            assert_eq!(number, if array.index() == 0 { 223 - row.index() } else { row.index() });
            assert_eq!(synapse_controller::row_of(array, number as u32), Some(row));
        }
    }
}

/// Addresses are bijections onto the 64 or 32 of a block.
#[test]
fn hal_invariant_04_repeater_addresses() {
    let registers: Vec<_> = repeater::repeater_registers(&Repeaters::default()).collect();
    for (block, population) in RepeaterBlockOnHicann::all().zip([64, 64, 32, 32, 64, 64]) {
        let of_block =
            registers.iter().filter(|(unit, ..)| *unit == crate::codec::Unit::Repeater(block));
        assert!(is_permutation(of_block.map(|(_, local, _)| usize::from(*local)), population));
    }
}

/// The bits of both rows of a driver never share a place: together they fill each nibble.
#[test]
fn hal_invariant_04_decoder_bits() {
    let mut arrays = SynapseArrays::default();
    for driver in SynapseDriverOnHicann::all() {
        let mut filled = [[0_u32; 32]; 2];
        for (row, bit) in
            hardware_rows(driver).into_iter().flat_map(|r| (0..4).map(move |b| (r, b)))
        {
            for column in SynapseColumnOnHicann::all() {
                for other in hardware_rows(driver) {
                    arrays.decoders[other.synapse(column)] = SynapseDecoder::wrap(0);
                }
                arrays.decoders[row.synapse(column)] = SynapseDecoder::wrap(1 << bit);
            }
            for (filled, words) in filled.iter_mut().zip(decoder_rows(&arrays, driver)) {
                for (filled, word) in filled.iter_mut().zip(words) {
                    assert_eq!(*filled & word, 0, "{driver}: a bit has two owners");
                    *filled |= word;
                }
            }
        }
        assert_eq!(filled, [[u32::MAX; 32]; 2], "{driver}: no bit is without owner");
    }
}

/// Every column of every row: a weight is one nibble of word `column / 8`.
#[test]
fn hal_invariant_05_weights() {
    for row in SynapseRowOnHicann::all() {
        let mut arrays = random_driver(row.index() as u64, row.driver());
        let before = weight_row(&arrays, row);
        for column in SynapseColumnOnHicann::all() {
            let synapse = row.synapse(column);
            let old = arrays.weights[synapse];
            // all bits of the weight change
            arrays.weights[synapse] = SynapseWeight::wrap(15 - old.index());
            let after = weight_row(&arrays, row);
            let (word, nibble) = (column.index() / 8, 28 - 4 * (column.index() % 8));
            for (i, (a, b)) in before.iter().zip(after).enumerate() {
                assert_eq!(a ^ b, if i == word { 15 << nibble } else { 0 }, "{synapse}");
            }
            arrays.weights[synapse] = old;
        }
    }
}

/// Every column of every row: a decoder is two bits of the same nibble of word `column / 8` in each
/// of the two words of the driver.
#[test]
fn hal_invariant_05_decoders() {
    for row in SynapseRowOnHicann::all() {
        let driver = row.driver();
        let mut arrays = random_driver(!(row.index() as u64), driver);
        let before = decoder_rows(&arrays, driver);
        for column in SynapseColumnOnHicann::all() {
            let synapse = row.synapse(column);
            let old = arrays.decoders[synapse];
            arrays.decoders[synapse] = SynapseDecoder::wrap(15 - old.index());
            let after = decoder_rows(&arrays, driver);
            let (word, nibble) = (column.index() / 8, 28 - 4 * (column.index() % 8));
            for (before, after) in before.iter().zip(after) {
                for (i, (a, b)) in before.iter().zip(after).enumerate() {
                    let changed = a ^ b;
                    assert_eq!(changed.count_ones(), if i == word { 2 } else { 0 }, "{synapse}");
                    assert_eq!(changed & !(15 << nibble), 0);
                }
            }
            arrays.decoders[synapse] = old;
        }
    }
}

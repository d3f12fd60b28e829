//! Weights and decoders of the synapses (hal-config §2.9, §2.10).
//!
//! The controller takes 32 columns at a time: four input registers, the i-th with columns
//! `64 i + 8 set + j`, j = 0..8 from the most significant nibble downwards.

use super::Unencodable;
use super::bus::Writer;
use super::synapse_controller::{Command, Commands};
use crate::config::{SynapseArrays, SynapseController};
use crate::coord::{
    Coordinate, RowOnSynapseDriver, SynapseArrayOnHicann, SynapseDecoder, SynapseDriverOnHicann,
    SynapseRowOnHicann, Table, Vertical,
};
use crate::value::SynapseWeight;

/// One of the eight sets of 32 columns.
pub(super) type ColumnSet = usize;
/// The input registers of a controller.
pub(super) type SynIn = [u32; 4];

const COLUMN_SETS: usize = 8;

/// Range of the eight columns that stand in input register `i`.
fn columns(set: ColumnSet, i: usize) -> std::ops::Range<usize> {
    let first = 64 * i + 8 * set;
    first..first + 8
}

/// Range of a row in the tables of synapses.
fn synapses(row: SynapseRowOnHicann) -> std::ops::Range<usize> {
    256 * row.index()..256 * (row.index() + 1)
}

/// Weights of 32 columns: each nibble has its bits reversed.
fn weight_words(row: &[SynapseWeight], set: ColumnSet) -> SynIn {
    std::array::from_fn(|i| {
        let low_first = row[columns(set, i)].iter().rev();
        low_first.fold(0, |word, w| word << 4 | w.index() as u32).reverse_bits()
    })
}

/// Upper and lower row of a driver.
fn rows(driver: SynapseDriverOnHicann) -> [SynapseRowOnHicann; 2] {
    [0, 1].map(|row| driver.row(RowOnSynapseDriver::wrap(row)))
}

/// The two rows of a driver as the hardware sees them: upper and lower one. The halves of the
/// chip are mirrored.
pub(super) fn hardware_rows(driver: SynapseDriverOnHicann) -> [SynapseRowOnHicann; 2] {
    let [first, second] = rows(driver);
    match driver.vertical() {
        Vertical::Top => [first, second],
        Vertical::Bottom => [second, first],
    }
}

/// A decoder word holds two bits of the decoders of both rows of a driver: the upper two in the
/// word of the upper row, the lower two in that of the lower row. Nibble of the two bits `upper`
/// and `lower` of the rows.
fn mix(upper: usize, lower: usize) -> usize {
    (lower & 2) << 2 | (upper & 1) << 2 | (lower & 1) << 1 | upper >> 1
}

/// The inverse of [`mix`].
fn unmix(nibble: usize) -> (usize, usize) {
    (nibble >> 2 & 1 | (nibble & 1) << 1, nibble >> 2 & 2 | nibble >> 1 & 1)
}

/// Decoders of 32 columns of both hardware rows; bits `shift` and `shift + 1` of each.
fn decoder_words(rows: [&[SynapseDecoder]; 2], set: ColumnSet, shift: usize) -> SynIn {
    std::array::from_fn(|i| {
        columns(set, i).fold(0, |word, column| {
            let [upper, lower] = rows.map(|row| row[column].index() >> shift & 3);
            word << 4 | mix(upper, lower) as u32
        })
    })
}

/// Positions of the bits in the words of the upper and the lower row.
const DECODER_SHIFT: [usize; 2] = [2, 0];

impl SynapseArrays {
    /// What the controller does with a weight command.
    pub(super) fn write_weights(&mut self, row: SynapseRowOnHicann, set: ColumnSet, data: &SynIn) {
        let weights = &mut self.weights.values_mut()[synapses(row)];
        for (i, &word) in data.iter().enumerate() {
            let mut low_first = word.reverse_bits();
            for weight in &mut weights[columns(set, i)] {
                *weight = SynapseWeight::wrap((low_first & 15) as usize);
                low_first >>= 4;
            }
        }
    }

    /// What the controller does with a decoder command: it changes two bits of each decoder of
    /// both rows.
    pub(super) fn write_decoders(&mut self, row: SynapseRowOnHicann, set: ColumnSet, data: &SynIn) {
        let rows = hardware_rows(row.driver());
        let shift = DECODER_SHIFT[usize::from(row == rows[1])];
        for (i, &word) in data.iter().enumerate() {
            for (j, column) in columns(set, i).enumerate() {
                let (upper, lower) = unmix((word >> (28 - 4 * j) & 15) as usize);
                for (row, bits) in rows.into_iter().zip([upper, lower]) {
                    let decoder = &mut self.decoders.values_mut()[256 * row.index() + column];
                    let kept = decoder.index() & !(3 << shift);
                    *decoder = SynapseDecoder::wrap(kept | bits << shift);
                }
            }
        }
    }

    /// Whether a driver is off and all its synapses are switched off, so that its rows need not be
    /// written: this is how they come up.
    fn is_idle(&self, driver: SynapseDriverOnHicann) -> bool {
        let [first, _] = rows(driver);
        let both = synapses(first).start..synapses(first).start + 512;
        !self.drivers[driver].enable
            && self.weights.values()[both.clone()].iter().all(|w| w.index() == 0)
            && self.decoders.values()[both].iter().all(|d| *d == SynapseDecoder::DISABLED)
    }
}

/// All rows of drivers in use, driver by driver: decoders of both rows, then the weights.
pub(super) fn encode(
    arrays: &SynapseArrays,
    controllers: &Table<SynapseArrayOnHicann, SynapseController>,
    w: &mut Writer<'_>,
) -> Result<(), Unencodable> {
    for (array, controller) in controllers.iter() {
        let mut commands = Commands::new(array, controller, w)?;
        let drivers = SynapseDriverOnHicann::all().filter(|d| d.index() / 112 == array.index());
        for driver in drivers.filter(|d| !arrays.is_idle(*d)) {
            let mirrored = hardware_rows(driver);
            let decoders = mirrored.map(|row| &arrays.decoders.values()[synapses(row)]);
            for (row, shift) in mirrored.into_iter().zip(DECODER_SHIFT) {
                for set in 0..COLUMN_SETS {
                    let words = decoder_words(decoders, set, shift);
                    commands.write(Command::WriteDecoders, row.on_array(), set, words);
                }
            }
            for row in rows(driver) {
                let weights = &arrays.weights.values()[synapses(row)];
                for set in 0..COLUMN_SETS {
                    let words = weight_words(weights, set);
                    commands.write(Command::Write, row.on_array(), set, words);
                }
            }
        }
    }
    Ok(())
}

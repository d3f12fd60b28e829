//! Weights and decoders of the synapses (hal-config §2.9, §2.10).
//!
//! The controller takes 32 columns at a time: four input registers, the i-th with columns
//! `64 i + 8 set + j`, j = 0..8 from the most significant nibble downwards.

use super::bus::Writer;
use super::read_back::ReadPlace;
use super::synapse_commands::{Command, Commands, Guard};
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

pub(super) const COLUMN_SETS: usize = 8;

/// Range of the eight columns that stand in input register `i`.
fn columns(set: ColumnSet, i: usize) -> std::ops::Range<usize> {
    let first = 64 * i + 8 * set;
    first..first + 8
}

/// Range of a row in the tables of synapses.
fn synapses(row: SynapseRowOnHicann) -> std::ops::Range<usize> {
    256 * row.index()..256 * (row.index() + 1)
}

/// The eight weights of a word.
pub(super) fn weights_in(word: u32) -> [SynapseWeight; 8] {
    let low_first = word.reverse_bits();
    std::array::from_fn(|i| SynapseWeight::wrap((low_first >> (4 * i) & 15) as usize))
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
            weights[columns(set, i)].copy_from_slice(&weights_in(word));
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

    /// What the controller delivers of the weights of a row: the words that would write them.
    pub(super) fn weights_of(&self, row: SynapseRowOnHicann, set: ColumnSet) -> SynIn {
        weight_words(&self.weights.values()[synapses(row)], set)
    }

    /// What the controller delivers of the decoders of a row: the words that would write them.
    pub(super) fn decoders_of(&self, row: SynapseRowOnHicann, set: ColumnSet) -> SynIn {
        let rows = hardware_rows(row.driver());
        let shift = DECODER_SHIFT[usize::from(row == rows[1])];
        decoder_words(rows.map(|row| &self.decoders.values()[synapses(row)]), set, shift)
    }

    /// Whether a driver is off and all its synapses are switched off, so that its rows need not be
    /// written: this is how they come up.
    pub(super) fn is_idle(&self, driver: SynapseDriverOnHicann) -> bool {
        let both = synapses_of(driver);
        !self.drivers[driver].enable
            && self.weights.values()[both.clone()].iter().all(|w| w.index() == 0)
            && self.decoders.values()[both].iter().all(|d| *d == SynapseDecoder::DISABLED)
    }
}

/// Whether a driver and its synapses are the same in both, so that there is nothing to write. Rows
/// are compared to their end: without a way out the loops become vector code, and most rows are the
/// same.
fn same_synapses(driver: SynapseDriverOnHicann, a: &SynapseArrays, b: &SynapseArrays) -> bool {
    fn same<T: PartialEq>(a: &[T], b: &[T]) -> bool {
        a.iter().zip(b).fold(0, |differ, (a, b)| differ | u8::from(a != b)) == 0
    }
    let both = synapses_of(driver);
    a.drivers[driver].enable == b.drivers[driver].enable
        && same(&a.weights.values()[both.clone()], &b.weights.values()[both.clone()])
        && same(&a.decoders.values()[both.clone()], &b.decoders.values()[both])
}

/// Range of both rows of a driver in the tables of synapses.
fn synapses_of(driver: SynapseDriverOnHicann) -> std::ops::Range<usize> {
    let [first, second] = rows(driver);
    synapses(first).start..synapses(second).end
}

/// The rows of a driver that have to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DriverRows {
    driver: SynapseDriverOnHicann,
    /// Decoders of both rows, which share their words.
    decoders: bool,
    /// Weights of the upper and the lower row.
    weights: [bool; 2],
}

impl DriverRows {
    /// Every row of a driver in use, or those that differ from what the chip holds. A driver that
    /// was not in use may hold anything.
    fn changed(driver: SynapseDriverOnHicann, arrays: &SynapseArrays, before: Before<'_>) -> Self {
        if let Some(known) = before.arrays.filter(|_| !before.everything)
            && same_synapses(driver, arrays, known)
        {
            return Self { driver, decoders: false, weights: [false; 2] };
        }
        let used = !arrays.is_idle(driver);
        let all = Self { driver, decoders: used, weights: [used; 2] };
        let Some(known) = before.arrays.filter(|b| !b.is_idle(driver)) else {
            return all;
        };
        if used && before.everything {
            return all;
        }
        let both = synapses_of(driver);
        let decoders = arrays.decoders.values()[both.clone()] != known.decoders.values()[both];
        let weights = rows(driver).map(|row| {
            arrays.weights.values()[synapses(row)] != known.weights.values()[synapses(row)]
        });
        Self { driver, decoders, weights }
    }

    fn is_empty(self) -> bool {
        !self.decoders && self.weights == [false; 2]
    }

    fn encode(self, arrays: &SynapseArrays, commands: &mut Commands<'_>) {
        if self.decoders {
            for row in hardware_rows(self.driver) {
                for set in 0..COLUMN_SETS {
                    let words = arrays.decoders_of(row, set);
                    commands.write(Command::WriteDecoders, row.on_array(), set, words);
                }
            }
        }
        for (row, _) in rows(self.driver).into_iter().zip(self.weights).filter(|(_, w)| *w) {
            for set in 0..COLUMN_SETS {
                let words = arrays.weights_of(row, set);
                commands.write(Command::Write, row.on_array(), set, words);
            }
        }
    }
}

/// The drivers of an array.
pub(super) fn drivers(array: SynapseArrayOnHicann) -> impl Iterator<Item = SynapseDriverOnHicann> {
    SynapseDriverOnHicann::all().filter(move |d| d.index() / 112 == array.index())
}

/// What is known of a chip that is configured.
#[derive(Clone, Copy)]
pub(super) struct Before<'a> {
    /// Weights, decoders and drivers; all drivers in use are written if they are not known.
    pub(super) arrays: Option<&'a SynapseArrays>,
    /// Writes all drivers in use although they are known.
    pub(super) everything: bool,
    /// The controllers.
    pub(super) controllers: Option<&'a Table<SynapseArrayOnHicann, SynapseController>>,
}

/// Rows that have to be written, driver by driver: decoders of both rows, then the weights. The
/// loops of the drivers are as configured or held in reset. Tells which controllers got commands.
pub(super) fn encode(
    arrays: &SynapseArrays,
    controllers: &Table<SynapseArrayOnHicann, SynapseController>,
    hold_dll: bool,
    before: Before<'_>,
    w: &mut Writer<'_>,
) -> [bool; 2] {
    let mut commanded = [false; 2];
    for (array, controller) in controllers.iter() {
        let rows = drivers(array)
            .map(|driver| DriverRows::changed(driver, arrays, before))
            .filter(|rows| !rows.is_empty());
        let rows: Vec<DriverRows> = rows.collect();
        if rows.is_empty() {
            continue;
        }
        let guard = Guard::new(controller, hold_dll);
        let present = before.controllers.map(|c| Guard::new(&c[array], false));
        let mut commands = Commands::new(array, controller, guard, present, w);
        for rows in rows {
            rows.encode(arrays, &mut commands);
        }
        commanded[array.index()] = true;
    }
    commanded
}

/// Reads the decoders and the weights of the rows of a driver.
pub(super) fn encode_reads(
    driver: SynapseDriverOnHicann,
    commands: &mut Commands<'_>,
    places: &mut Vec<Option<ReadPlace>>,
) {
    let first_columns =
        || (0..COLUMN_SETS).flat_map(|set| (0..4).map(move |i| columns(set, i).start as u16));
    for row in hardware_rows(driver) {
        commands.read(Command::OpenDecoders, Command::ReadDecoders, row.on_array());
        places.extend(first_columns().map(|column| Some(ReadPlace::Decoders { row, column })));
    }
    for row in rows(driver) {
        commands.read(Command::Open, Command::Read, row.on_array());
        places.extend(first_columns().map(|column| Some(ReadPlace::Weights { row, column })));
    }
}

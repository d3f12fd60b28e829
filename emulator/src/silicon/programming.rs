//! How the rows of floating gates were programmed: how often, and whether finely (analog §4.1).

use std::collections::BTreeMap;

use hal::codec::{Access, FgWrite};
use hal::coord::{FgBlockOnHicann, FgRowOnBlock, HicannOnWafer, Table};
use hal::wafer::ConfigurationWords;

/// Passes with clocks at most this long, in slow clocks, are fine: the original's fine passes have
/// 2, the coarse ones 10, the fast ones 16 (analog §4.1).
const LONGEST_FINE_CLOCK: u8 = 4;

/// The last programming of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RowProgramming {
    /// Passes over the row so far.
    pub(crate) passes: u32,
    /// Whether the last pass was a fine one.
    pub(crate) fine: bool,
}

/// The programming of a chip.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ProgrammingOfChip {
    /// Length of the controller's clock, in slow clocks minus one.
    pulse_length: Table<FgBlockOnHicann, u8>,
    rows: Table<FgBlockOnHicann, Table<FgRowOnBlock, RowProgramming>>,
}

impl ProgrammingOfChip {
    pub(crate) fn row(&self, block: FgBlockOnHicann, row: FgRowOnBlock) -> RowProgramming {
        self.rows[block][row]
    }
}

/// The programming of all chips since reset.
#[derive(Debug, Clone, Default)]
pub(crate) struct Programming {
    chips: BTreeMap<HicannOnWafer, ProgrammingOfChip>,
}

impl Programming {
    /// Takes note of the passes among words, which are valid.
    pub(crate) fn observe(&mut self, words: &ConfigurationWords) {
        for (fpga, words) in &words.by_fpga {
            for (link, access) in words.iter().filter_map(|&word| Access::from_word(word)) {
                let Some((block, write)) = FgWrite::of(access) else { continue };
                let chip = self.chips.entry(fpga.dnc().hicann(link.hicann())).or_default();
                match write {
                    FgWrite::PulseLength(length) => chip.pulse_length[block] = length,
                    FgWrite::Pass(row) => {
                        let fine = chip.pulse_length[block] < LONGEST_FINE_CLOCK;
                        let row = &mut chip.rows[block][row];
                        *row = RowProgramming { passes: row.passes.wrapping_add(1), fine };
                    }
                }
            }
        }
    }

    /// The programming of a chip.
    pub(crate) fn of(&self, hicann: HicannOnWafer) -> ProgrammingOfChip {
        self.chips.get(&hicann).cloned().unwrap_or_default()
    }
}

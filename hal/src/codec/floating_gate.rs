//! Programming of the floating gates (hal-config §1.10, §2.18, §5.4).
//!
//! A cell is not written but programmed: the controller raises or lowers the cells of a row until
//! they have reached the values in its memory. [`encode`] follows the order of the original: erase
//! everything, set the bias of the amplifiers, then voltages, small currents, large currents.

use super::bus::{NO_REGISTER, Refusal, Unit, Writer, width};
use crate::config::{FgBlock, FgCellOnBlock, FloatingGates, NeuronParameter, SharedParameter};
use crate::coord::{Coordinate, FgBlockOnHicann, FgColumnOnBlock, FgRowOnBlock, Table};
use crate::value::DacCode;

/// Words of a row in the controller's memory.
const ROW_WORDS: usize = 65;
/// Second bank of the memory; software does not use it.
const BANK_1: u16 = 0x80;
const INSTRUCTION: u16 = 0x101;
const OPERATION: u16 = 0x102;
const SLAVE_ANSWER: u16 = 0x104;
const BIAS: u16 = 0x108;

const INSTRUCTION_SHIFT: u32 = 14;
const BANK_BIT: u32 = 1 << 13;

/// Rows whose smallest value is at least this are programmed in one fast pass.
const FAST_UPWARDS_LIMIT: usize = 800;

/// In which direction a pass moves the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FgDirection {
    /// Raises cells below their value; instruction 1.
    Up,
    /// Lowers cells above their value; instruction 2.
    Down,
}

/// One programming pass: direction and settings of the controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FgPass {
    /// Direction of the pass.
    pub direction: FgDirection,
    /// Most write pulses per cell, 0..=255.
    pub max_cycle: u8,
    /// Clocks of a comparison, 0..=63.
    pub read_time: u8,
    /// Pulses after which the write time doubles, 0..=63.
    pub acceleration_step: u8,
    /// First write time of voltage cells, 0..=63.
    pub voltage_write_time: u8,
    /// First write time of current cells, 0..=63.
    pub current_write_time: u8,
    /// Length of a clock of the controller minus one, in slow clocks, 0..=15.
    pub pulse_length: u8,
}

impl FgPass {
    const COARSE: Self = Self {
        direction: FgDirection::Down,
        max_cycle: 255,
        read_time: 40,
        acceleration_step: 9,
        voltage_write_time: 15,
        current_write_time: 1,
        pulse_length: 9,
    };
    const FINE: Self = Self {
        direction: FgDirection::Down,
        max_cycle: 10,
        read_time: 63,
        acceleration_step: 63,
        voltage_write_time: 5,
        current_write_time: 20,
        pulse_length: 1,
    };
    /// The default list: coarse down and up, fine down and up.
    pub const DEFAULT: [Self; 4] = [
        Self::COARSE,
        Self { direction: FgDirection::Up, ..Self::COARSE },
        Self::FINE,
        Self { direction: FgDirection::Up, ..Self::FINE },
    ];
    const ERASE: Self = Self {
        direction: FgDirection::Down,
        max_cycle: 23,
        read_time: 30,
        acceleration_step: 2,
        voltage_write_time: 63,
        current_write_time: 63,
        pulse_length: 15,
    };
    const FAST_UP: Self = Self { direction: FgDirection::Up, max_cycle: 31, ..Self::ERASE };

    /// The operation register.
    pub const fn operation(self) -> u32 {
        (self.current_write_time as u32) << 26
            | (self.voltage_write_time as u32) << 20
            | (self.acceleration_step as u32) << 14
            | (self.read_time as u32) << 8
            | self.max_cycle as u32
    }

    /// The bias register. Both bias currents are 0, as the original enforces, and so are the
    /// switches for calibration and grounding.
    pub const fn bias(self) -> u32 {
        (self.pulse_length as u32) << 8
    }

    /// PLL clocks that a row takes if no cell ever reaches its value.
    pub fn worst_case_clocks(self, row: FgRowOnBlock) -> u64 {
        let pulse = u64::from(self.pulse_length) + 1;
        let mut write_time = u64::from(if row.is_current() {
            self.current_write_time
        } else {
            self.voltage_write_time
        });
        let (mut clocks, mut last) = (0, 0);
        for cycle in 0..=u64::from(self.max_cycle) {
            if cycle == last + u64::from(self.acceleration_step) && write_time < 128 {
                write_time *= 2;
                last = cycle;
            }
            clocks += write_time * pulse + (u64::from(self.read_time) + 1) * pulse * 129;
        }
        4 * clocks
    }
}

/// One row of each block, by block.
type Rows = [FgRowOnBlock; 4];

/// One step of the programming: a row of every block, through some passes.
struct Step {
    rows: Rows,
    passes: &'static [FgPass],
}

fn same_row(row: usize) -> Rows {
    [FgRowOnBlock::wrap(row); 4]
}

/// The steps after erasing and setting the amplifiers: voltages, small currents, large currents.
fn steps(gates: &FloatingGates) -> Vec<Step> {
    let parameter_rows = |parameter: NeuronParameter| -> Rows {
        std::array::from_fn(|b| parameter.row(FgBlockOnHicann::wrap(b).side()))
    };
    let least = |block: FgBlockOnHicann, row: FgRowOnBlock| {
        row_values(&gates.blocks[block], row).iter().map(|code| code.index()).min()
    };
    let is_large = |rows: &Rows| {
        FgBlockOnHicann::all().any(|b| least(b, rows[b.index()]) >= Some(FAST_UPWARDS_LIMIT))
    };
    let currents = NeuronParameter::all().map(parameter_rows).filter(|rows| rows[0].is_current());
    let (large, small): (Vec<Rows>, Vec<Rows>) = currents.partition(is_large);
    let voltages = (0..FgRowOnBlock::SIZE).step_by(2).map(same_row);
    let slow = voltages.chain(small).map(|rows| Step { rows, passes: &FgPass::DEFAULT });
    let fast = large.into_iter().map(|rows| Step { rows, passes: &[FgPass::FAST_UP] });
    slow.chain(fast).collect()
}

/// PLL clocks that programming a chip takes at worst. All chips and blocks are programmed at the
/// same time.
pub fn worst_case_clocks(gates: &FloatingGates) -> u64 {
    let step_clocks = |step: &Step| -> u64 {
        step.passes.iter().map(|pass| pass.worst_case_clocks(step.rows[0])).sum()
    };
    let erase: u64 = FgRowOnBlock::all().map(|row| FgPass::ERASE.worst_case_clocks(row)).sum();
    let amplifiers = step_clocks(&Step { rows: AMPLIFIER_ROWS, passes: &FgPass::DEFAULT });
    erase + amplifiers + steps(gates).iter().map(step_clocks).sum::<u64>()
}

/// Row of int_op_bias, the same in all blocks.
const AMPLIFIER_ROWS: Rows = [FgRowOnBlock::new::<1>(); 4];

fn row_values(block: &FgBlock, row: FgRowOnBlock) -> &[DacCode] {
    let first = FgCellOnBlock::at(row, FgColumnOnBlock::SHARED).index();
    &block.cells.values()[first..first + FgColumnOnBlock::SIZE]
}

fn row_words(values: &[DacCode]) -> impl Iterator<Item = u32> + '_ {
    let pair = |cells: &[DacCode]| {
        cells.iter().rev().fold(0, |word, code| word << 10 | code.index() as u32)
    };
    values.chunks(2).map(pair)
}

/// Loads a row into the memory of a controller.
fn load(block: FgBlockOnHicann, values: &[DacCode], w: &mut Writer<'_>) {
    let mut unit = w.unit(Unit::FloatingGate(block));
    (0..).zip(row_words(values)).for_each(|(local, word)| unit.write(local, word));
}

/// Sets up all controllers for a pass.
fn set_up(pass: FgPass, w: &mut Writer<'_>) {
    for block in FgBlockOnHicann::all() {
        let mut unit = w.unit(Unit::FloatingGate(block));
        unit.write(BIAS, pass.bias());
        unit.write(OPERATION, pass.operation());
    }
}

/// Programs one row of every block with what is loaded, and waits.
fn start(rows: Rows, direction: FgDirection, w: &mut Writer<'_>) {
    let code = match direction {
        FgDirection::Up => 1,
        FgDirection::Down => 2,
    };
    for (block, row) in FgBlockOnHicann::all().zip(rows) {
        let instruction = code << INSTRUCTION_SHIFT | row.index() as u32;
        w.unit(Unit::FloatingGate(block)).write(INSTRUCTION, instruction);
    }
    for block in FgBlockOnHicann::all() {
        w.unit(Unit::FloatingGate(block)).read(SLAVE_ANSWER);
    }
}

/// Programs all cells of a chip.
pub(super) fn encode(gates: &FloatingGates, w: &mut Writer<'_>) {
    let zeros = [DacCode::default(); FgColumnOnBlock::SIZE];
    FgBlockOnHicann::all().for_each(|block| load(block, &zeros, w));
    set_up(FgPass::ERASE, w);
    let currents_first =
        (1..FgRowOnBlock::SIZE).step_by(2).chain((0..FgRowOnBlock::SIZE).step_by(2));
    currents_first.for_each(|row| start(same_row(row), FgPass::ERASE.direction, w));

    // the amplifiers have to work before the values of the circuits can be set
    for block in FgBlockOnHicann::all() {
        let mut values = zeros;
        values[0] = gates.shared(block, SharedParameter::IntOpBias).unwrap_or_default();
        load(block, &values, w);
    }
    for pass in FgPass::DEFAULT {
        set_up(pass, w);
        start(AMPLIFIER_ROWS, pass.direction, w);
    }
    for step in steps(gates) {
        for (block, row) in FgBlockOnHicann::all().zip(step.rows) {
            load(block, row_values(&gates.blocks[block], row), w);
        }
        for &pass in step.passes {
            set_up(pass, w);
            start(step.rows, pass.direction, w);
        }
    }
}

/// The memory of one controller.
#[derive(Debug, Clone)]
pub(super) struct FgController {
    banks: [[u32; ROW_WORDS]; 2],
}

impl Default for FgController {
    fn default() -> Self {
        Self { banks: [[0; ROW_WORDS]; 2] }
    }
}

impl FgController {
    pub(super) fn write(
        &mut self,
        cells: &mut Table<FgCellOnBlock, DacCode>,
        local: u16,
        data: u32,
    ) -> Result<(), Refusal> {
        const BANK_1_END: u16 = BANK_1 + ROW_WORDS as u16;
        match local {
            0..0x41 => {
                width(data, 20)?;
                self.banks[0][usize::from(local)] = data;
            }
            BANK_1..BANK_1_END => {
                width(data, 20)?;
                self.banks[1][usize::from(local - BANK_1)] = data;
            }
            OPERATION => {}
            BIAS => width(data, 14)?,
            INSTRUCTION => return self.execute(cells, data),
            _ => return Err(NO_REGISTER),
        }
        Ok(())
    }

    fn execute(&self, cells: &mut Table<FgCellOnBlock, DacCode>, data: u32) -> Result<(), Refusal> {
        width(data, 17)?;
        let row = FgRowOnBlock::from_index((data & 0x1f) as usize)
            .ok_or("an instruction for a row above 23")?;
        if data >> 5 & 0xff > 128 {
            return Err("an instruction for a column above 128");
        }
        let program: fn(DacCode, DacCode) -> DacCode = match data >> INSTRUCTION_SHIFT {
            1 => DacCode::max,
            2 => DacCode::min,
            // reading and asking for wrong cells change nothing
            0 | 3 => return Ok(()),
            4 | 5 => return Err("a current stimulus, which is not supported"),
            _ => return Err("no instruction of the floating-gate controller"),
        };
        let bank = &self.banks[usize::from(data & BANK_BIT != 0)];
        let first = FgCellOnBlock::at(row, FgColumnOnBlock::SHARED).index();
        let row = &mut cells.values_mut()[first..first + FgColumnOnBlock::SIZE];
        for (pair, &word) in row.chunks_mut(2).zip(bank) {
            for (cell, shift) in pair.iter_mut().zip([0, 10]) {
                *cell = program(*cell, DacCode::wrap((word >> shift & 0x3ff) as usize));
            }
        }
        Ok(())
    }
}

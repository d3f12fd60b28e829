//! Programming of the floating gates (hal-config §1.10, §2.18, §5.4).
//!
//! A cell is not written but programmed: the controller raises or lowers the cells of a row until
//! they have reached the values in its memory. [`encode`] follows the order of the original: erase
//! everything, set the bias of the amplifiers, then voltages, small currents, large currents.

use super::bus::{PassWords, Register, Unit, Writer};
use super::fg_controller::{
    BIAS, INSTRUCTION, INSTRUCTION_SHIFT, OPERATION, SLAVE_ANSWER, STIMULATE, STIMULATE_FOREVER,
    WRITE_DOWN, WRITE_UP,
};
use super::fg_pass::{FgDirection, FgPass, Programming};
use crate::config::{
    CurrentStimulus, FgBlock, FgCellOnBlock, FloatingGates, NeuronParameter, SharedParameter,
};
use crate::coord::{Coordinate, FgBlockOnHicann, FgColumnOnBlock, FgRowOnBlock, Table};
use crate::value::DacCode;

/// Words of a row in the controller's memory.
pub(super) const ROW_WORDS: usize = 65;

/// Registers that tell about the configuration: what a stimulus has left there.
pub(super) const READABLE: [u16; ROW_WORDS + 2] = {
    let mut registers = [0; ROW_WORDS + 2];
    let mut i = 0;
    while i < ROW_WORDS {
        registers[i] = i as u16;
        i += 1;
    }
    registers[ROW_WORDS] = OPERATION;
    registers[ROW_WORDS + 1] = BIAS;
    registers
};

/// One row of each block, by block.
type Rows = [FgRowOnBlock; 4];

/// One step of the programming: a row of every block, through some passes.
struct Step<'a> {
    rows: Rows,
    passes: &'a [FgPass],
}

fn same_row(row: usize) -> Rows {
    [FgRowOnBlock::wrap(row); 4]
}

/// The steps after erasing and setting the amplifiers: voltages, small currents, large currents.
fn steps<'a>(gates: &FloatingGates, programming: &'a Programming) -> Vec<Step<'a>> {
    let parameter_rows = |parameter: NeuronParameter| -> Rows {
        std::array::from_fn(|b| parameter.row(FgBlockOnHicann::wrap(b).side()))
    };
    let least = |block: FgBlockOnHicann, row: FgRowOnBlock| {
        row_values(&gates.blocks[block], row).iter().min().copied()
    };
    let limit = programming.fast_upwards_limit;
    let is_large =
        |rows: &Rows| FgBlockOnHicann::all().any(|b| least(b, rows[b.index()]) >= Some(limit));
    let currents = NeuronParameter::all().map(parameter_rows).filter(|rows| rows[0].is_current());
    let (large, small): (Vec<Rows>, Vec<Rows>) = currents.partition(is_large);
    let voltages = (0..FgRowOnBlock::SIZE).step_by(2).map(same_row);
    let slow =
        voltages.chain(small).map(|rows| Step { rows, passes: programming.passes.as_slice() });
    let fast = large.into_iter().map(|rows| Step { rows, passes: &[FgPass::FAST_UP] });
    slow.chain(fast).collect()
}

impl Programming {
    /// PLL clocks that programming a chip takes at worst. All chips and blocks are programmed at
    /// the same time.
    pub fn worst_case_clocks(&self, gates: &FloatingGates) -> u64 {
        let step_clocks = |step: &Step<'_>| -> u64 {
            step.passes.iter().map(|pass| pass.worst_case_clocks(step.rows[0])).sum()
        };
        let erase: u64 = FgRowOnBlock::all().map(|row| FgPass::ERASE.worst_case_clocks(row)).sum();
        let amplifiers = step_clocks(&Step { rows: AMPLIFIER_ROWS, passes: &self.passes });
        erase + amplifiers + steps(gates, self).iter().map(step_clocks).sum::<u64>()
    }
}

/// Row of int_op_bias, the same in all blocks.
const AMPLIFIER_ROWS: Rows = [FgRowOnBlock::new::<1>(); 4];

fn row_values(block: &FgBlock, row: FgRowOnBlock) -> &[DacCode] {
    let first = FgCellOnBlock::at(row, FgColumnOnBlock::SHARED).index();
    &block.cells.values()[first..first + FgColumnOnBlock::SIZE]
}

pub(super) fn row_words(values: &[DacCode]) -> impl Iterator<Item = u32> + '_ {
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
fn start(rows: Rows, pass: FgPass, w: &mut Writer<'_>) {
    let code = match pass.direction {
        FgDirection::Up => WRITE_UP,
        FgDirection::Down => WRITE_DOWN,
    };
    for (block, row) in FgBlockOnHicann::all().zip(rows) {
        let instruction = code << INSTRUCTION_SHIFT | row.index() as u32;
        w.unit(Unit::FloatingGate(block)).write(INSTRUCTION, instruction);
    }
    let started = w.len();
    for block in FgBlockOnHicann::all() {
        w.unit(Unit::FloatingGate(block)).read(SLAVE_ANSWER);
    }
    let (awaited, clocks) = (w.len(), pass.worst_case_clocks(rows[0]));
    w.passes.push(PassWords { started, awaited, clocks });
}

/// Programs the rows of a step.
fn encode_step(gates: &FloatingGates, step: &Step<'_>, w: &mut Writer<'_>) {
    for (block, row) in FgBlockOnHicann::all().zip(step.rows) {
        load(block, row_values(&gates.blocks[block], row), w);
    }
    for &pass in step.passes {
        set_up(pass, w);
        start(step.rows, pass, w);
    }
}

/// Programs the rows that differ from what the chip holds, without erasing the others. All passes
/// are needed, since cells may have to go down as well as up.
pub(super) fn encode_changed(
    gates: &FloatingGates,
    before: &FloatingGates,
    programming: &Programming,
    w: &mut Writer<'_>,
) {
    let differs = |block: FgBlockOnHicann, row: FgRowOnBlock| {
        row_values(&gates.blocks[block], row) != row_values(&before.blocks[block], row)
    };
    let changed = |rows: &Rows| FgBlockOnHicann::all().any(|b| differs(b, rows[b.index()]));
    let amplifiers = changed(&AMPLIFIER_ROWS).then_some(AMPLIFIER_ROWS);
    // the amplifiers have their place in front; a row of currents next to them comes again
    for rows in amplifiers
        .into_iter()
        .chain(steps(gates, programming).into_iter().map(|step| step.rows).filter(changed))
    {
        encode_step(gates, &Step { rows, passes: &programming.passes }, w);
    }
}

/// Leaves the controllers as after the last pass, as the original does with unchanged cells.
pub(super) fn encode_last_pass(programming: &Programming, w: &mut Writer<'_>) {
    set_up(programming.last_pass(), w);
}

/// The registers that start a current stimulus.
pub(super) fn stimulus_registers(
    block: FgBlockOnHicann,
    stimulus: &CurrentStimulus,
    programming: &Programming,
) -> impl Iterator<Item = Register> {
    let pass = FgPass { pulse_length: stimulus.pulse_length, ..programming.last_pass() };
    let code = if stimulus.continuous { STIMULATE_FOREVER } else { STIMULATE };
    [(BIAS, pass.bias()), (OPERATION, pass.operation())]
        .into_iter()
        .chain((0..).zip(row_words(stimulus.samples.values())))
        .chain([(INSTRUCTION, code << INSTRUCTION_SHIFT)])
        .map(move |(local, data)| (Unit::FloatingGate(block), local, data))
}

/// Starts the current stimuli that differ from what runs already.
pub(super) fn encode_stimuli(
    stimuli: &Table<FgBlockOnHicann, CurrentStimulus>,
    before: Option<&Table<FgBlockOnHicann, CurrentStimulus>>,
    programming: &Programming,
    w: &mut Writer<'_>,
) {
    for (block, stimulus) in stimuli.iter() {
        if before.is_none_or(|before| before[block] != *stimulus) {
            w.write_changed(
                None::<[Register; 0]>,
                stimulus_registers(block, stimulus, programming),
            );
        }
    }
}

/// Programs all cells of a chip.
pub(super) fn encode(gates: &FloatingGates, programming: &Programming, w: &mut Writer<'_>) {
    let zeros = [DacCode::default(); FgColumnOnBlock::SIZE];
    FgBlockOnHicann::all().for_each(|block| load(block, &zeros, w));
    set_up(FgPass::ERASE, w);
    let currents_first =
        (1..FgRowOnBlock::SIZE).step_by(2).chain((0..FgRowOnBlock::SIZE).step_by(2));
    currents_first.for_each(|row| start(same_row(row), FgPass::ERASE, w));

    // the amplifiers have to work before the values of the circuits can be set
    for block in FgBlockOnHicann::all() {
        let mut values = zeros;
        values[0] = gates.shared(block, SharedParameter::IntOpBias).unwrap_or_default();
        load(block, &values, w);
    }
    for &pass in &programming.passes {
        set_up(pass, w);
        start(AMPLIFIER_ROWS, pass, w);
    }
    for step in steps(gates, programming) {
        encode_step(gates, &step, w);
    }
}

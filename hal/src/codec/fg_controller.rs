//! Registers of the floating-gate controllers: memory, instructions, answers (hal-config §2.18).

use super::bus::{Access, NO_REGISTER, NOT_READABLE, Operation, Refusal, Unit, width};
use super::floating_gate::ROW_WORDS;
use crate::config::{CurrentStimulus, FgBlock, FgCellOnBlock};
use crate::coord::{Coordinate, FgBlockOnHicann, FgColumnOnBlock, FgRowOnBlock};
use crate::value::{DacCode, FgBiasCurrent, PulseLength, StimulusSample};

/// Second bank of the memory; software does not use it.
const BANK_1: u16 = 0x80;
const BANK_0_END: u16 = ROW_WORDS as u16;
const BANK_1_END: u16 = BANK_1 + ROW_WORDS as u16;
pub(super) const INSTRUCTION: u16 = 0x101;
pub(super) const OPERATION: u16 = 0x102;
pub(super) const SLAVE_ANSWER: u16 = 0x104;
pub(super) const BIAS: u16 = 0x108;

pub(super) const INSTRUCTION_SHIFT: u32 = 14;
const BANK_BIT: u32 = 1 << 13;

/// Programs cells upwards, downwards; feeds out the memory as a current, once or for ever.
pub(super) const WRITE_UP: u32 = 1;
pub(super) const WRITE_DOWN: u32 = 2;
pub(super) const STIMULATE: u32 = 4;
pub(super) const STIMULATE_FOREVER: u32 = 5;

const BUSY: u32 = 1 << 8;
const ERROR: u32 = 1 << 9;

/// The bias register of a controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FgBias {
    /// Bias current; the original forces 0.
    pub bias: FgBiasCurrent,
    /// Bias current of the other polarity; the original forces 0.
    pub bias_n: FgBiasCurrent,
    /// Length of a clock of the controller.
    pub pulse_length: PulseLength,
    /// Grounds the membranes.
    pub ground: bool,
    /// Connects the calibration line.
    pub calibrate: bool,
}

const fn reverse_nibble(bits: u32) -> u32 {
    bits.reverse_bits() >> 28
}

/// What a read of the bias register returns: the two currents come with their bits reversed.
const fn bias_read_back(register: u32) -> u32 {
    register & !0xff | reverse_nibble(register >> 4 & 15) << 4 | reverse_nibble(register & 15)
}

impl FgBias {
    /// The register as it is written.
    pub const fn to_register(self) -> u32 {
        (self.bias.index() | self.bias_n.index() << 4 | self.pulse_length.index() << 8) as u32
            | (self.ground as u32) << 12
            | (self.calibrate as u32) << 13
    }

    /// The setting behind what a read has returned.
    pub const fn from_read_back(raw: u32) -> Self {
        let register = bias_read_back(raw);
        Self {
            bias: FgBiasCurrent::wrap((register & 15) as usize),
            bias_n: FgBiasCurrent::wrap((register >> 4 & 15) as usize),
            pulse_length: PulseLength::wrap((register >> 8 & 15) as usize),
            ground: register >> 12 & 1 != 0,
            calibrate: register >> 13 & 1 != 0,
        }
    }
}

impl Default for FgBias {
    /// No bias, the shortest clock, both switches open.
    fn default() -> Self {
        Self {
            bias: FgBiasCurrent::new::<0>(),
            bias_n: FgBiasCurrent::new::<0>(),
            pulse_length: PulseLength::new::<0>(),
            ground: false,
            calibrate: false,
        }
    }
}

/// What a controller says when asked how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FgAnswer {
    /// Column of a cell that did not reach its value, if `error` is set.
    pub column: u8,
    /// Still programming; ask again.
    pub busy: bool,
    /// There is such a cell.
    pub error: bool,
}

impl FgAnswer {
    /// The answer in a register.
    pub const fn from_register(raw: u32) -> Self {
        Self { column: raw as u8, busy: raw & BUSY != 0, error: raw & ERROR != 0 }
    }

    /// Whether the column exists. After the last wrong cell it does not.
    pub const fn is_valid(self) -> bool {
        (self.column as usize) < FgColumnOnBlock::SIZE
    }
}

/// A write to a controller that matters to what the cells hold beyond their value: how they were
/// programmed, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FgWrite {
    /// Length of a clock of the controller minus one, in slow clocks, 0..=15, from now on.
    PulseLength(u8),
    /// A pass over a row.
    Pass(FgRowOnBlock),
}

impl FgWrite {
    /// The controller that an access goes to and what it means; none if it does not matter.
    pub fn of(access: Access) -> Option<(FgBlockOnHicann, Self)> {
        let (Unit::FloatingGate(block), Operation::Write(data)) = (access.unit, access.operation)
        else {
            return None;
        };
        let write = match (access.local, data >> INSTRUCTION_SHIFT) {
            (BIAS, _) => Self::PulseLength((data >> 8 & 15) as u8),
            (INSTRUCTION, WRITE_UP | WRITE_DOWN) => {
                Self::Pass(FgRowOnBlock::from_index((data & 0x1f) as usize)?)
            }
            _ => return None,
        };
        Some((block, write))
    }
}

/// The registers of one controller.
#[derive(Debug, Clone)]
pub(super) struct FgController {
    banks: [[u32; ROW_WORDS]; 2],
    bias: u32,
    operation: u32,
    /// An instruction was given and its end not yet waited for.
    busy: bool,
}

impl Default for FgController {
    fn default() -> Self {
        Self { banks: [[0; ROW_WORDS]; 2], bias: 0, operation: 0, busy: false }
    }
}

impl FgController {
    /// Bank and word of an address in the memory.
    fn memory(local: u16) -> Option<(usize, usize)> {
        match local {
            0..BANK_0_END => Some((0, usize::from(local))),
            BANK_1..BANK_1_END => Some((1, usize::from(local - BANK_1))),
            _ => None,
        }
    }

    pub(super) fn write(
        &mut self,
        block: &mut FgBlock,
        stimulus: &mut CurrentStimulus,
        local: u16,
        data: u32,
    ) -> Result<(), Refusal> {
        if let Some((bank, word)) = Self::memory(local) {
            width(data, 20)?;
            self.banks[bank][word] = data;
            return Ok(());
        }
        match local {
            OPERATION => self.operation = data,
            BIAS => {
                width(data, 14)?;
                self.bias = data;
            }
            INSTRUCTION => return self.execute(block, stimulus, data),
            _ => return Err(NO_REGISTER),
        }
        Ok(())
    }

    /// After an instruction the first answer is busy: the model has no clock for programming, and
    /// whoever asks waits before asking again. Every cell reaches its value.
    pub(super) fn read(&mut self, local: u16) -> Result<u32, Refusal> {
        if let Some((bank, word)) = Self::memory(local) {
            return Ok(self.banks[bank][word]);
        }
        match local {
            OPERATION => Ok(self.operation),
            BIAS => Ok(bias_read_back(self.bias)),
            SLAVE_ANSWER => Ok(if std::mem::take(&mut self.busy) { BUSY } else { 0 }),
            INSTRUCTION => Err(NOT_READABLE),
            _ => Err(NO_REGISTER),
        }
    }

    fn execute(
        &mut self,
        block: &mut FgBlock,
        stimulus: &mut CurrentStimulus,
        data: u32,
    ) -> Result<(), Refusal> {
        width(data, 17)?;
        let row = FgRowOnBlock::from_index((data & 0x1f) as usize)
            .ok_or("an instruction for a row above 23")?;
        if data >> 5 & 0xff > 128 {
            return Err("an instruction for a column above 128");
        }
        let bank = &self.banks[usize::from(data & BANK_BIT != 0)];
        let values = || bank.iter().flat_map(|&word| [word & 0x3ff, word >> 10]);
        let codes = || values().map(|value| DacCode::wrap(value as usize));
        let instruction = data >> INSTRUCTION_SHIFT;
        match instruction {
            // reading a cell out to the analog line and asking for wrong cells change nothing
            0 | 3 => {}
            WRITE_UP | WRITE_DOWN => {
                let program = if instruction == WRITE_UP { DacCode::max } else { DacCode::min };
                let first = FgCellOnBlock::at(row, FgColumnOnBlock::SHARED).index();
                let row = &mut block.cells.values_mut()[first..first + FgColumnOnBlock::SIZE];
                for (cell, code) in row.iter_mut().zip(codes()) {
                    *cell = program(*cell, code);
                }
                // the memory no longer holds a stimulus
                if *stimulus != CurrentStimulus::default() {
                    *stimulus = CurrentStimulus::default();
                }
            }
            STIMULATE | STIMULATE_FOREVER => {
                stimulus.continuous = instruction == STIMULATE_FOREVER;
                stimulus.pulse_length = PulseLength::wrap((self.bias >> 8 & 15) as usize);
                for (sample, code) in StimulusSample::all().zip(codes()) {
                    stimulus.samples[sample] = code;
                }
            }
            _ => return Err("no instruction of the floating-gate controller"),
        }
        self.busy = true;
        Ok(())
    }
}

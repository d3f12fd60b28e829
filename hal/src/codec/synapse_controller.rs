//! Registers of the synapse controllers (hal-config §2.13).

use super::bus::{
    NO_REGISTER, NOT_READABLE, Refusal, Register, Unit, Writer, timing_words, width, write_timing,
};
use super::synapse_commands::{self, Sequencer};
use crate::config::{
    AutomaticUpdate, EvaluationPattern, LookupTables, Plasticity, SynapseArrays, SynapseController,
};
use crate::coord::{Coordinate, SynapseArrayOnHicann, SynapseRowOnArray, Table};
use crate::value::{ControllerDelay, PatternGenerator, SynapseWeight, WriteDelay};

pub(super) const CONTROL: u16 = 0x4000;
pub(super) const CONFIGURATION: u16 = 0x4001;
pub(super) const STATUS: u16 = 0x4002;
pub(super) const LUT: u16 = 0x4100;
pub(super) const SYNIN: u16 = 0x4200;
pub(super) const SYNOUT: u16 = 0x4300;
/// Correlation of single synapses; software never reads it, and it is not modelled.
const SYNCORR: u16 = 0x4400;
pub(super) const SYNRST: u16 = 0x4500;
pub(super) const DRIVER_TIMING: [u16; 2] = [0x500, 0x501];

/// Registers that tell about the configuration.
pub(super) const READABLE: [u16; 8] =
    [CONFIGURATION, LUT, LUT + 1, LUT + 2, LUT + 3, LUT + 4, LUT + 5, SYNRST];

/// Nothing runs; this bit of the control register can only be read.
const IDLE: u32 = 1 << 30;
const READ_ACAUSAL: u32 = 1 << 29;
const READ_CAUSAL: u32 = 1 << 28;
const WITHOUT_RESET: u32 = 1 << 27;
pub(super) const SEL_SHIFT: u32 = 24;
const LAST_ROW_SHIFT: u32 = 16;
pub(super) const ROW_SHIFT: u32 = 8;
pub(super) const NEW_COMMAND: u32 = 1 << 6;
const CONTINUOUS: u32 = 1 << 5;
const ENCR: u32 = 1 << 4;
/// Bits of the control register that are no fields.
const CONTROL_RESERVED: u32 = 1 << 31 | 1 << 7;
/// Goes through the rows and updates weights.
const AUTO: u32 = 4;

/// Hardware number of a row: the rows of the top array are counted from below.
pub(super) fn hardware_row(array: SynapseArrayOnHicann, row: SynapseRowOnArray) -> u32 {
    match array.index() {
        0 => 223 - row.index() as u32,
        _ => row.index() as u32,
    }
}

/// The row with a hardware number.
pub(super) fn row_of(array: SynapseArrayOnHicann, hardware: u32) -> Option<SynapseRowOnArray> {
    let counted = SynapseRowOnArray::from_index(hardware as usize)?;
    // the mirror is its own inverse
    Some(SynapseRowOnArray::wrap(hardware_row(array, counted) as usize))
}

/// Fields of the control register that every command repeats.
fn control_flags(plasticity: &Plasticity) -> u32 {
    let flags = [
        (plasticity.read_acausal, READ_ACAUSAL),
        (plasticity.read_causal, READ_CAUSAL),
        (plasticity.without_reset, WITHOUT_RESET),
        (plasticity.encr, ENCR),
    ];
    flags.into_iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum()
}

/// The control register for a row.
pub(super) fn control(
    array: SynapseArrayOnHicann,
    plasticity: &Plasticity,
    row: SynapseRowOnArray,
) -> u32 {
    let first = SynapseRowOnArray::new::<0>();
    control_flags(plasticity)
        | hardware_row(array, first) << LAST_ROW_SHIFT
        | hardware_row(array, row) << ROW_SHIFT
}

/// The control register when configuration is over.
pub(super) fn final_control(array: SynapseArrayOnHicann, plasticity: &Plasticity) -> u32 {
    match plasticity.automatic {
        None => control(array, plasticity, SynapseRowOnArray::new::<0>()),
        Some(update) => {
            control_flags(plasticity)
                | hardware_row(array, update.last_row) << LAST_ROW_SHIFT
                | hardware_row(array, update.first_row) << ROW_SHIFT
                | if update.continuous { CONTINUOUS } else { 0 }
                | NEW_COMMAND
                | AUTO
        }
    }
}

/// Takes over what a control word sets, whatever its command is.
fn write_control(
    plasticity: &mut Plasticity,
    array: SynapseArrayOnHicann,
    data: u32,
) -> Result<(), Refusal> {
    if data & CONTROL_RESERVED != 0 {
        return Err("reserved bits of the control register");
    }
    plasticity.read_acausal = data & READ_ACAUSAL != 0;
    plasticity.read_causal = data & READ_CAUSAL != 0;
    plasticity.without_reset = data & WITHOUT_RESET != 0;
    plasticity.encr = data & ENCR != 0;
    plasticity.automatic = if data & (NEW_COMMAND | 0xf) == NEW_COMMAND | AUTO {
        let row = |shift: u32| {
            row_of(array, data >> shift & 0xff).ok_or("an update of weights up to a row above 223")
        };
        Some(AutomaticUpdate {
            first_row: row(ROW_SHIFT)?,
            last_row: row(LAST_ROW_SHIFT)?,
            continuous: data & CONTINUOUS != 0,
        })
    } else {
        None
    };
    Ok(())
}

/// Even entries in the order of the nibbles of a word; odd ones stand in the next register.
const LUT_ORDER: [usize; 8] = [0, 8, 4, 12, 2, 10, 6, 14];

/// The three tables in the order of their registers.
fn tables(lookup: &LookupTables) -> [&[SynapseWeight; 16]; 3] {
    [&lookup.acausal, &lookup.causal, &lookup.combined]
}

/// The word of a table register; each entry has its bits reversed.
pub(super) fn lookup_word(lookup: &LookupTables, register: usize) -> u32 {
    let table = tables(lookup)[register / 2];
    LUT_ORDER.iter().fold(0, |word, &entry| {
        word << 4 | (table[entry + register % 2].index() as u32).reverse_bits() >> 28
    })
}

pub(super) fn write_lookup(lookup: &mut LookupTables, register: usize, data: u32) {
    let table = match register / 2 {
        0 => &mut lookup.acausal,
        1 => &mut lookup.causal,
        _ => &mut lookup.combined,
    };
    for (nibble, &entry) in LUT_ORDER.iter().rev().enumerate() {
        let bits = (data >> (4 * nibble) & 15).reverse_bits() >> 28;
        table[entry + register % 2] = SynapseWeight::wrap(bits as usize);
    }
}

/// Shifts of output delay, precharge and enable delay.
const DELAY_SHIFT: [u32; 3] = [22, 12, 8];
const WRITE_DELAY_SHIFT: u32 = 26;
/// Left and right drivers.
const DLL_RELEASED: [u32; 2] = [1 << 21, 1 << 20];
const GENERATOR_SHIFT: u32 = 16;
/// Bits cc, ca, ac, aa of the two evaluation patterns.
const PATTERN_BITS: [[u32; 4]; 2] =
    [[1 << 7, 1 << 5, 1 << 3, 1 << 1], [1 << 6, 1 << 4, 1 << 2, 1 << 0]];

/// The configuration register, with the delay-locked loops of the drivers as configured or held in
/// reset.
pub(super) fn configuration(controller: &SynapseController, hold_dll: bool) -> u32 {
    let mut word = (controller.write_delay.index() as u32) << WRITE_DELAY_SHIFT
        | (controller.plasticity.generator.index() as u32) << GENERATOR_SHIFT;
    let delays = [controller.output_delay, controller.setup_precharge, controller.enable_delay];
    for (delay, shift) in delays.into_iter().zip(DELAY_SHIFT) {
        word |= (delay.index() as u32) << shift;
    }
    for (released, bit) in controller.dll_released.into_iter().zip(DLL_RELEASED) {
        if released && !hold_dll {
            word |= bit;
        }
    }
    for (pattern, bits) in controller.plasticity.evaluation.into_iter().zip(PATTERN_BITS) {
        let EvaluationPattern { aa, ac, ca, cc } = pattern;
        for (set, bit) in [cc, ca, ac, aa].into_iter().zip(bits) {
            word |= if set { bit } else { 0 };
        }
    }
    word
}

fn write_configuration(controller: &mut SynapseController, data: u32) -> Result<(), Refusal> {
    width(data, 28)?;
    let delay = |shift: u32| ControllerDelay::wrap((data >> shift & 15) as usize);
    [controller.output_delay, controller.setup_precharge, controller.enable_delay] =
        DELAY_SHIFT.map(delay);
    controller.write_delay = WriteDelay::wrap((data >> WRITE_DELAY_SHIFT) as usize);
    controller.dll_released = DLL_RELEASED.map(|bit| data & bit != 0);
    let plasticity = &mut controller.plasticity;
    plasticity.generator = PatternGenerator::wrap((data >> GENERATOR_SHIFT & 15) as usize);
    plasticity.evaluation = PATTERN_BITS.map(|bits| {
        let [cc, ca, ac, aa] = bits.map(|bit| data & bit != 0);
        EvaluationPattern { aa, ac, ca, cc }
    });
    Ok(())
}

/// All registers of a controller. While the delay-locked loops are held in reset, automatic updates
/// wait as well.
fn array_registers(
    array: SynapseArrayOnHicann,
    controller: &SynapseController,
    hold_dll: bool,
) -> impl Iterator<Item = (u16, u32)> {
    let plasticity = &controller.plasticity;
    let lookup =
        (0..6).map(|register| (LUT + register, lookup_word(&plasticity.lookup, register.into())));
    let last = if hold_dll {
        control(array, plasticity, SynapseRowOnArray::new::<0>())
    } else {
        final_control(array, plasticity)
    };
    let timing = DRIVER_TIMING.into_iter().zip(timing_words(controller.driver_timing));
    timing
        .chain([(CONFIGURATION, configuration(controller, hold_dll))])
        .chain(lookup)
        .chain([(SYNRST, plasticity.correlation_reset), (CONTROL, last)])
}

/// All registers of both controllers, with the delay-locked loops of the drivers as configured or
/// held in reset.
pub(super) fn registers(
    controllers: &Table<SynapseArrayOnHicann, SynapseController>,
    hold_dll: bool,
) -> impl Iterator<Item = Register> {
    controllers.iter().flat_map(move |(array, controller)| {
        array_registers(array, controller, hold_dll)
            .map(move |(local, data)| (Unit::Synapse(array), local, data))
    })
}

/// Lets automatic updates go on in controllers that were interrupted by commands.
pub(super) fn restart_updates(
    controllers: &Table<SynapseArrayOnHicann, SynapseController>,
    commanded: [bool; 2],
    w: &mut Writer<'_>,
) {
    for (array, controller) in controllers.iter() {
        if commanded[array.index()] && controller.plasticity.automatic.is_some() {
            let word = final_control(array, &controller.plasticity);
            w.unit(Unit::Synapse(array)).write(CONTROL, word);
        }
    }
}

/// Writes to a controller at a time in chip clocks.
pub(super) fn write(
    controller: &mut SynapseController,
    synapses: &mut SynapseArrays,
    sequencer: &mut Sequencer,
    array: SynapseArrayOnHicann,
    (local, data): (u16, u32),
    now: u64,
) -> Result<(), Refusal> {
    match local {
        CONTROL => {
            write_control(&mut controller.plasticity, array, data)?;
            sequencer.execute(controller, synapses, array, data, now)
        }
        CONFIGURATION => write_configuration(controller, data),
        LUT..=0x4105 => {
            write_lookup(&mut controller.plasticity.lookup, usize::from(local - LUT), data);
            Ok(())
        }
        SYNRST => {
            controller.plasticity.correlation_reset = data;
            Ok(())
        }
        SYNIN..=0x4203 => sequencer.write_input(usize::from(local - SYNIN), data, now),
        _ => match DRIVER_TIMING.iter().position(|&timing| timing == local) {
            Some(register) => write_timing(&mut controller.driver_timing, register, data),
            None => Err(NO_REGISTER),
        },
    }
}

/// Reads from a controller at a time in chip clocks.
pub(super) fn read(
    controller: &SynapseController,
    sequencer: &Sequencer,
    local: u16,
    now: u64,
) -> Result<u32, Refusal> {
    let automatic = controller.plasticity.automatic.is_some();
    Ok(match local {
        CONTROL if sequencer.status(now) != 0 || automatic => sequencer.control,
        CONTROL => sequencer.control | IDLE,
        CONFIGURATION => configuration(controller, false),
        STATUS => sequencer.status(now) | u32::from(automatic) << synapse_commands::AUTO_BUSY,
        LUT..=0x4105 => lookup_word(&controller.plasticity.lookup, usize::from(local - LUT)),
        SYNIN..=0x4203 => sequencer.input[usize::from(local - SYNIN)],
        SYNOUT..=0x4303 => sequencer.output[usize::from(local - SYNOUT)],
        SYNRST => controller.plasticity.correlation_reset,
        SYNCORR..=0x4401 => return Err(NOT_READABLE),
        _ if DRIVER_TIMING.contains(&local) => return Err(NOT_READABLE),
        _ => return Err(NO_REGISTER),
    })
}

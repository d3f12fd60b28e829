//! Registers of the synapse controllers (hal-config §2.11, §2.13).
//!
//! The plasticity of the controller is not configurable yet: its registers are written with their
//! reset values, and other values are refused.

use super::Unencodable;
use super::bus::{NO_REGISTER, Refusal, SRAM_TIMING, Unit, UnitWriter, Writer, width};
use super::synapse_array::{ColumnSet, SynIn};
use crate::config::{SynapseArrays, SynapseController};
use crate::coord::{
    Coordinate, SynapseArrayOnHicann, SynapseRowOnArray, SynapseRowOnHicann, Table,
};

const CONTROL: u16 = 0x4000;
const CONFIGURATION: u16 = 0x4001;
pub(super) const STATUS: u16 = 0x4002;
const LUT: u16 = 0x4100;
const SYNIN: u16 = 0x4200;
const SYNRST: u16 = 0x4500;
pub(super) const DRIVER_TIMING: [u16; 2] = [0x500, 0x501];

/// Reads of the acausal and the causal capacitors, both on after reset.
const CAPACITORS: u32 = 0b11 << 28;
const SEL_SHIFT: u32 = 24;
const LAST_ROW_SHIFT: u32 = 16;
const ROW_SHIFT: u32 = 8;
const NEW_COMMAND: u32 = 1 << 6;
/// Bits of the control register that are no fields.
const CONTROL_RESERVED: u32 = 1 << 31 | 1 << 7;

/// What the controller is told to do; only writing changes the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Write = 3,
    WriteDecoders = 5,
}

/// Commands that change nothing that is configured: idle, reads, closing a row, and resetting the
/// correlation.
const HARMLESS: [u32; 7] = [0, 1, 2, 6, 7, 9, 10];
const AUTO: u32 = 4;

/// Hardware number of a row: the rows of the top array are counted from below.
fn hardware_row(array: SynapseArrayOnHicann, row: SynapseRowOnArray) -> u32 {
    match array.index() {
        0 => 223 - row.index() as u32,
        _ => row.index() as u32,
    }
}

/// The row with a hardware number.
fn row_of(array: SynapseArrayOnHicann, hardware: u32) -> Option<SynapseRowOnHicann> {
    let counted = SynapseRowOnArray::from_index(hardware as usize)?;
    // the mirror is its own inverse
    let row = SynapseRowOnArray::wrap(hardware_row(array, counted) as usize);
    Some(SynapseRowOnHicann::from_array(array, row))
}

fn control(array: SynapseArrayOnHicann, row: SynapseRowOnArray) -> u32 {
    let first = SynapseRowOnArray::new::<0>();
    CAPACITORS
        | hardware_row(array, first) << LAST_ROW_SHIFT
        | hardware_row(array, row) << ROW_SHIFT
}

/// Default look-up tables of plasticity: acausal, causal, combined.
fn lookup_table(table: usize, entry: usize) -> u32 {
    (match table {
        0 => entry.saturating_sub(1),
        1 => (entry + 1).min(15),
        _ => entry,
    }) as u32
}

/// The word of a table register: even ones hold the even entries, odd ones the odd entries, in
/// bit-reversed order, each with its bits reversed.
fn lookup_word(register: usize) -> u32 {
    const ORDER: [usize; 8] = [0, 8, 4, 12, 2, 10, 6, 14];
    ORDER.iter().fold(0, |word, &entry| {
        let value = lookup_table(register / 2, entry + register % 2);
        word << 4 | value.reverse_bits() >> 28
    })
}

/// Shifts of write delay, output delay, precharge and enable delay, and their bits.
const DELAYS: [(u32, u32); 4] = [(26, 2), (22, 4), (12, 4), (8, 4)];
/// Left and right drivers.
const DLL_RELEASED: [u32; 2] = [1 << 21, 1 << 20];
/// Pattern generator and evaluation patterns.
const PLASTICITY: u32 = 0xf << 16 | 0xff;

fn configuration(
    array: SynapseArrayOnHicann,
    controller: &SynapseController,
    hold_dll: bool,
) -> Result<u32, Unencodable> {
    let delays = [
        ("write_delay", controller.write_delay),
        ("output_delay", controller.output_delay),
        ("setup_precharge", controller.setup_precharge),
        ("enable_delay", controller.enable_delay),
    ];
    let mut word = 0;
    for ((field, value), (shift, bits)) in delays.into_iter().zip(DELAYS) {
        let max = (1u8 << bits) - 1;
        if value > max {
            return Err(Unencodable::Delay { array, field, value, max });
        }
        word |= u32::from(value) << shift;
    }
    for (released, bit) in controller.dll_released.into_iter().zip(DLL_RELEASED) {
        if released && !hold_dll {
            word |= bit;
        }
    }
    Ok(word)
}

/// Whether the controllers can be set like this.
pub(super) fn check(
    controllers: &Table<SynapseArrayOnHicann, SynapseController>,
) -> Result<(), Unencodable> {
    controllers.iter().try_for_each(|(array, c)| configuration(array, c, false).map(|_| ()))
}

/// All registers of both controllers, with the delay-locked loops of the drivers as configured or
/// held in reset.
pub(super) fn encode(
    controllers: &Table<SynapseArrayOnHicann, SynapseController>,
    hold_dll: bool,
    w: &mut Writer<'_>,
) -> Result<(), Unencodable> {
    for (array, controller) in controllers.iter() {
        let word = configuration(array, controller, hold_dll)?;
        let mut unit = w.unit(Unit::Synapse(array));
        DRIVER_TIMING.iter().zip(SRAM_TIMING).for_each(|(&local, data)| unit.write(local, data));
        unit.write(CONFIGURATION, word);
        (0..6).for_each(|register| unit.write(LUT + register, lookup_word(register.into())));
        unit.write(SYNRST, u32::MAX);
        unit.write(CONTROL, control(array, SynapseRowOnArray::new::<0>()));
    }
    Ok(())
}

/// The controller has no back pressure: software passes the time with harmless writes of the
/// configuration register.
#[derive(Clone, Copy)]
pub(super) struct Guard {
    configuration: u32,
}

impl Guard {
    /// Guards while the delay-locked loops are held in reset.
    pub(super) fn new(
        array: SynapseArrayOnHicann,
        controller: &SynapseController,
    ) -> Result<Self, Unencodable> {
        Ok(Self { configuration: configuration(array, controller, true)? })
    }

    /// Passes some cycles; a packet takes two at least.
    pub(super) fn wait(self, cycles: u32, unit: &mut UnitWriter<'_>) {
        (0..cycles.div_ceil(2)).for_each(|_| unit.write(CONFIGURATION, self.configuration));
    }
}

/// Sends write commands to one controller.
pub(super) struct Commands<'a> {
    array: SynapseArrayOnHicann,
    unit: UnitWriter<'a>,
    guard: Guard,
    cycles: u32,
}

impl<'a> Commands<'a> {
    pub(super) fn new(
        array: SynapseArrayOnHicann,
        controller: &SynapseController,
        w: &'a mut Writer<'_>,
    ) -> Result<Self, Unencodable> {
        let guard = Guard::new(array, controller)?;
        let mut unit = w.unit(Unit::Synapse(array));
        // the delays have to be in place before the first command
        unit.write(CONFIGURATION, guard.configuration);
        Ok(Self { array, unit, guard, cycles: u32::from(controller.write_delay) + 4 })
    }

    /// Writes 32 columns of a row.
    pub(super) fn write(
        &mut self,
        command: Command,
        row: SynapseRowOnArray,
        set: ColumnSet,
        data: SynIn,
    ) {
        for (i, word) in data.into_iter().enumerate() {
            self.unit.write(SYNIN + i as u16, word);
        }
        let sel = (set as u32) << SEL_SHIFT;
        self.unit.write(CONTROL, control(self.array, row) | sel | NEW_COMMAND | command as u32);
        self.guard.wait(self.cycles, &mut self.unit);
    }
}

/// Writes to a controller, `synin` being its input registers.
pub(super) fn write(
    controller: &mut SynapseController,
    synapses: &mut SynapseArrays,
    synin: &mut SynIn,
    array: SynapseArrayOnHicann,
    local: u16,
    data: u32,
) -> Result<(), Refusal> {
    match local {
        CONTROL => execute(synapses, synin, array, data),
        CONFIGURATION => {
            if data & PLASTICITY != 0 || data >> 28 != 0 {
                return Err("a setting of plasticity, which is not supported");
            }
            let [write_delay, output_delay, setup_precharge, enable_delay] =
                DELAYS.map(|(shift, bits)| (data >> shift & ((1 << bits) - 1)) as u8);
            *controller = SynapseController {
                dll_released: DLL_RELEASED.map(|bit| data & bit != 0),
                write_delay,
                output_delay,
                setup_precharge,
                enable_delay,
            };
            Ok(())
        }
        LUT..=0x4105 if data == lookup_word(usize::from(local - LUT)) => Ok(()),
        SYNRST if data == u32::MAX => Ok(()),
        LUT..=0x4105 | SYNRST => Err("a setting of plasticity, which is not supported"),
        SYNIN..=0x4203 => {
            synin[usize::from(local - SYNIN)] = data;
            Ok(())
        }
        _ if DRIVER_TIMING.contains(&local) => width(data, 8),
        _ => Err(NO_REGISTER),
    }
}

fn execute(
    synapses: &mut SynapseArrays,
    synin: &SynIn,
    array: SynapseArrayOnHicann,
    data: u32,
) -> Result<(), Refusal> {
    if data & CONTROL_RESERVED != 0 {
        return Err("reserved bits of the control register");
    }
    if data & NEW_COMMAND == 0 {
        return Ok(());
    }
    let row = row_of(array, data >> ROW_SHIFT & 0xff).ok_or("a command for a row above 223")?;
    let set = (data >> SEL_SHIFT & 7) as ColumnSet;
    match data & 0xf {
        c if c == Command::Write as u32 => synapses.write_weights(row, set, synin),
        c if c == Command::WriteDecoders as u32 => synapses.write_decoders(row, set, synin),
        AUTO => return Err("the command for plasticity, which is not supported"),
        c if HARMLESS.contains(&c) => {}
        _ => return Err("no command of the synapse controller"),
    }
    Ok(())
}

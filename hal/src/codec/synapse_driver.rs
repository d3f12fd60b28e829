//! Registers of the synapse drivers (hal-config §2.12).
//!
//! Each of the two rows of a driver has three registers: divisors, driver decoders, and settings.
//! Drivers on the right side use the upper byte of theirs.

use super::bus::{NO_REGISTER, Refusal, Unit, UnitWriter, Writer, timing_words};
use super::synapse_array::{drivers as drivers_of, hardware_rows};
use super::synapse_commands::Guard;
use super::synapse_controller::{DRIVER_TIMING, STATUS};
use crate::config::{RowConfig, SramTiming, StpMode, SynapseController, SynapseDriver};
use crate::coord::{
    Coordinate, DriverDecoder, Side, SynapseArrayOnHicann, SynapseDriverOnHicann, Table, Vertical,
};
use crate::value::{GmaxDivisor, GmaxSelect, StpCapacitor};

/// Rows of an array.
const ROWS: u16 = 224;
/// First register of each kind.
const SETTINGS: u16 = 0x000;
const DECODERS: u16 = 0x100;
const DIVISORS: u16 = 0x200;
/// One past the last register.
const END: u16 = 0x300;

const CONNECT_NEIGHBOR: u32 = 1 << 4;
const LOCIN: u32 = 1 << 5;
const ENABLE: u32 = 1 << 6;
/// Short-term plasticity in the lower row, its mode in the upper one.
const TOP_BIT: u32 = 1 << 7;

/// Local address of the lower hardware row; the upper one follows.
fn address(driver: SynapseDriverOnHicann) -> u16 {
    2 * match driver.vertical() {
        Vertical::Top => 111 - driver.index() as u16,
        Vertical::Bottom => driver.index() as u16 - 112,
    }
}

fn shift(driver: SynapseDriverOnHicann) -> u32 {
    match driver.side() {
        Side::Left => 0,
        Side::Right => 8,
    }
}

/// Row and decoder (even or odd columns) and bit of that decoder, by bit of the decoder register;
/// row 0 is the upper hardware row.
const DECODER_BITS: [(usize, usize, usize); 8] =
    [(1, 0, 0), (0, 0, 1), (1, 0, 1), (0, 0, 0), (1, 1, 0), (0, 1, 1), (1, 1, 1), (0, 1, 0)];

fn row_settings(row: RowConfig) -> u32 {
    u32::from(row.synaptic_input[0])
        | u32::from(row.synaptic_input[1]) << 1
        | (row.gmax_select.index() as u32) << 2
}

fn row_divisors(row: RowConfig) -> u32 {
    (row.gmax_divisor[0].index() | row.gmax_divisor[1].index() << 4) as u32
}

/// Registers of a driver in writing order.
fn registers(place: SynapseDriverOnHicann, driver: &SynapseDriver) -> [(u16, u32); 6] {
    let [upper, lower] = hardware_rows(place).map(|row| *driver.row(row.on_driver()));
    let decoders = DECODER_BITS.iter().enumerate().fold(0, |word, (i, &(row, parity, bit))| {
        let decoder = [upper, lower][row].decoder[parity];
        word | ((decoder.index() >> bit & 1) as u32) << i
    });
    let flag = |on: bool, bit: u32| if on { bit } else { 0 };
    let settings_lower = row_settings(lower)
        | flag(driver.connect_neighbor, CONNECT_NEIGHBOR)
        | flag(driver.locin, LOCIN)
        | flag(driver.enable, ENABLE)
        | flag(driver.stp_enable, TOP_BIT);
    let settings_upper = row_settings(upper)
        | (driver.stp_capacitor.index() as u32) << 4
        | flag(driver.stp_mode == StpMode::Depression, TOP_BIT);
    let at = address(place);
    [
        (DIVISORS + at, row_divisors(lower)),
        (DIVISORS + at + 1, row_divisors(upper)),
        (DECODERS + at, decoders),
        (DECODERS + at + 1, 0),
        (SETTINGS + at, settings_lower),
        (SETTINGS + at + 1, settings_upper),
    ]
    .map(|(local, data)| (local, data << shift(place)))
}

/// Writes zero to all registers, waiting after each until the drivers are ready.
pub(super) fn clear(w: &mut Writer<'_>) {
    let write_and_wait = |unit: &mut UnitWriter<'_>, local| {
        unit.write(local, 0);
        unit.read(STATUS);
    };
    for array in SynapseArrayOnHicann::all() {
        let mut unit = w.unit(Unit::Synapse(array));
        let timing = DRIVER_TIMING.iter().zip(timing_words(SramTiming::DEFAULT));
        timing.for_each(|(&local, data)| unit.write(local, data));
        for row in 0..ROWS {
            for first in [SETTINGS, DECODERS, DIVISORS] {
                write_and_wait(&mut unit, first + row);
            }
        }
    }
}

/// How much of the drivers is written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DriverWrites {
    /// Everything of a driver that has changed.
    Drivers,
    /// Registers that have changed.
    Registers,
    /// Everything of all drivers.
    All,
}

/// Drivers that have changed. If nothing is known of the chip, initialisation has cleared the
/// registers, so that zeros need no second write unless everything is asked for.
pub(super) fn encode(
    drivers: &Table<SynapseDriverOnHicann, SynapseDriver>,
    controllers: &Table<SynapseArrayOnHicann, SynapseController>,
    hold_dll: bool,
    before: Option<&Table<SynapseDriverOnHicann, SynapseDriver>>,
    writes: DriverWrites,
    w: &mut Writer<'_>,
) {
    for (array, controller) in controllers.iter() {
        let guard = Guard::new(controller, hold_dll);
        let mut unit = w.unit(Unit::Synapse(array));
        for place in drivers_of(array) {
            let new = registers(place, &drivers[place]);
            let old = match before {
                Some(before) => registers(place, &before[place]),
                None => new.map(|(local, _)| (local, 0)),
            };
            let by_driver = match writes {
                DriverWrites::Registers => false,
                DriverWrites::Drivers => before.is_some() && old != new,
                DriverWrites::All => true,
            };
            for (new, old) in new.into_iter().zip(old) {
                if by_driver || new != old {
                    unit.write(new.0, new.1);
                    guard.wait(controller.driver_timing.write_clocks(), &mut unit);
                }
            }
        }
    }
}

/// Reads all registers of a driver, each twice: the first read only makes the memory fetch it.
/// Tells their addresses.
pub(super) fn encode_reads(
    place: SynapseDriverOnHicann,
    controller: &SynapseController,
    w: &mut Writer<'_>,
) -> [u16; 6] {
    let guard = Guard::new(controller, false);
    let mut unit = w.unit(Unit::Synapse(SynapseArrayOnHicann::wrap(place.index() / 112)));
    let locals = registers(place, &SynapseDriver::default()).map(|(local, _)| local);
    for local in locals {
        for _ in 0..2 {
            unit.read(local);
            guard.wait(controller.driver_timing.read_clocks(), &mut unit);
        }
    }
    locals
}

/// Whether an address belongs to the memory of the drivers.
pub(super) const fn has(local: u16) -> bool {
    local < END
}

/// The driver of an address.
fn place(array: SynapseArrayOnHicann, local: u16) -> Option<SynapseDriverOnHicann> {
    let row = local & 0xff;
    let line = match array.index() {
        _ if row >= ROWS => return None,
        0 => 111 - row / 2,
        _ => 112 + row / 2,
    };
    Some(SynapseDriverOnHicann::wrap(usize::from(line)))
}

/// Content of a register.
pub(super) fn read(
    drivers: &Table<SynapseDriverOnHicann, SynapseDriver>,
    array: SynapseArrayOnHicann,
    local: u16,
) -> Result<u32, Refusal> {
    let place = place(array, local).ok_or(NO_REGISTER)?;
    let found = registers(place, &drivers[place]).into_iter().find(|(l, _)| *l == local);
    found.map(|(_, data)| data).ok_or(NO_REGISTER)
}

/// Writes to a driver.
pub(super) fn write(
    drivers: &mut Table<SynapseDriverOnHicann, SynapseDriver>,
    array: SynapseArrayOnHicann,
    local: u16,
    data: u32,
) -> Result<(), Refusal> {
    let place = place(array, local).ok_or(NO_REGISTER)?;
    let byte = data >> shift(place);
    if byte << shift(place) != data || byte > 0xff {
        return Err("bits of a driver that does not exist on this side");
    }
    write_row(&mut drivers[place], place, local & 0x300, local % 2 == 1, byte)
}

fn write_row(
    driver: &mut SynapseDriver,
    place: SynapseDriverOnHicann,
    kind: u16,
    is_upper: bool,
    byte: u32,
) -> Result<(), Refusal> {
    let [upper, lower] = hardware_rows(place).map(|row| row.on_driver().index());
    let bit = |b: u32| byte & b != 0;
    let row = &mut driver.rows[if is_upper { upper } else { lower }];
    match (kind, is_upper) {
        (DIVISORS, _) => {
            row.gmax_divisor = [byte & 15, byte >> 4].map(|d| GmaxDivisor::wrap(d as usize));
        }
        (DECODERS, true) if byte != 0 => {
            return Err("decoders in the register of the upper row, which has none");
        }
        (DECODERS, true) => {}
        (DECODERS, false) => {
            let mut decoders = [[0; 2]; 2];
            for (i, &(row, parity, bit)) in DECODER_BITS.iter().enumerate() {
                decoders[row][parity] |= (byte >> i & 1) as usize * (1 << bit);
            }
            driver.rows[upper].decoder = decoders[0].map(DriverDecoder::wrap);
            driver.rows[lower].decoder = decoders[1].map(DriverDecoder::wrap);
        }
        (_, is_upper) => {
            row.synaptic_input = [bit(1), bit(2)];
            row.gmax_select = GmaxSelect::wrap((byte >> 2 & 3) as usize);
            if is_upper {
                driver.stp_capacitor = StpCapacitor::wrap((byte >> 4 & 7) as usize);
                driver.stp_mode =
                    if bit(TOP_BIT) { StpMode::Depression } else { StpMode::Facilitation };
            } else {
                driver.connect_neighbor = bit(CONNECT_NEIGHBOR);
                driver.locin = bit(LOCIN);
                driver.enable = bit(ENABLE);
                driver.stp_enable = bit(TOP_BIT);
            }
        }
    }
    Ok(())
}

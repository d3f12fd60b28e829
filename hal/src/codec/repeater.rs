//! Repeaters and their blocks (hal-config §2.14, §2.15).

use super::bus::{
    NO_REGISTER, NOT_READABLE, Refusal, Register, Unit, Writer, timing_words, width, write_timing,
};
use super::test_port;
use crate::config::{Repeater, RepeaterBlock, RepeaterMode, Repeaters, SramTiming};
use crate::coord::{
    Coordinate, HLineOnHicann, HRepeaterOnHicann, RepeaterBlockOnHicann, Table, VLineOnHicann,
    VRepeaterOnHicann, Vertical,
};
use crate::value::RepeaterCapacitor;

/// Settings when written, status of the test ports when read.
const BLOCK_CONFIG: u16 = 0x80;
const TIMING: [u16; 2] = [0xa0, 0xa1];

const INWARD: u32 = 1 << 4;
const OUTWARD: u32 = 1 << 5;
/// Takes test or merger data in.
const TINEN: u32 = 1 << 6;
/// Gives line data out to the test port.
const TOUTEN: u32 = 1 << 7;

const DLL_RELEASED: u32 = 1 << 4;
const DRIVER_RELEASED: u32 = 1 << 5;
/// Config byte of a block after initialisation: drivers released, loops held in reset.
const BLOCK_RESET: u32 = DRIVER_RELEASED;

/// Number of repeaters of a block.
fn population(block: RepeaterBlockOnHicann) -> u16 {
    match block.index() {
        2 | 3 => 32,
        _ => 64,
    }
}

/// Local address of a horizontal repeater in its block.
fn horizontal_address(repeater: HRepeaterOnHicann) -> u16 {
    let y = repeater.index();
    (if y % 2 == 1 { y.div_ceil(2) % 32 } else { (62 - y) / 2 }) as u16
}

/// Local address of a vertical repeater in its block.
fn vertical_address(repeater: VRepeaterOnHicann) -> u16 {
    let x = repeater.line().index();
    (match (repeater.vertical(), x < 128) {
        (Vertical::Top, true) => x.div_ceil(2) % 64,
        (Vertical::Top, false) => ((256 - x) / 2) % 64,
        (Vertical::Bottom, true) => x / 2,
        (Vertical::Bottom, false) => (255 - x) / 2,
    }) as u16
}

/// A repeater by block and address.
enum Place {
    Horizontal(HRepeaterOnHicann),
    Vertical(VRepeaterOnHicann),
}

/// Inverse of the address maps.
fn place(block: RepeaterBlockOnHicann, local: u16) -> Option<Place> {
    if local >= population(block) {
        return None;
    }
    let a = usize::from(local);
    let hline = |y| Place::Horizontal(HLineOnHicann::wrap(y).repeater());
    let vline = |x| Place::Vertical(VLineOnHicann::wrap(x).repeater());
    Some(match block.index() {
        0 => vline((2 * a + 127) % 128),
        1 => vline(128 + (128 - 2 * a) % 128),
        2 => hline(62 - 2 * a),
        3 => hline((2 * a + 63) % 64),
        4 => vline(2 * a),
        _ => vline(255 - 2 * a),
    })
}

/// The byte of a repeater that sits at the `border` end of its line.
fn byte<D: Copy + PartialEq>(repeater: &Repeater<D>, border: D) -> u32 {
    let towards = |d: D| if d == border { OUTWARD } else { INWARD };
    let mode = match repeater.mode {
        RepeaterMode::Idle => 0,
        RepeaterMode::Forwarding(d) => towards(d),
        RepeaterMode::Output(d) => TINEN | towards(d),
        RepeaterMode::OutputBoth => TINEN | INWARD | OUTWARD,
        RepeaterMode::Input(d) => TOUTEN | towards(d),
        RepeaterMode::Loopback => TOUTEN | TINEN,
    };
    mode | (repeater.ren.index() as u32) << 2 | repeater.len.index() as u32
}

/// The repeater of a byte; `outward` is the direction of its border.
fn from_byte<D: Copy>(byte: u32, inward: D, outward: D) -> Result<Repeater<D>, Refusal> {
    width(byte, 8)?;
    let one_way = match byte & (INWARD | OUTWARD) {
        INWARD => Some(inward),
        OUTWARD => Some(outward),
        _ => None,
    };
    let both = byte & INWARD != 0 && byte & OUTWARD != 0;
    let mode = match (byte & TOUTEN != 0, byte & TINEN != 0, one_way) {
        // the chip ignores the test input of a repeater that gives out to the test port
        (true, _, Some(d)) => RepeaterMode::Input(d),
        (false, true, Some(d)) => RepeaterMode::Output(d),
        (false, false, Some(d)) => RepeaterMode::Forwarding(d),
        (false, true, None) if both => RepeaterMode::OutputBoth,
        (true, true, None) if !both => RepeaterMode::Loopback,
        (false, false, None) if !both => RepeaterMode::Idle,
        _ => return Err("no mode of a repeater"),
    };
    let capacitor = |shift: u32| RepeaterCapacitor::wrap((byte >> shift & 3) as usize);
    Ok(Repeater { mode, ren: capacitor(2), len: capacitor(0) })
}

/// Horizontal repeaters, then vertical ones.
pub(super) fn repeater_registers(repeaters: &Repeaters) -> impl Iterator<Item = Register> {
    let horizontal = repeaters.horizontal.iter().map(|(place, repeater)| {
        let data = byte(repeater, place.side());
        (Unit::Repeater(place.block()), horizontal_address(place), data)
    });
    let vertical = repeaters.vertical.iter().map(|(place, repeater)| {
        let data = byte(repeater, place.vertical());
        (Unit::Repeater(place.block()), vertical_address(place), data)
    });
    horizontal.chain(vertical)
}

/// Registers of the blocks with the delay-locked loops as configured, or held in reset.
pub(super) fn block_registers(
    blocks: &Table<RepeaterBlockOnHicann, RepeaterBlock>,
    hold_dll: bool,
) -> impl Iterator<Item = Register> {
    blocks.iter().flat_map(move |(place, block)| {
        let timing = TIMING.into_iter().zip(timing_words(block.timing));
        let dll = if block.dll_released && !hold_dll { DLL_RELEASED } else { 0 };
        let driver = if block.driver_released { DRIVER_RELEASED } else { 0 };
        let capacitor = (block.filter_capacitor.index() as u32) << 6;
        let config = capacitor | driver | dll | test_port::start_bits(&block.test_ports);
        let all =
            timing.chain(test_port::registers(&block.test_ports)).chain([(BLOCK_CONFIG, config)]);
        all.map(move |(local, data)| (Unit::Repeater(place), local, data))
    })
}

/// Timing of all blocks, then idle repeaters and the reset configuration, block by block.
pub(super) fn clear(w: &mut Writer<'_>) {
    for block in RepeaterBlockOnHicann::all() {
        let mut unit = w.unit(Unit::Repeater(block));
        let timing = TIMING.iter().zip(timing_words(SramTiming::DEFAULT));
        timing.for_each(|(&local, data)| unit.write(local, data));
    }
    for block in RepeaterBlockOnHicann::all() {
        let mut unit = w.unit(Unit::Repeater(block));
        (0..population(block)).for_each(|local| unit.write(local, 0));
        unit.write(BLOCK_CONFIG, BLOCK_RESET);
    }
}

/// Inward and outward.
fn directions(repeater: VRepeaterOnHicann) -> [Vertical; 2] {
    match repeater.vertical() {
        Vertical::Top => [Vertical::Bottom, Vertical::Top],
        Vertical::Bottom => [Vertical::Top, Vertical::Bottom],
    }
}

pub(super) fn write(
    repeaters: &mut Repeaters,
    blocks: &mut Table<RepeaterBlockOnHicann, RepeaterBlock>,
    block: RepeaterBlockOnHicann,
    local: u16,
    data: u32,
) -> Result<(), Refusal> {
    match place(block, local) {
        Some(Place::Horizontal(r)) => {
            let border = r.side();
            repeaters.horizontal[r] = from_byte(data, border.opposite(), border)?;
            return Ok(());
        }
        Some(Place::Vertical(r)) => {
            let [inward, outward] = directions(r);
            repeaters.vertical[r] = from_byte(data, inward, outward)?;
            return Ok(());
        }
        None => {}
    }
    width(data, 8)?;
    let block = &mut blocks[block];
    if local == BLOCK_CONFIG {
        block.dll_released = data & DLL_RELEASED != 0;
        block.driver_released = data & DRIVER_RELEASED != 0;
        block.filter_capacitor = RepeaterCapacitor::wrap((data >> 6) as usize);
        test_port::start(&mut block.test_ports, data);
        return Ok(());
    }
    if let Some(register) = TIMING.iter().position(|&timing| timing == local) {
        return write_timing(&mut block.timing, register, data);
    }
    test_port::write(&mut block.test_ports, local, data).ok_or(NO_REGISTER)
}

/// Reads a repeater, the status of a block or what its test ports have recorded. The settings of
/// a block cannot be read.
pub(super) fn read(
    repeaters: &Repeaters,
    block: RepeaterBlockOnHicann,
    local: u16,
) -> Result<u32, Refusal> {
    match place(block, local) {
        Some(Place::Horizontal(r)) => Ok(byte(&repeaters.horizontal[r], r.side())),
        Some(Place::Vertical(r)) => Ok(byte(&repeaters.vertical[r], r.vertical())),
        // no port is full: see `test_port::read`
        None if local == BLOCK_CONFIG => Ok(0),
        None if TIMING.contains(&local) => Err(NOT_READABLE),
        None => test_port::read(local).unwrap_or(Err(NO_REGISTER)),
    }
}

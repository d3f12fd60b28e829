//! Repeaters and their blocks (hal-config §2.14, §2.15).

use super::bus::{NO_REGISTER, Refusal, SRAM_TIMING, Unit, Writer, width};
use crate::config::{Repeater, RepeaterBlock, RepeaterMode, Repeaters};
use crate::coord::{
    Coordinate, HLineOnHicann, HRepeaterOnHicann, RepeaterBlockOnHicann, Table, VLineOnHicann,
    VRepeaterOnHicann, Vertical,
};
use crate::value::RepeaterCapacitor;

const BLOCK_CONFIG: u16 = 0x80;
/// Two ports of three test events of two bytes each.
const TEST_EVENTS: std::ops::RangeInclusive<u16> = 0x81..=0x8c;
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
pub(super) fn encode_repeaters(repeaters: &Repeaters, w: &mut Writer<'_>) {
    for (place, repeater) in repeaters.horizontal.iter() {
        let data = byte(repeater, place.side());
        w.unit(Unit::Repeater(place.block())).write(horizontal_address(place), data);
    }
    for (place, repeater) in repeaters.vertical.iter() {
        let data = byte(repeater, place.vertical());
        w.unit(Unit::Repeater(place.block())).write(vertical_address(place), data);
    }
}

/// Blocks with the delay-locked loops as configured, or held in reset.
pub(super) fn encode_blocks(
    blocks: &Table<RepeaterBlockOnHicann, RepeaterBlock>,
    hold_dll: bool,
    w: &mut Writer<'_>,
) {
    for (place, block) in blocks.iter() {
        let mut unit = w.unit(Unit::Repeater(place));
        TIMING.iter().zip(SRAM_TIMING).for_each(|(&local, data)| unit.write(local, data));
        TEST_EVENTS.for_each(|local| unit.write(local, 0));
        let dll = if block.dll_released && !hold_dll { DLL_RELEASED } else { 0 };
        let driver = if block.driver_released { DRIVER_RELEASED } else { 0 };
        let capacitor = (block.filter_capacitor.index() as u32) << 6;
        unit.write(BLOCK_CONFIG, capacitor | driver | dll);
    }
}

/// Timing of all blocks, then idle repeaters and the reset configuration, block by block.
pub(super) fn clear(w: &mut Writer<'_>) {
    for block in RepeaterBlockOnHicann::all() {
        let mut unit = w.unit(Unit::Repeater(block));
        TIMING.iter().zip(SRAM_TIMING).for_each(|(&local, data)| unit.write(local, data));
    }
    for block in RepeaterBlockOnHicann::all() {
        let mut unit = w.unit(Unit::Repeater(block));
        (0..population(block)).for_each(|local| unit.write(local, 0));
        unit.write(BLOCK_CONFIG, BLOCK_RESET);
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
            let (inward, outward) = match r.vertical() {
                Vertical::Top => (Vertical::Bottom, Vertical::Top),
                Vertical::Bottom => (Vertical::Top, Vertical::Bottom),
            };
            repeaters.vertical[r] = from_byte(data, inward, outward)?;
            return Ok(());
        }
        None => {}
    }
    width(data, 8)?;
    if local == BLOCK_CONFIG {
        if data & 0xf != 0 {
            return Err("starting test ports, which is not supported");
        }
        blocks[block] = RepeaterBlock {
            dll_released: data & DLL_RELEASED != 0,
            driver_released: data & DRIVER_RELEASED != 0,
            filter_capacitor: RepeaterCapacitor::wrap((data >> 6) as usize),
        };
        Ok(())
    } else if TEST_EVENTS.contains(&local) || TIMING.contains(&local) {
        // no effect on the configuration
        Ok(())
    } else {
        Err(NO_REGISTER)
    }
}

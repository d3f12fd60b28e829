//! Rows of crossbar and synapse switches (hal-config §2.3, §2.4).

use super::bus::{NO_REGISTER, Refusal, Register, Unit, Writer, width};
use crate::config::{Crossbar, SynapseSwitches};
use crate::coord::{
    Coordinate, CrossbarSwitchOnHicann, HLineOnHicann, Side, SynapseDriverOnHicann,
    SynapseSwitchOnHicann, SynapseSwitchRowOnHicann, Vertical,
};

/// Rows of a crossbar unit.
const CROSSBAR_ROWS: u16 = 64;
/// Rows of a synapse switch unit.
const SYNAPSE_SWITCH_ROWS: u16 = 112;

/// Opens all switches, as initialisation does: the memory comes up with random contents.
pub(super) fn clear(w: &mut Writer<'_>) {
    for side in Side::ALL {
        let mut unit = w.unit(Unit::Crossbar(side));
        (0..CROSSBAR_ROWS).for_each(|local| unit.write(local, 0));
    }
    for vertical in Vertical::ALL {
        for side in Side::ALL {
            let mut unit = w.unit(Unit::SynapseSwitch(vertical, side));
            (0..SYNAPSE_SWITCH_ROWS).for_each(|local| unit.write(local, 0));
        }
    }
}

/// The switch behind a bit of a crossbar row: on the right side the bits are mirrored.
fn crossbar_switch(side: Side, hline: HLineOnHicann, bit: usize) -> CrossbarSwitchOnHicann {
    let on_row = match side {
        Side::Left => bit,
        Side::Right => 4 + (3 - bit),
    };
    CrossbarSwitchOnHicann::wrap(8 * hline.index() + on_row)
}

fn crossbar_row(crossbar: &Crossbar, side: Side, hline: HLineOnHicann) -> u32 {
    let closed = |bit| crossbar.is_closed(crossbar_switch(side, hline, bit));
    (0..4).map(|bit| u32::from(closed(bit)) << bit).sum()
}

/// All rows of the crossbar.
pub(super) fn crossbar_registers(crossbar: &Crossbar) -> impl Iterator<Item = Register> {
    let rows = Side::ALL.into_iter().flat_map(|s| HLineOnHicann::all().map(move |h| (s, h)));
    rows.map(|(side, hline)| {
        let local = CROSSBAR_ROWS - 1 - hline.index() as u16;
        (Unit::Crossbar(side), local, crossbar_row(crossbar, side, hline))
    })
}

/// The line of a crossbar row.
fn crossbar_line(local: u16) -> Option<HLineOnHicann> {
    Some(HLineOnHicann::wrap(usize::from((CROSSBAR_ROWS - 1).checked_sub(local)?)))
}

pub(super) fn read_crossbar(crossbar: &Crossbar, side: Side, local: u16) -> Result<u32, Refusal> {
    Ok(crossbar_row(crossbar, side, crossbar_line(local).ok_or(NO_REGISTER)?))
}

pub(super) fn write_crossbar(
    crossbar: &mut Crossbar,
    side: Side,
    local: u16,
    data: u32,
) -> Result<(), Refusal> {
    let hline = crossbar_line(local).ok_or(NO_REGISTER)?;
    width(data, 4)?;
    for bit in 0..4 {
        crossbar.set(crossbar_switch(side, hline, bit), data >> bit & 1 != 0);
    }
    Ok(())
}

/// The switch behind a bit of a row of synapse switches: on the left side the bits are mirrored.
fn synapse_switch(row: SynapseSwitchRowOnHicann, bit: usize) -> SynapseSwitchOnHicann {
    let on_row = match row.side() {
        Side::Left => 15 - bit,
        Side::Right => bit,
    };
    SynapseSwitchOnHicann::wrap(16 * row.index() + on_row)
}

fn synapse_switch_word(switches: &SynapseSwitches, row: SynapseSwitchRowOnHicann) -> u32 {
    let closed = |bit| switches.is_closed(synapse_switch(row, bit));
    (0..16).map(|bit| u32::from(closed(bit)) << bit).sum()
}

/// All rows of synapse switches.
pub(super) fn synapse_switch_registers(
    switches: &SynapseSwitches,
) -> impl Iterator<Item = Register> {
    SynapseSwitchRowOnHicann::all().map(|row| {
        let y = row.y();
        let local = match y.vertical() {
            Vertical::Top => 111 - y.index(),
            Vertical::Bottom => y.index() - 112,
        };
        let unit = Unit::SynapseSwitch(y.vertical(), row.side());
        (unit, local as u16, synapse_switch_word(switches, row))
    })
}

/// The row at an address.
fn synapse_switch_row(
    vertical: Vertical,
    side: Side,
    local: u16,
) -> Option<SynapseSwitchRowOnHicann> {
    let y = match vertical {
        _ if local >= SYNAPSE_SWITCH_ROWS => return None,
        Vertical::Top => 111 - local,
        Vertical::Bottom => 112 + local,
    };
    Some(SynapseSwitchRowOnHicann::at(side, SynapseDriverOnHicann::wrap(usize::from(y))))
}

pub(super) fn read_synapse_switches(
    switches: &SynapseSwitches,
    vertical: Vertical,
    side: Side,
    local: u16,
) -> Result<u32, Refusal> {
    let row = synapse_switch_row(vertical, side, local).ok_or(NO_REGISTER)?;
    Ok(synapse_switch_word(switches, row))
}

pub(super) fn write_synapse_switches(
    switches: &mut SynapseSwitches,
    vertical: Vertical,
    side: Side,
    local: u16,
    data: u32,
) -> Result<(), Refusal> {
    let row = synapse_switch_row(vertical, side, local).ok_or(NO_REGISTER)?;
    width(data, 16)?;
    for bit in 0..16 {
        switches.set(synapse_switch(row, bit), data >> bit & 1 != 0);
    }
    Ok(())
}

//! Rows of crossbar and synapse switches (hal-config §2.3, §2.4).

use super::bus::{NO_REGISTER, Refusal, Unit, Writer, width};
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

pub(super) fn encode_crossbar(crossbar: &Crossbar, w: &mut Writer<'_>) {
    for side in Side::ALL {
        let mut unit = w.unit(Unit::Crossbar(side));
        for hline in HLineOnHicann::all() {
            let closed = |bit| crossbar.is_closed(crossbar_switch(side, hline, bit));
            let row = (0..4).map(|bit| u32::from(closed(bit)) << bit).sum();
            unit.write(CROSSBAR_ROWS - 1 - hline.index() as u16, row);
        }
    }
}

pub(super) fn write_crossbar(
    crossbar: &mut Crossbar,
    side: Side,
    local: u16,
    data: u32,
) -> Result<(), Refusal> {
    let row = (CROSSBAR_ROWS - 1).checked_sub(local).ok_or(NO_REGISTER)?;
    width(data, 4)?;
    let hline = HLineOnHicann::wrap(usize::from(row));
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

pub(super) fn encode_synapse_switches(switches: &SynapseSwitches, w: &mut Writer<'_>) {
    for row in SynapseSwitchRowOnHicann::all() {
        let y = row.y();
        let local = match y.vertical() {
            Vertical::Top => 111 - y.index(),
            Vertical::Bottom => y.index() - 112,
        };
        let closed = |bit| switches.is_closed(synapse_switch(row, bit));
        let data = (0..16).map(|bit| u32::from(closed(bit)) << bit).sum();
        w.unit(Unit::SynapseSwitch(y.vertical(), row.side())).write(local as u16, data);
    }
}

pub(super) fn write_synapse_switches(
    switches: &mut SynapseSwitches,
    vertical: Vertical,
    side: Side,
    local: u16,
    data: u32,
) -> Result<(), Refusal> {
    if local >= SYNAPSE_SWITCH_ROWS {
        return Err(NO_REGISTER);
    }
    width(data, 16)?;
    let y = match vertical {
        Vertical::Top => 111 - local,
        Vertical::Bottom => 112 + local,
    };
    let row = SynapseSwitchRowOnHicann::at(side, SynapseDriverOnHicann::wrap(usize::from(y)));
    for bit in 0..16 {
        switches.set(synapse_switch(row, bit), data >> bit & 1 != 0);
    }
    Ok(())
}

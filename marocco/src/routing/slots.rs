//! Slot groups: the fourteen drivers of one side of a chip that the same vertical lines reach.
//!
//! The sixteen lines of a switch group have their local switches in the same fourteen rows, and so
//! have the lines that face them from the neighbouring chip (topology §4.4). More buses than
//! drivers cannot be heard there, whichever line brings them.

use hal::coord::{
    Coordinate, HicannOnWafer, OnWafer, Side, SynapseDriverOnHicann, SynapseSwitchOnHicann,
    VLineOnHicann, Vertical,
};
use hal::defects::Defects;

use crate::fabric::driver_is_usable;

/// Number of a slot group, `16 * chip + 8 * side + (y % 16) / 2` with the y of its top drivers.
pub(super) type SlotGroup = u16;

/// Slot groups of the wafer.
pub(super) const GROUPS: usize = 16 * HicannOnWafer::SIZE;

/// The group of a driver.
pub(super) fn group(driver: OnWafer<SynapseDriverOnHicann>) -> SlotGroup {
    let y = driver.local;
    let b = (y.index() % 16) / 2;
    let top = if y.vertical() == Vertical::Top { b } else { 7 - b };
    (16 * driver.hicann.index() + 8 * y.side().index() + top) as SlotGroup
}

/// Usable drivers of each group, 0..=14.
pub(super) fn sizes(defects: &Defects) -> Vec<u16> {
    let mut sizes = vec![0; GROUPS];
    for hicann in defects.usable_hicanns() {
        for driver in SynapseDriverOnHicann::all().map(|y| y.on(hicann)) {
            sizes[group(driver) as usize] += u16::from(driver_is_usable(defects, driver));
        }
    }
    sizes
}

/// The groups of which a line reaches a driver by a working switch: on its own chip and on the
/// chip that it faces.
pub(super) fn reached(
    vline: OnWafer<VLineOnHicann>,
    defects: &Defects,
) -> (Option<SlotGroup>, Option<(HicannOnWafer, SlotGroup)>) {
    let hicann = vline.hicann;
    let beyond = match vline.local.side() {
        Side::Left => hicann.west(),
        Side::Right => hicann.east(),
    };
    let (mut own, mut facing) = (None, None);
    for y in SynapseDriverOnHicann::all() {
        if own.is_some() && (facing.is_some() || beyond.is_none()) {
            break;
        }
        let Some(switch) = SynapseSwitchOnHicann::between(vline.local, y) else { continue };
        let Some(driver) = switch.row().driver(hicann) else { continue };
        let known = if driver.hicann == hicann { own.is_some() } else { facing.is_some() };
        if known || !defects.is_usable(switch.on(hicann)) || !driver_is_usable(defects, driver) {
            continue;
        }
        if driver.hicann == hicann {
            own = Some(group(driver));
        } else {
            facing = Some((driver.hicann, group(driver)));
        }
    }
    (own, facing)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_line_reaches_one_group_on_either_chip() {
        let hicann = HicannOnWafer::new::<200>();
        for vline in VLineOnHicann::all() {
            let drivers = vline.synapse_switches().filter_map(|s| s.row().driver(hicann));
            let groups: BTreeSet<_> = drivers.map(|d| (d.hicann, group(d))).collect();
            let (own, facing) = reached(vline.on(hicann), &Defects::default());
            let expected = BTreeSet::from([(hicann, own.unwrap()), facing.unwrap()]);
            assert_eq!(groups, expected);
        }
    }

    #[test]
    fn groups_have_fourteen_drivers_and_fewer_with_defects() {
        assert!(sizes(&Defects::default()).iter().all(|&n| n == 14));
        let mut defects = Defects::default();
        let (hicann, dead) = (HicannOnWafer::new::<93>(), SynapseDriverOnHicann::new::<99>());
        defects.insert(dead.on(hicann));
        let sizes = sizes(&defects);
        assert_eq!(sizes[group(dead.on(hicann)) as usize], 13);
        assert_eq!(sizes.iter().map(|&n| usize::from(n)).sum::<usize>(), 384 * 224 - 1);
    }
}

//! Limits of closed switches (topology §4.6).

use super::{ConfigFault, SwitchLimits};
use crate::config::{HicannConfig, SynapseSwitches, WaferConfig};
use crate::coord::{
    Coordinate, CrossbarSwitchOnHicann, HLineOnHicann, HicannOnWafer, Side, SynapseSwitchOnHicann,
    SynapseSwitchRowOnHicann, Table, VLineOnHicann,
};

/// Closed switches by what they are counted for.
fn count<C: Coordinate>(places: impl Iterator<Item = C>) -> Table<C, usize> {
    let mut counts = Table::filled(0);
    places.for_each(|place| counts[place] += 1);
    counts
}

/// Places with more closed switches than allowed.
fn above<C: Coordinate>(
    counts: &Table<C, usize>,
    limit: usize,
) -> impl Iterator<Item = (C, usize)> {
    counts.iter().filter(move |(_, n)| **n > limit).map(|(place, n)| (place, *n))
}

pub(super) fn check_chip(
    hicann: HicannOnWafer,
    config: &HicannConfig,
    limits: &SwitchLimits,
    faults: &mut Vec<ConfigFault>,
) {
    let crossbar = || config.crossbar.closed();
    let per_hline: Table<HLineOnHicann, _> = count(crossbar().map(CrossbarSwitchOnHicann::hline));
    let limit = limits.crossbar_per_hline;
    faults.extend(above(&per_hline, limit).map(|(line, closed)| ConfigFault::CrossbarPerHline {
        line: line.on(hicann),
        closed,
        limit,
    }));
    let per_vline: Table<VLineOnHicann, _> = count(crossbar().map(CrossbarSwitchOnHicann::vline));
    let limit = limits.crossbar_per_vline;
    faults.extend(above(&per_vline, limit).map(|(line, closed)| ConfigFault::CrossbarPerVline {
        line: line.on(hicann),
        closed,
        limit,
    }));
    let synapse = || config.synapse_switches.closed();
    let limit = limits.synapse_per_row;
    faults
        .extend(above(&count(synapse().map(SynapseSwitchOnHicann::row)), limit).map(
            |(row, closed)| ConfigFault::SynapsePerRow { row: row.on(hicann), closed, limit },
        ));
    let limit = limits.synapse_per_vline;
    faults.extend(above(&count(synapse().map(SynapseSwitchOnHicann::vline)), limit).map(
        |(line, closed)| ConfigFault::SynapsePerVline { line: line.on(hicann), closed, limit },
    ));
}

/// At most one of the 32 switches of two facing rows may be closed. Several in one row are the
/// business of the limit per row.
pub(super) fn check_borders(config: &WaferConfig, faults: &mut Vec<ConfigFault>) {
    let used = |switches: &SynapseSwitches| -> Table<SynapseSwitchRowOnHicann, usize> {
        count(switches.closed().map(SynapseSwitchOnHicann::row))
    };
    for (&west, chip) in &config.hicanns {
        let Some(neighbour) = west.east().and_then(|e| config.hicanns.get(&e)) else { continue };
        let (own, facing) = (used(&chip.synapse_switches), used(&neighbour.synapse_switches));
        let right_rows = SynapseSwitchRowOnHicann::all().filter(|r| r.side() == Side::Right);
        for row in right_rows.filter(|r| own[*r] > 0) {
            if let Some(east) = row.facing(west).filter(|f| facing[f.local] > 0) {
                faults.push(ConfigFault::FacingRows { west: row.on(west), east });
            }
        }
    }
}

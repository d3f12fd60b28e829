//! Synapse switches and chains of drivers (V20 to V24).

use calib::DriverPlasticity;
use hal::config::HicannConfig;
use hal::coord::{
    Coordinate, HicannOnWafer, SynapseArrayOnHicann, SynapseDriverOnHicann, SynapseSwitchOnHicann,
    SynapseSwitchRowOnHicann, Table, VLineOnHicann,
};
use hal::l1::L1Line;

use super::{Case, Faults, Rule, per_chip};
use crate::mapping::DriverChain;

/// What the chains of the claim need of one chip.
#[derive(Default, Clone)]
struct Wanted {
    switches: Vec<SynapseSwitchOnHicann>,
    drivers: Table<SynapseDriverOnHicann, Option<Role>>,
}

/// What a driver of a chain does.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Role {
    /// Takes events from its switch row.
    primary: bool,
    /// Passes them on to the next driver away from the centre.
    outward: bool,
    plasticity: Option<DriverPlasticity>,
}

pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    let mut wanted: Table<HicannOnWafer, Wanted> = Table::default();
    for chain in &case.mapping.chains {
        check_chain(case, chain, &mut wanted, faults);
    }
    per_chip(case, faults, |hicann, chip, faults| {
        check_limits(case, hicann, chip, faults);
        check_switches(hicann, chip, &wanted[hicann].switches, faults);
        check_drivers(hicann, chip, &wanted[hicann].drivers, faults);
    });
}

fn check_chain(
    case: &Case<'_>,
    chain: &DriverChain,
    wanted: &mut Table<HicannOnWafer, Wanted>,
    faults: &mut Faults,
) {
    let DriverChain { hicann, bus, vline, primary, members, plasticity } = chain;
    let here = format!("chain of {bus} at {hicann}.{primary}");
    faults.demand(Rule::V19, case.config.hicanns.contains_key(hicann), || {
        format!("{here}: the chip has no words")
    });

    let line = L1Line::V(vline.local).on(vline.hicann);
    let route = case.mapping.routes.iter().find(|r| r.bus == *bus);
    let routed = route.is_some_and(|r| r.lines.iter().any(|l| l.line == line));
    faults.demand(Rule::V21, routed, || format!("{here}: {line} is not on the route of the bus"));
    let switch = SynapseSwitchOnHicann::between(vline.local, *primary);
    let ends_here = switch.and_then(|s| s.row().driver(vline.hicann)) == Some(primary.on(*hicann));
    faults.demand(Rule::V21, ends_here, || format!("{here}: no switch leads from {line} there"));
    if let Some(switch) = switch {
        wanted[vline.hicann].switches.push(switch);
    }

    let limit = case.rules.chain_length;
    faults.demand(Rule::V22, members.len() <= limit, || {
        format!("{here} has {} drivers, more than {limit}", members.len())
    });
    faults.demand(Rule::V22, members.contains(primary), || {
        format!("{here}: the primary is not a member")
    });
    for pair in members.windows(2) {
        let next_to =
            pair[0].quadrant() == pair[1].quadrant() && pair[0].index() + 2 == pair[1].index();
        faults.demand(Rule::V22, next_to, || {
            format!("{here}: {} and {} are not neighbours of one quadrant", pair[0], pair[1])
        });
    }
    faults.demand(Rule::V24, plasticity.len() == members.len(), || {
        format!("{here} has {} drivers, plasticity of {}", members.len(), plasticity.len())
    });
    for (i, &driver) in members.iter().enumerate() {
        let role = Role {
            plasticity: plasticity.get(i).copied().flatten(),
            primary: driver == *primary,
            outward: driver.outward().is_some_and(|next| members.contains(&next)),
        };
        if wanted[*hicann].drivers[driver].replace(role).is_some() {
            faults.add(Rule::V22, format!("{hicann}.{driver} is in two chains"));
        }
    }
}

/// At most one closed switch per vertical line, per row, and per wire of a driver, which joins a
/// row of its own chip and one of the chip beyond its side (topology §4.6).
fn check_limits(case: &Case<'_>, hicann: HicannOnWafer, chip: &HicannConfig, faults: &mut Faults) {
    let limit = case.rules.max_synapse_switches;
    let mut per_vline: Table<VLineOnHicann, usize> = Table::default();
    let mut per_row: Table<SynapseSwitchRowOnHicann, usize> = Table::default();
    for switch in chip.synapse_switches.closed() {
        per_vline[switch.vline()] += 1;
        per_row[switch.row()] += 1;
    }
    for (vline, &closed) in per_vline.iter() {
        faults.demand(Rule::V20, closed <= limit, || {
            format!("{hicann}.{vline} has {closed} closed synapse switches, more than {limit}")
        });
    }
    for (row, &closed) in per_row.iter() {
        faults.demand(Rule::V20, closed <= limit, || {
            format!("{hicann}.{row} has {closed} closed synapse switches, more than {limit}")
        });
        if closed == 0 {
            continue;
        }
        let Some(facing) = row.facing(hicann) else { continue };
        let also = case.chips[facing.hicann].synapse_switches.closed();
        let shared = also.into_iter().any(|switch| switch.row() == facing.local);
        faults.demand(Rule::V20, !shared, || {
            format!("{hicann}.{row} and {facing} both have a closed switch on one driver's wire")
        });
        faults.demand(Rule::V20, row.driver(hicann).is_some(), || {
            format!("{hicann}.{row} has a closed switch but ends at the rim of the wafer")
        });
    }
}

fn check_switches(
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    wanted: &[SynapseSwitchOnHicann],
    faults: &mut Faults,
) {
    for switch in chip.synapse_switches.closed() {
        faults.demand(Rule::V21, wanted.contains(&switch), || {
            let (line, row) = (switch.vline(), switch.row());
            format!("{hicann}: the switch of {line} and {row} is closed, unclaimed")
        });
    }
    for &switch in wanted {
        faults.demand(Rule::V21, chip.synapse_switches.is_closed(switch), || {
            let (line, row) = (switch.vline(), switch.row());
            format!("{hicann}: the switch of {line} and {row} is open")
        });
    }
}

fn check_drivers(
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    wanted: &Table<SynapseDriverOnHicann, Option<Role>>,
    faults: &mut Faults,
) {
    for (driver, &role) in wanted.iter() {
        let found = &chip.synapses.drivers[driver];
        let bits = [found.enable, found.locin, found.connect_neighbor];
        let want = match role {
            Some(role) => [true, role.primary, role.outward],
            None => [false; 3],
        };
        faults.demand(Rule::V23, bits == want, || {
            format!(
                "{hicann}.{driver}: enable, locin, connect are {bits:?} instead of {want:?}, as {}",
                if role.is_some() { "its chain needs" } else { "it is in no chain" },
            )
        });
        let plasticity = role.and_then(|role| role.plasticity);
        let want = plasticity.unwrap_or_default();
        let good = found.stp_enable == plasticity.is_some()
            && (found.stp_mode, found.stp_capacitor) == (want.mode, want.capacitor);
        faults.demand(Rule::V24, good, || {
            let (enable, mode, capacitor) = (found.stp_enable, found.stp_mode, found.stp_capacitor);
            format!(
                "{hicann}.{driver}: plasticity is on: {enable}, {mode:?}, {capacitor}; claimed \
                 {plasticity:?}"
            )
        });
        let array = SynapseArrayOnHicann::in_half(driver.vertical());
        let released = chip.synapse_controllers[array].dll_released[driver.side().index()];
        faults.demand(Rule::V23, role.is_none() || released, || {
            format!("{hicann}.{driver} is in use but its delay-locked loop is held in reset")
        });
    }
}

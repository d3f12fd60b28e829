//! Addresses on the buses, and the rates of the inputs (V11, V13).

use hal::coord::{Coordinate, FpgaOnWafer, HicannOnWafer, Table};

use super::{Case, Faults, Rule};
use crate::mapping::BusAddress;
use crate::network::PopulationKind;

/// Events per second through the link from an FPGA to one chip (topology §8.2).
const HICANN_INPUT_HZ: f64 = 17.8e6;
/// Events per second from one FPGA to all its chips (topology §8.2).
const FPGA_INPUT_HZ: f64 = 125e6;

pub(super) fn check(case: &Case<'_>, faults: &mut Faults) {
    check_unique(case, faults);
    check_rates(case, faults);
}

/// 59 usable addresses per bus (topology §6) follow from both conditions.
fn check_unique(case: &Case<'_>, faults: &mut Faults) {
    let addresses = case.mapping.placement.addresses.iter().enumerate();
    let mut taken: Vec<(BusAddress, usize)> =
        addresses.filter_map(|(member, address)| Some(((*address)?, member))).collect();
    taken.sort_unstable();
    for &(BusAddress { bus, address }, member) in &taken {
        faults.demand(Rule::V11, address.is_usable(), || {
            format!("{} has {address} on {bus}, which is reserved", case.name(member))
        });
    }
    for pair in taken.windows(2) {
        faults.demand(Rule::V11, pair[0].0 != pair[1].0, || {
            let BusAddress { bus, address } = pair[0].0;
            let (one, two) = (case.name(pair[0].1), case.name(pair[1].1));
            format!("{one} and {two} share {address} on {bus}")
        });
    }
}

fn check_rates(case: &Case<'_>, faults: &mut Faults) {
    let mut by_chip: Table<HicannOnWafer, f64> = Table::default();
    let mut by_fpga: Table<FpgaOnWafer, f64> = Table::default();
    for ((_, population), first) in case.network.populations().zip(&case.offsets) {
        let PopulationKind::Sources(rates) = &population.kind else { continue };
        for i in 0..population.size {
            let Some(address) = case.mapping.placement.addresses[first + i] else { continue };
            let hardware_hz = rates.get(i) * case.mapping.scaling.speedup;
            by_chip[address.bus.hicann] += hardware_hz;
            by_fpga[address.bus.hicann.fpga()] += hardware_hz;
        }
    }
    let share = case.rules.bandwidth_utilisation;
    for (hicann, &rate) in by_chip.iter() {
        check_rate(hicann, rate, share * HICANN_INPUT_HZ, faults);
    }
    for (fpga, &rate) in by_fpga.iter() {
        check_rate(fpga, rate, share * FPGA_INPUT_HZ, faults);
    }
}

fn check_rate(place: impl Coordinate, rate: f64, limit: f64, faults: &mut Faults) {
    // sums of many rates: leave room for rounding
    faults.demand(Rule::V13, rate <= limit * (1.0 + 1e-9), || {
        format!("{place} gets {rate:.4e} input events per second, but may get {limit:.4e}")
    });
}

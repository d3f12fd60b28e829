//! From lines to drivers, rows and synapses: which address reaches which circuit (topology §4.4,
//! §6, §7.3 to §7.5).

use hal::config::{HicannConfig, WaferConfig};
use hal::coord::{
    Coordinate, DncMergerOnHicann, HicannOnWafer, L1Address, NeuronOnHicann, OnWafer, Parity,
    RowOnSynapseDriver, SynapseArrayOnHicann, SynapseColumnOnHicann, SynapseDriverOnHicann,
    SynapseOnHicann, SynapticInputOnNeuron, Table,
};
use hal::l1::L1Line;
use hal::value::SynapseWeight;
use rayon::prelude::*;

use super::flood::{Carried, flood};
use super::{Chips, mergers};
use crate::mapping::{Bus, BusAddress};

/// A synapse that events of an address drive, found in the bits. A row with both inputs makes two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionalSynapse {
    /// The address that drives it.
    pub source: BusAddress,
    /// The hardware synapse.
    pub synapse: OnWafer<SynapseOnHicann>,
    /// The circuit it acts on.
    pub target: OnWafer<NeuronOnHicann>,
    /// The synaptic input it acts on.
    pub input: SynapticInputOnNeuron,
    /// Its weight, 1..=15.
    pub weight: SynapseWeight,
}

/// All synapses with a weight above 0 that an event can reach, sorted. The address comes from a
/// neuron that sends, a generator that runs, or an open link, which can bring any address.
pub fn functional_connectivity(config: &WaferConfig) -> Vec<FunctionalSynapse> {
    let reset = HicannConfig::default();
    let chips = Table::from_fn(|h: HicannOnWafer| config.hicanns.get(&h).unwrap_or(&reset));
    let carried = flood(&chips);
    let sent = Sent::of(&chips, |_| u64::MAX);
    let heard = heard(&chips, &carried);
    let hicanns: Vec<_> = config.hicanns.keys().copied().collect();
    let mut found: Vec<FunctionalSynapse> = hicanns
        .into_par_iter()
        .flat_map_iter(|hicann| {
            let mut found = Vec::new();
            scan(hicann, chips[hicann], &heard[hicann], &sent, |synapse| {
                if synapse.weight > SynapseWeight::default() {
                    found.push(synapse);
                }
            });
            found
        })
        .collect();
    found.par_sort_unstable();
    found
}

/// The addresses that can appear on each bus, one bit each.
pub(super) struct Sent(Table<OnWafer<DncMergerOnHicann>, u64>);

impl Sent {
    /// From neurons and generators that are on, and the given addresses where a link is open.
    pub(super) fn of(chips: &Chips<'_>, link: impl Fn(Bus) -> u64) -> Self {
        let mut sent = Table::default();
        for (hicann, chip) in chips.iter() {
            for (merger, &streams) in mergers::streams(chip).iter() {
                let link = link(Bus { hicann, merger });
                sent[merger.on(hicann)] = mergers::sent_addresses(chip, streams, link);
            }
        }
        Self(sent)
    }

    fn on(&self, bus: Bus) -> u64 {
        self.0[bus.merger.on(bus.hicann)]
    }
}

/// The drivers of a chip that hear a bus, sorted, without repetitions.
pub(super) type Heard = Vec<(SynapseDriverOnHicann, Bus)>;

/// Follows closed synapse switches and chains of drivers.
pub(super) fn heard(chips: &Chips<'_>, carried: &Carried) -> Table<HicannOnWafer, Heard> {
    let mut at_wires: Table<HicannOnWafer, Heard> = Table::default();
    for (hicann, chip) in chips.iter() {
        for switch in chip.synapse_switches.closed() {
            let Some(driver) = switch.row().driver(hicann) else { continue };
            for arrival in carried.on(L1Line::V(switch.vline()).on(hicann)) {
                at_wires[driver.hicann].push((driver.local, arrival.bus));
            }
        }
    }
    let mut heard: Table<HicannOnWafer, Heard> = Table::default();
    for (hicann, primaries) in at_wires.iter() {
        let chip = chips[hicann];
        for &(primary, bus) in primaries {
            if listens(chip, primary) {
                heard[hicann].extend(chain(chip, primary).into_iter().map(|driver| (driver, bus)));
            }
        }
        heard[hicann].sort_unstable();
        heard[hicann].dedup();
    }
    heard
}

/// Whether a driver takes events from its wire: input on, and its loop released so that it locks.
fn listens(chip: &HicannConfig, driver: SynapseDriverOnHicann) -> bool {
    let array = SynapseArrayOnHicann::in_half(driver.vertical());
    chip.synapses.drivers[driver].locin
        && chip.synapse_controllers[array].dll_released[driver.side().index()]
}

/// The enabled drivers that get the events of a listening one: the connect bit of each joins it to
/// the next one away from the centre, and events spread both ways.
fn chain(chip: &HicannConfig, primary: SynapseDriverOnHicann) -> Vec<SynapseDriverOnHicann> {
    let connects = |driver| chip.synapses.drivers[driver].connect_neighbor;
    let mut members = vec![primary];
    let mut here = primary;
    while let Some(next) = here.outward().filter(|_| connects(here)) {
        members.push(next);
        here = next;
    }
    here = primary;
    while let Some(next) = here.inward().filter(|&next| connects(next)) {
        members.push(next);
        here = next;
    }
    members.retain(|&driver| chip.synapses.drivers[driver].enable);
    members
}

/// Visits every synapse of a chip that an address on a heard bus drives, weight 0 included.
pub(super) fn scan(
    hicann: HicannOnWafer,
    chip: &HicannConfig,
    heard: &Heard,
    sent: &Sent,
    mut visit: impl FnMut(FunctionalSynapse),
) {
    for &(driver, bus) in heard {
        let sent = sent.on(bus);
        for on_driver in RowOnSynapseDriver::all() {
            let row = driver.row(on_driver);
            let settings = chip.synapses.row(row);
            if settings.synaptic_input == [false; 2] {
                continue;
            }
            // addresses of the half rows: sixteen bits of the bus's sixty-four
            let passing = Parity::ALL.map(|p| sent >> (16 * settings.decoder[p.index()].index()));
            for column in SynapseColumnOnHicann::all() {
                let synapse = row.synapse(column);
                let decoder = chip.synapses.decoders[synapse];
                if passing[column.parity().index()] >> decoder.index() & 1 == 0 {
                    continue;
                }
                let upper = settings.decoder[column.parity().index()];
                let address = L1Address::from_decoders(upper, decoder);
                for input in SynapticInputOnNeuron::all() {
                    if settings.synaptic_input[input.index()] {
                        visit(FunctionalSynapse {
                            source: BusAddress { bus, address },
                            synapse: synapse.on(hicann),
                            target: synapse.neuron().on(hicann),
                            input,
                            weight: chip.synapses.weights[synapse],
                        });
                    }
                }
            }
        }
    }
}

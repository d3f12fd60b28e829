//! Which synapses listen: drivers, rows, decoders (topology §6, §7.3, §7.4).

use hal::config::{AutomaticUpdate, HicannConfig, WaferConfig};
use hal::coord::{
    Coordinate, L1Address, OnWafer, Parity, RowOnSynapseDriver, SynapseColumnOnHicann,
    SynapseDriverOnHicann, SynapseRowOnHicann, SynapticInputOnNeuron,
};
use hal::law;
use hal::value::SynapseWeight;

use super::wires::Reached;
use super::{Bus, FunctionalSynapse};
use crate::flaws::Flaws;

/// Appends the synapses behind the reached drivers that answer to an address of the bus.
pub(super) fn listening(
    config: &WaferConfig,
    bus: &Bus,
    reached: &[Reached],
    flaws: &Flaws<'_>,
    weight_zero: bool,
    found: &mut Vec<FunctionalSynapse>,
) {
    let Some(sender) = config.hicanns.get(&bus.hicann) else { return };
    let addresses = bus.addresses(sender);
    for &Reached { driver: place, hicanns } in reached {
        let Some(chip) = config.hicanns.get(&place.hicann) else { continue };
        if !delivers(chip, place) {
            continue;
        }
        let defects = flaws.record(place.hicann);
        let dead = |synapse| defects.is_some_and(|d| d.synapses.contains(synapse));
        let delay = law::route_delay(hicanns);
        let settings = &chip.synapses.drivers[place.local];
        for row in RowOnSynapseDriver::all() {
            let row_config = settings.row(row);
            // the addresses of this row's decoder, by the parity of the column
            let wanted = Parity::ALL.map(|parity| {
                let decoder = row_config.decoder[parity.index()];
                (decoder, addresses >> (16 * decoder.index()) & 0xffff)
            });
            let inputs =
                SynapticInputOnNeuron::all().filter(|i| row_config.synaptic_input[i.index()]);
            if inputs.clone().next().is_none() || wanted.iter().all(|(_, mask)| *mask == 0) {
                continue;
            }
            let updated = is_updated(chip, place.local.row(row));
            for column in SynapseColumnOnHicann::all() {
                let synapse = place.local.row(row).synapse(column);
                let weight = chip.synapses.weights[synapse];
                let low = chip.synapses.decoders[synapse];
                let (high, mask) = wanted[column.parity().index()];
                let conducts = weight_zero || updated || weight != SynapseWeight::default();
                if !conducts || mask >> low.index() & 1 == 0 || dead(synapse) {
                    continue;
                }
                found.extend(inputs.clone().map(|input| FunctionalSynapse {
                    source: bus.at(L1Address::from_decoders(high, low)),
                    synapse: synapse.on(place.hicann),
                    target: synapse.neuron().on(place.hicann),
                    input,
                    weight,
                    delay,
                }));
            }
        }
    }
}

/// Whether the controller goes through a row by itself: then weights of 0 may grow.
fn is_updated(chip: &HicannConfig, row: SynapseRowOnHicann) -> bool {
    let update = chip.synapse_controllers[row.array()].plasticity.automatic;
    update.is_some_and(|AutomaticUpdate { first_row, last_row, .. }| {
        let rows = first_row.min(last_row)..=first_row.max(last_row);
        rows.contains(&row.on_array())
    })
}

/// A driver passes events to its rows if it is enabled and its delay-locked loop may lock
/// (hal-config §1.6).
fn delivers(chip: &HicannConfig, place: OnWafer<SynapseDriverOnHicann>) -> bool {
    let driver = place.local;
    let array = driver.row(RowOnSynapseDriver::new::<0>()).array();
    chip.synapses.drivers[driver].enable
        && chip.synapse_controllers[array].dll_released[driver.side().index()]
}

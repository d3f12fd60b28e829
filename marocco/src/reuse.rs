//! New weights and parameters on an old placement.
//!
//! Placement, routes and drivers depend on who is connected to whom, not on weights, cell
//! parameters or inputs. A network that differs in these only keeps them, and with them the time
//! that their search took. Chips keep their capacitor and leak, too.

use std::collections::BTreeMap;

use calib::WaferCalibration;
use hal::codec::DecodeError;
use hal::config::{SharedParameter, WaferConfig};
use hal::coord::{Coordinate as _, FgBlockOnHicann, HicannOnWafer};
use hal::defects::Defects;
use hal::l1::L1Line;

use crate::demand::chip_demand;
use crate::drivers::{Assigned, choose_gates};
use crate::fabric::Split;
use crate::inputs::{InputTable, ReceptorSet};
use crate::kinds::Kinds;
use crate::map::{Clock, Mapped, Wired, priorities, realise};
use crate::mapping::{Bus, Mapping, StageTimes};
use crate::network::Network;
use crate::options::{MapError, MapOptions};
use crate::packing::PackedChip;
use crate::plan::{BusKind, BusPlan, ChipPlan, Plan, Seat, Spot};
use crate::saved::SavedMapping;
use crate::sites::Reach;

impl SavedMapping {
    /// The mapping together with the configuration that its words stand for.
    pub fn mapped(&self) -> Result<Mapped, DecodeError> {
        let config = hal::codec::decode_wafer(&self.words)?;
        Ok(Mapped { mapping: self.mapping.clone(), config })
    }
}

/// Maps a network with the placement, routes and drivers of an earlier mapping of the same
/// populations: only synapses, weights and cell parameters are worked out anew.
///
/// # Errors
/// [`MapError::OtherNetwork`] if the populations have other sizes than those that were mapped, and
/// parameters far outside of what the circuits reach. Synapses between members that were not
/// connected before may find no driver; they are lost and counted.
pub fn remap(
    network: &Network,
    before: &Mapped,
    options: &MapOptions,
    defects: &Defects,
    calibration: &WaferCalibration,
) -> Result<Mapped, MapError> {
    let mapping = &before.mapping;
    let (members, mapped) = (network.n_members(), mapping.placement.neurons.len());
    let same_kinds = network.populations().zip(network.member_offsets()).all(|((_, p), first)| {
        (first..first + p.size)
            .all(|m| mapping.placement.neurons.get(m).is_some_and(|n| n.is_none() == p.is_source()))
    });
    if members != mapped || !same_kinds {
        return Err(MapError::OtherNetwork { members, mapped });
    }
    let mut times = StageTimes::default();
    let mut clock = Clock::start();
    let mut inputs = InputTable::new(network, Kinds::new(network, &options.scaling)?);
    inputs.set_priorities(&priorities(network, options));
    let plan = plan(mapping);
    let packed = packed(mapping, &plan, &inputs, options);
    times.synapses = clock.lap();
    let mut config = before.config.clone();
    forget_synapses(&mut config);
    let (placement, routes) = (mapping.placement.clone(), mapping.routes.clone());
    let wired = Wired { plan, placement, routes, packed, times };
    realise(network, &inputs, wired, config, options, defects, calibration)
}

/// Switches all synapses off.
fn forget_synapses(config: &mut WaferConfig) {
    let reset = hal::config::HicannConfig::default();
    for chip in config.hicanns.values_mut() {
        chip.synapses.weights.clone_from(&reset.synapses.weights);
        chip.synapses.decoders.clone_from(&reset.synapses.decoders);
        for block in FgBlockOnHicann::all() {
            use SharedParameter::{VDtc, VFac, VM, VStdf, VThigh};
            for parameter in [VStdf, VDtc, VFac, VThigh, VM] {
                let code = reset.floating_gates.shared(block, parameter).unwrap_or_default();
                chip.floating_gates.set_shared(block, parameter, code);
            }
        }
        for controller in chip.synapse_controllers.values_mut() {
            controller.plasticity = hal::config::Plasticity::default();
        }
        for row in hal::coord::SynapseRowOnHicann::all() {
            *chip.synapses.row_mut(row) = *reset.synapses.row(row);
        }
    }
}

/// The plan that a placement is the result of.
fn plan(mapping: &Mapping) -> Plan {
    let placement = &mapping.placement;
    let mut chips: BTreeMap<HicannOnWafer, Vec<u32>> = BTreeMap::new();
    for (member, neuron) in placement.neurons.iter().enumerate() {
        if let Some(neuron) = neuron {
            chips.entry(neuron.hicann).or_default().push(member as u32);
        }
    }
    let number: BTreeMap<HicannOnWafer, u32> = chips.keys().copied().zip(0..).collect();
    let buses: Vec<Bus> = mapping.routes.iter().map(|r| r.bus).collect();
    let spot = |n: &Option<crate::mapping::LogicalNeuron>| {
        n.map(|n| Spot { chip: number[&n.hicann], run: 0, width: n.width })
    };
    let seat = |a: &Option<crate::mapping::BusAddress>| {
        let a = (*a)?;
        let bus = buses.binary_search(&a.bus).ok()? as u32;
        Some(Seat { bus, group: a.address.driver_decoder().index() as u8 })
    };
    let plan_of = |&bus: &Bus| BusPlan {
        bus,
        chip: number.get(&bus.hicann).copied().unwrap_or_default(),
        number: 0,
        kind: BusKind::Neurons,
        receptors: ReceptorSet::default(),
        pool: 0,
    };
    Plan {
        split: Split::One,
        reach: Reach::Local,
        buses: buses.iter().map(plan_of).collect(),
        seats: placement.addresses.iter().map(seat).collect(),
        spots: placement.neurons.iter().map(spot).collect(),
        widths: Vec::new(),
        rates_hz: Vec::new(),
        chips: chips
            .into_iter()
            .map(|(hicann, members)| ChipPlan {
                hicann,
                split: Split::One,
                runs: Vec::new(),
                drivers: 0,
                mode: mapping.mode(hicann),
                members,
            })
            .collect(),
    }
}

/// The drivers that the chains of a mapping give to the buses of each chip.
fn packed(
    mapping: &Mapping,
    plan: &Plan,
    inputs: &InputTable,
    options: &MapOptions,
) -> Vec<PackedChip> {
    let routes: BTreeMap<Bus, usize> =
        mapping.routes.iter().enumerate().map(|(i, r)| (r.bus, i)).collect();
    let chip = |chip: usize| {
        let hicann = plan.chips[chip].hicann;
        let demands = chip_demand(plan, inputs, chip, options.chain_length);
        let first = mapping.chains.partition_point(|c| c.hicann < hicann);
        let chains = mapping.chains[first..].iter().take_while(|c| c.hicann == hicann);
        let mut taps = Vec::with_capacity(demands.len());
        for demand in &demands {
            let lines = &mapping.routes[routes[&plan.buses[demand.bus as usize].bus]].lines;
            taps.push(lines.iter().find_map(|l| match l.line.local {
                L1Line::V(vline) if l.line.hicann == hicann => Some(vline.on(hicann)),
                _ => None,
            }));
        }
        let mut assigned = Vec::new();
        for chain in chains {
            let of_bus = |d: &crate::demand::BusDemand| plan.buses[d.bus as usize].bus == chain.bus;
            if let Some(demand) = demands.iter().position(of_bus) {
                taps[demand] = Some(chain.vline);
                let (primary, members) = (chain.primary, chain.members.clone());
                assigned.push(Assigned { demand, primary, members });
            }
        }
        let gates = choose_gates(hicann, &demands, &taps, inputs.kinds());
        PackedChip { chip, hicann, demands, taps, gates, assigned }
    };
    (0..plan.chips.len()).map(chip).collect()
}

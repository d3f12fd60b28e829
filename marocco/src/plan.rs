//! Which members share a bus: the plan that is evaluated before anything has a place.
//!
//! A chip sends one bus. Neurons of one chip therefore form a bus, and external inputs form buses
//! of their own. The position of a member on its bus fixes its address and with it its decoder
//! group.

use hal::coord::{Coordinate, L1Address};

use crate::inputs::{InputTable, sources_with_rates};
use crate::network::{Network, PopulationId};
use crate::options::{ADDRESSES_PER_BUS, HICANN_INPUT_HZ, MapError, MapOptions, NeuronSize};

/// What a bus carries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum BusKind {
    /// Spikes of neurons of the chip.
    Neurons,
    /// Spikes from outside, with their summed rate in hardware Hz.
    Inputs {
        /// Events per hardware second.
        rate_hz: f64,
    },
}

/// One bus and its members in the order of their addresses.
#[derive(Debug, Clone)]
pub(crate) struct BusPlan {
    pub(crate) kind: BusKind,
    pub(crate) members: Vec<u32>,
}

/// The buses of a network.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) size: NeuronSize,
    pub(crate) buses: Vec<BusPlan>,
    /// Bus and position on it by member; none for sources that nobody listens to.
    pub(crate) seat: Vec<Option<Seat>>,
}

/// A position on a bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) bus: u32,
    pub(crate) position: u8,
}

/// The usable addresses in the order in which they are given out: highest decoder group first, so
/// that groups fill one after the other (mapping §1.7).
pub(crate) fn addresses() -> impl Iterator<Item = L1Address> + Clone {
    L1Address::all().rev().filter(|a| a.is_usable())
}

/// How densely buses are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Density {
    pub(crate) size: NeuronSize,
    /// Neurons per chip, at most what fits.
    pub(crate) neurons: usize,
    /// Inputs per chip, at most the addresses of a bus.
    pub(crate) inputs: usize,
}

impl Plan {
    /// Deals the members of a network to buses. Populations stay together: a chip holds neurons
    /// of one population only, and neighbours in a population are neighbours on the wafer.
    pub(crate) fn new(
        network: &Network,
        inputs: &InputTable,
        density: Density,
        options: &MapOptions,
    ) -> Result<Self, MapError> {
        let mut buses = Vec::new();
        let offsets = network.member_offsets();
        for (id, population) in network.populations() {
            if population.is_source() {
                continue;
            }
            let first = offsets[id.index()];
            let members: Vec<u32> = (first..first + population.size).map(|m| m as u32).collect();
            for members in deal_evenly(&members, density.neurons) {
                buses.push(BusPlan { kind: BusKind::Neurons, members });
            }
        }
        input_buses(network, inputs, density.inputs, options, &mut buses)?;
        let mut seat = vec![None; network.n_members()];
        for (bus, plan) in buses.iter().enumerate() {
            for (position, &member) in plan.members.iter().enumerate() {
                seat[member as usize] = Some(Seat { bus: bus as u32, position: position as u8 });
            }
        }
        Ok(Self { size: density.size, buses, seat })
    }

    /// The plan of a network without members.
    pub(crate) fn empty(network: &Network) -> Self {
        let [size, ..] = NeuronSize::AUTOMATIC;
        Self { size, buses: Vec::new(), seat: vec![None; network.n_members()] }
    }

    /// Number of chips with neurons.
    pub(crate) fn neuron_chips(&self) -> usize {
        self.buses.iter().filter(|b| b.kind == BusKind::Neurons).count()
    }
}

/// Splits a list into the fewest parts of at most `most`, of nearly equal length.
fn deal_evenly(members: &[u32], most: usize) -> Vec<Vec<u32>> {
    let parts = members.len().div_ceil(most);
    (0..parts)
        .map(|i| members[i * members.len() / parts..(i + 1) * members.len() / parts].to_vec())
        .collect()
}

/// Fills input buses in the order of the sources, as far as addresses and the link of a chip
/// reach (mapping §1.8).
fn input_buses(
    network: &Network,
    inputs: &InputTable,
    most: usize,
    options: &MapOptions,
    buses: &mut Vec<BusPlan>,
) -> Result<(), MapError> {
    let limit_hz = options.bandwidth_utilisation * HICANN_INPUT_HZ;
    let mut members: Vec<u32> = Vec::new();
    let mut bus_hz = 0.0;
    for (member, rate_hz) in sources_with_rates(network) {
        if !inputs.has_targets(member) {
            continue;
        }
        let hardware_hz = rate_hz * options.scaling.speedup;
        if hardware_hz > limit_hz {
            return Err(too_fast(network, member, rate_hz, hardware_hz, limit_hz));
        }
        if members.len() == most.min(ADDRESSES_PER_BUS) || bus_hz + hardware_hz > limit_hz {
            let kind = BusKind::Inputs { rate_hz: bus_hz };
            buses.push(BusPlan { kind, members: std::mem::take(&mut members) });
            bus_hz = 0.0;
        }
        members.push(member as u32);
        bus_hz += hardware_hz;
    }
    if !members.is_empty() {
        buses.push(BusPlan { kind: BusKind::Inputs { rate_hz: bus_hz }, members });
    }
    Ok(())
}

fn too_fast(
    network: &Network,
    member: usize,
    rate_hz: f64,
    hardware_hz: f64,
    limit_hz: f64,
) -> MapError {
    let (id, member) = locate(network, member);
    let population = network.population(id).label.clone();
    MapError::SourceTooFast { population, member, rate_hz, hardware_hz, limit_hz }
}

/// The population of a member and its position there.
pub(crate) fn locate(network: &Network, member: usize) -> (PopulationId, usize) {
    let offsets = network.member_offsets();
    let index = offsets.partition_point(|&o| o <= member) - 1;
    let (id, _) = network.populations().nth(index).expect("members belong to populations");
    (id, member - offsets[index])
}

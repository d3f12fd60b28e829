//! The flow: placement, merger trees, inputs, L1 routing, drivers, synapses, parameters, weights.

use std::collections::BTreeMap;
use std::time::Instant;

use calib::WaferCalibration;
use hal::config::WaferConfig;
use hal::coord::{HicannOnWafer, SynapseDriverOnHicann, VLineOnHicann};
use hal::defects::Defects;
use rayon::prelude::*;

use crate::demand::{BusDemand, MAX_CHAIN, chip_demand};
use crate::drivers::{self, Assigned};
use crate::inputs::InputTable;
use crate::mapping::{
    Bus, DriverChain, LossCause, Mapping, Placement, Route, StageTimes, SynapseFate,
};
use crate::network::Network;
use crate::options::{MapError, MapOptions};
use crate::placement::{MERGER, place};
use crate::plan::{BusKind, Plan};
use crate::realise::{Conductances, WeightedChip};
use crate::routing::{self, BusEnds, Limits, Targets};
use crate::synapses::{self, ChipSynapses};
use crate::{bound, configure, density, parameters, sites};

/// A stage of [`map`], for progress displays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Sizes, densities, circuits and addresses.
    Placement,
    /// L1 routes.
    Routing,
    /// Synapse drivers and synapses.
    Synapses,
    /// Floating gates and weights.
    Parameters,
}

/// A mapping and the configuration that realises it.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// The claim.
    pub mapping: Mapping,
    /// The chips.
    pub config: WaferConfig,
}

/// One chip with neurons, after driver and synapse assignment.
struct Chip {
    hicann: HicannOnWafer,
    demands: Vec<BusDemand>,
    assigned: Vec<Assigned>,
    synapses: ChipSynapses,
}

/// Places and routes a network onto a wafer without defects.
///
/// # Arguments
/// The network, options, the calibration of the wafer, and a callback that hears of each stage.
///
/// # Returns
/// The mapping with every lost synapse and its cause, and the configuration of the chips. Equal
/// arguments give equal results for any number of threads.
///
/// # Errors
/// Networks that this version cannot map: more buses than can be broadcast, inputs beyond the
/// links, parameters far outside of what the circuits reach.
///
/// # Complexity
/// Time linear in synapses times candidate sizes, plus the annealing of drivers: chips times buses.
pub fn map(
    network: &Network,
    options: &MapOptions,
    calibration: &WaferCalibration,
    progress: &mut dyn FnMut(Stage),
) -> Result<Mapped, MapError> {
    check(options)?;
    let mut times = StageTimes::default();
    let mut clock = Clock::start();

    progress(Stage::Placement);
    let inputs = InputTable::new(network);
    let plan = density::choose(network, &inputs, options)?;
    times.placement = clock.lap();
    let sites = sites::choose(&plan, options)?;
    times.input = clock.lap();
    let placement = place(&plan, &sites);
    times.placement += clock.lap();

    let mut config = WaferConfig::default();
    let mut kinds = BTreeMap::new();
    for (bus, &hicann) in plan.buses.iter().zip(&sites) {
        configure::merger_tree(config.hicann_mut(hicann), bus.kind);
        kinds.insert(hicann, bus.kind);
    }
    times.merger = clock.lap();

    progress(Stage::Routing);
    let demands = demands(&plan, &inputs, options);
    let buses: Vec<Bus> = sites.iter().map(|&hicann| Bus { hicann, merger: MERGER }).collect();
    let targets = targets(&plan, &sites, &demands);
    let (routes, ends): (Vec<Route>, Vec<BusEnds>) =
        routing::route(&buses, &targets, &Defects::default(), &Limits::default())
            .into_iter()
            .map(|r| (r.route, r.ends))
            .unzip();
    times.l1 = clock.lap();

    progress(Stage::Synapses);
    let chips = chips(&plan, &inputs, &sites, demands, &ends, options);
    times.synapses = clock.lap();

    progress(Stage::Parameters);
    let parameters = parameters::translate(network, &placement, options, calibration, &mut config)?;
    times.parameters = clock.lap();

    let mut mapping = Mapping {
        scaling: options.scaling,
        mode: options.mode,
        ideal_l1_loss_fraction: density::ideal_lost(
            &plan,
            &inputs,
            options,
            SynapseDriverOnHicann::SIZE,
        ) as f64
            / inputs.len().max(1) as f64,
        bound_loss_fraction: bound::column_bound(&inputs, &placement),
        chains: chains(&chips, &buses, &ends),
        synapses: unrealised(network),
        realised_weights_us: zeros(network),
        clipped_weights: vec![0; network.projections().count()],
        placement,
        parameters,
        routes,
        times,
    };
    write_wiring(&mapping, &mut config);
    let conductances = Conductances::new(network, plan.size, options);
    let weighted: Vec<WeightedChip> =
        chips.par_iter().map(|c| WeightedChip::new(&c.synapses, &conductances)).collect();
    for (chip, weighted) in chips.iter().zip(weighted) {
        weighted.write(chip.hicann, &chip.synapses, &conductances, &mut mapping, &mut config);
    }
    mapping.routes.sort_by_key(|r| r.bus);
    configure::finish(&mut config, options.mode, &kinds);
    mapping.times.parameters += clock.lap();
    Ok(Mapped { mapping, config })
}

fn check(options: &MapOptions) -> Result<(), MapError> {
    if !(1..=MAX_CHAIN).contains(&options.chain_length) {
        return Err(MapError::ChainLength(options.chain_length));
    }
    let utilisation = options.bandwidth_utilisation;
    if !(utilisation > 0.0 && utilisation <= 1.0) {
        return Err(MapError::BandwidthUtilisation(utilisation));
    }
    Ok(())
}

/// Demands of each bus's chip; chips of inputs have none.
fn demands(plan: &Plan, inputs: &InputTable, options: &MapOptions) -> Vec<Vec<BusDemand>> {
    (0..plan.buses.len())
        .into_par_iter()
        .map(|bus| match plan.buses[bus].kind {
            BusKind::Neurons => chip_demand(plan, inputs, bus, options.chain_length),
            BusKind::Inputs { .. } => Vec::new(),
        })
        .collect()
}

/// The chips that listen to each bus.
fn targets(plan: &Plan, sites: &[HicannOnWafer], demands: &[Vec<BusDemand>]) -> Vec<Targets> {
    let mut targets = vec![Vec::new(); plan.buses.len()];
    for (chip, demands) in demands.iter().enumerate() {
        for demand in demands {
            targets[demand.bus as usize].push((sites[chip], demand.wanted));
        }
    }
    targets
}

fn chips(
    plan: &Plan,
    inputs: &InputTable,
    sites: &[HicannOnWafer],
    demands: Vec<Vec<BusDemand>>,
    ends: &[BusEnds],
    options: &MapOptions,
) -> Vec<Chip> {
    let placement = place(plan, sites);
    demands
        .into_par_iter()
        .enumerate()
        .filter(|(bus, _)| plan.buses[*bus].kind == BusKind::Neurons)
        .map(|(bus, demands)| {
            let hicann = sites[bus];
            let vlines: Vec<VLineOnHicann> =
                demands.iter().map(|d| ends[d.bus as usize][&hicann].local).collect();
            let assigned =
                drivers::assign(hicann, &demands, &vlines, options.chain_length, options.seed);
            let columns = columns(plan, bus, &placement);
            let synapses = synapses::assign(plan, inputs, bus, &demands, &assigned, &columns);
            Chip { hicann, demands, assigned, synapses }
        })
        .collect()
}

fn columns(plan: &Plan, bus: usize, placement: &Placement) -> Vec<(u8, u8)> {
    let place = |&member: &u32| placement.neurons[member as usize].map(|n| (n.column, n.width));
    plan.buses[bus].members.iter().filter_map(place).collect()
}

fn chains(chips: &[Chip], buses: &[Bus], ends: &[BusEnds]) -> Vec<DriverChain> {
    let mut chains: Vec<DriverChain> = chips
        .iter()
        .flat_map(|chip| {
            chip.assigned.iter().map(|a| {
                let bus = chip.demands[a.demand].bus as usize;
                DriverChain {
                    hicann: chip.hicann,
                    bus: buses[bus],
                    vline: ends[bus][&chip.hicann],
                    primary: a.primary,
                    members: a.members.clone(),
                }
            })
        })
        .collect();
    chains.sort_by_key(|c| (c.hicann, c.primary));
    chains
}

fn unrealised(network: &Network) -> Vec<Vec<SynapseFate>> {
    let lost = SynapseFate::Lost(LossCause::NoDriver);
    network.projections().map(|(_, p)| vec![lost; p.synapses.len()]).collect()
}

fn zeros(network: &Network) -> Vec<Vec<f32>> {
    network.projections().map(|(_, p)| vec![0.0; p.synapses.len()]).collect()
}

/// Joined circuits, routes and driver chains.
fn write_wiring(mapping: &Mapping, config: &mut WaferConfig) {
    let placement = &mapping.placement;
    for (neuron, address) in placement.neurons.iter().zip(&placement.addresses) {
        if let (Some(neuron), Some(address)) = (neuron, address) {
            configure::join(config.hicann_mut(neuron.hicann), *neuron, *address);
        }
    }
    for route in &mapping.routes {
        configure::route(config, route);
    }
    for chain in &mapping.chains {
        configure::chain(config, chain);
    }
}

/// Wall time between stages.
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the last lap.
    fn lap(&mut self) -> f64 {
        let last = std::mem::replace(&mut self.0, Instant::now());
        (self.0 - last).as_secs_f64()
    }
}

//! The flow: placement, merger trees, inputs, L1 routing, drivers, synapses, parameters, weights.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use calib::WaferCalibration;
use hal::config::WaferConfig;
use hal::coord::{
    Coordinate as _, NeuronOnHicann, QuadrantOnHicann, RowOnSynapseDriver, Side,
    SynapseDriverOnHicann, SynapseRowOnArray, SynapseRowOnHicann, Vertical,
};
use hal::defects::Defects;
use rayon::prelude::*;

use crate::demand::{MAX_CHAIN, ideal_realised, widths};
use crate::fabric::Fabric;
use crate::inputs::{InputTable, sources_with_rates};
use crate::kinds::Kinds;
use crate::mapping::{
    Bus, DriverChain, LossCause, Mapping, Placement, Route, StageTimes, SynapseFate,
};
use crate::network::{Network, ProjectionId};
use crate::options::{
    Effort, MAX_PRIORITY, MAX_SYNAPSE_SWITCHES, MapError, MapOptions, Prioritised, Priority,
};
use crate::order::hidden_order;
use crate::packing::{PackedChip, Packing};
use crate::plan::{Dealer, Plan};
use crate::pools::{Sharing, pools};
use crate::realise::{Conductances, WeightedChip};
use crate::requests::grant;
use crate::routing::{self, Limits, RoutedBus, Targets};
use crate::search::{self, Model, Schedule};
use crate::synapses::{self, ChipSynapses};
use crate::{balance, bound, configure, parameters, structure};

/// Share of a chip's drivers that the local search counts on, in percent; the switches reach
/// nearly all of them (lossless-mapping, "What mattered" 5).
const MODEL_PERCENT: usize = 97;

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

impl Mapped {
    /// Lets another of its circuits fire for a neuron; false if the member has no such circuit.
    pub fn let_fire(&mut self, member: usize, circuit: NeuronOnHicann) -> bool {
        let placement = &mut self.mapping.placement;
        let Some(Some(neuron)) = placement.neurons.get(member) else { return false };
        if !neuron.circuits().any(|own| own == circuit) {
            return false;
        }
        if circuit == neuron.first_circuit() {
            placement.firing.remove(&member);
        } else {
            placement.firing.insert(member, circuit);
        }
        join(placement, member, &mut self.config);
        true
    }
}

/// Places and routes a network onto a wafer.
///
/// # Arguments
/// The network, options, the defects and the calibration of the wafer, and a callback that hears
/// of each stage.
///
/// # Returns
/// The mapping with every lost synapse and its cause, and the configuration of the chips. Equal
/// arguments give equal results for any number of threads.
///
/// # Errors
/// Networks that do not fit: more chips than the wafer has, inputs beyond the links, parameters
/// far outside of what the circuits reach.
///
/// # Complexity
/// Time linear in synapses times candidate structures, plus the search of the chosen effort.
pub fn map(
    network: &Network,
    options: &MapOptions,
    defects: &Defects,
    calibration: &WaferCalibration,
    progress: &mut dyn FnMut(Stage),
) -> Result<Mapped, MapError> {
    check(options)?;
    let mut times = StageTimes::default();
    let mut clock = Clock::start();

    progress(Stage::Placement);
    let mut inputs = InputTable::new(network, Kinds::new(network, &options.scaling)?);
    inputs.set_priorities(&priorities(network, options));
    let planned = plan(network, &inputs, options, defects);
    options.cancel.check()?;
    let (plan, n_pools) = planned?;
    times.placement = clock.lap();

    let mut config = WaferConfig::default();
    merger_trees(&plan, &mut config);
    times.merger = clock.lap();

    progress(Stage::Routing);
    let routed = route(&plan, &inputs, options, defects);
    options.cancel.check()?;
    times.l1 = clock.lap();

    progress(Stage::Synapses);
    let packing = Packing { inputs: &inputs, routed: &routed, defects, options };
    let (plan, packed) = packing.pack(plan, n_pools);
    options.cancel.check()?;
    times.synapses = clock.lap();
    progress(Stage::Parameters);
    let routes = routed.into_iter().map(|r| r.route).collect();
    let wired = Wired { placement: plan.placement(), plan, routes, packed, times };
    write_wiring(&wired, &mut config);
    let buses: BTreeSet<Bus> = wired.plan.buses.iter().map(|b| b.bus).collect();
    configure::finish(&mut config, &wired.plan.modes(), &buses);
    realise(network, &inputs, wired, config, options, defects, calibration)
}

/// What stands before synapses and parameters are worked out.
pub(crate) struct Wired {
    pub(crate) plan: Plan,
    pub(crate) placement: Placement,
    pub(crate) routes: Vec<Route>,
    pub(crate) packed: Vec<PackedChip>,
    pub(crate) times: StageTimes,
}

/// Synapses, cell parameters and weights of a network whose wiring stands in the configuration.
pub(crate) fn realise(
    network: &Network,
    inputs: &InputTable,
    wired: Wired,
    mut config: WaferConfig,
    options: &MapOptions,
    defects: &Defects,
    calibration: &WaferCalibration,
) -> Result<Mapped, MapError> {
    let mut clock = Clock::start();
    let Wired { plan, placement, mut routes, packed, mut times } = wired;
    let chips: Vec<ChipSynapses> = packed
        .par_iter()
        .map(|chip| synapses::assign(&plan, inputs, chip, &placement, defects))
        .collect();
    options.cancel.check()?;
    times.synapses += clock.lap();
    let mut parameters =
        parameters::translate(network, &placement, &plan, options, calibration, &mut config)?;
    for &(projection, parameter) in inputs.kinds().clipped() {
        let n = network.projection(projection).synapses.len();
        *parameters.clipped.entry(parameter.to_owned()).or_default() += n;
    }
    let unreached = plasticity(&packed, &chips, inputs.kinds(), calibration, &mut config);
    if unreached > 0 {
        *parameters.clipped.entry("U".to_owned()).or_default() += unreached;
    }
    routes.sort_by_key(|r| r.bus);
    let mut mapping = Mapping {
        scaling: options.scaling,
        modes: plan.modes(),
        ideal_l1_loss_fraction: ideal_l1_loss(&plan, &packed, inputs, options),
        bound_loss_fraction: bound::column_bound(inputs, &placement),
        chains: claimed_chains(&packed, &chips, &plan, inputs.kinds(), calibration),
        synapses: unrealised(network),
        realised_weights_us: zeros(network),
        plasticity: inputs.kinds().realised().to_vec(),
        pairs: inputs.kinds().pairs().to_vec(),
        clipped_weights: vec![0; network.projections().count()],
        placement,
        parameters,
        routes,
        times,
    };
    options.cancel.check()?;
    let conductances = Conductances::new(network, &plan, inputs.kinds(), options);
    let weighted: Vec<WeightedChip> = chips
        .par_iter()
        .map(|synapses| WeightedChip::new(synapses, &conductances))
        .collect::<Result<_, _>>()?;
    options.cancel.check()?;
    for ((chip, synapses), weighted) in packed.iter().zip(&chips).zip(weighted) {
        let own = calibration.hicann(chip.hicann);
        weighted.write(chip.hicann, synapses, &conductances, own, &mut mapping, &mut config);
        controllers(chip, synapses, inputs.kinds(), &mut config);
    }
    mapping.times.parameters = clock.lap();
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
    if let Some(p) = options.priorities.iter().find(|p| !(1..=MAX_PRIORITY).contains(&p.weight)) {
        return Err(MapError::Priority(p.weight));
    }
    let (crossbar, synapse) = (options.max_crossbar_switches, options.max_synapse_switches);
    if crossbar == 0 || !(1..=MAX_SYNAPSE_SWITCHES).contains(&synapse) {
        return Err(MapError::SwitchLimits { crossbar, synapse });
    }
    if options.max_route_hicanns == Some(0) {
        return Err(MapError::RouteLength);
    }
    Ok(())
}

/// What a synapse of each projection is worth.
pub(crate) fn priorities(network: &Network, options: &MapOptions) -> Vec<u8> {
    let priority = |id: ProjectionId| {
        let (pre, _) = network.endpoints(id);
        let concerns = |p: &&Priority| match p.of {
            Prioritised::Projection(projection) => projection == id,
            Prioritised::Population(population) => population == pre,
        };
        options.priorities.iter().filter(concerns).map(|p| p.weight).max().unwrap_or(1)
    };
    network.projections().map(|(id, _)| priority(id)).collect()
}

/// Who shares chips, buses and decoder groups; with the number of pools.
fn plan(
    network: &Network,
    inputs: &InputTable,
    options: &MapOptions,
    defects: &Defects,
) -> Result<(Plan, usize), MapError> {
    let fabric = Fabric::new(defects, &options.excluded);
    let requests = grant(network, &options.requests, &fabric)
        .map_err(|r| MapError::Request { population: r.population, problem: r.problem })?;
    let mut rates_hz = vec![0.0; network.n_members()];
    for (member, rate_hz) in sources_with_rates(network) {
        rates_hz[member] = rate_hz;
    }
    let order = hidden_order(inputs);
    // populations get chips of their own unless that takes more chips than there are
    let mut failure = None;
    for sharing in [Sharing::Small, Sharing::All] {
        let pools = pools(network, inputs, options, &requests, sharing, order.as_deref());
        let dealer = Dealer {
            network,
            inputs,
            options,
            fabric: &fabric,
            pools: &pools,
            rates_hz: &rates_hz,
        };
        match structure::choose(&dealer, options.effort) {
            Ok((structure, plan)) => {
                let plan = match options.effort {
                    Effort::Max => balance::balance(&dealer, structure, plan, MODEL_PERCENT),
                    Effort::Quick | Effort::Normal => plan,
                };
                return Ok((improve(plan, pools.len(), inputs, options), pools.len()));
            }
            Err(error @ MapError::TooManyChips { .. }) => failure = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(failure.expect("the loop ends with a plan or an error"))
}

/// The local search of the chosen effort.
fn improve(plan: Plan, n_pools: usize, inputs: &InputTable, options: &MapOptions) -> Plan {
    let moves_per_member = match options.effort {
        Effort::Quick => return plan,
        Effort::Normal => 10,
        Effort::Max => 40,
    };
    let schedule = Schedule {
        moves: moves_per_member * plan.seats.len(),
        model: Model::Share { percent: MODEL_PERCENT },
        seed: options.seed,
        cancel: options.cancel.clone(),
    };
    search::improve(plan, n_pools, inputs, options.chain_length, &schedule).0
}

fn merger_trees(plan: &Plan, config: &mut WaferConfig) {
    for bus in &plan.buses {
        let split = plan.chips[bus.chip as usize].split;
        configure::merger_tree(config.hicann_mut(bus.bus.hicann), bus.kind, split, bus.number);
    }
}

/// Routes every bus to the chips with targets of its members. A bus that most chips hear goes to
/// all chips with neurons, so that members may still change places.
fn route(
    plan: &Plan,
    inputs: &InputTable,
    options: &MapOptions,
    defects: &Defects,
) -> Vec<RoutedBus> {
    let buses: Vec<Bus> = plan.buses.iter().map(|b| b.bus).collect();
    let heard: Vec<Vec<u32>> = plan
        .chips
        .par_iter()
        .map(|chip| {
            let mut heard = vec![0; buses.len()];
            for input in chip.members.iter().flat_map(|&m| inputs.of(m as usize)) {
                if let Some(seat) = plan.seats[input.source as usize] {
                    heard[seat.bus as usize] += u32::from(input.priority);
                }
            }
            heard
        })
        .collect();
    let listening = |bus: usize| heard.iter().filter(|heard| heard[bus] > 0).count();
    let with_neurons = plan.chips.iter().filter(|chip| !chip.members.is_empty()).count();
    let targets: Vec<Targets> = (0..buses.len())
        .map(|bus| {
            let everywhere = 5 * listening(bus) >= 4 * with_neurons;
            plan.chips
                .iter()
                .zip(&heard)
                .filter(|(chip, heard)| heard[bus] > 0 || everywhere && !chip.members.is_empty())
                .map(|(chip, heard)| (chip.hicann, heard[bus]))
                .collect()
        })
        .collect();
    let limits = Limits {
        crossbar_switches: options.max_crossbar_switches,
        synapse_switches: options.max_synapse_switches,
        route_hicanns: options.max_route_hicanns.unwrap_or(usize::MAX),
        cancel: options.cancel.clone(),
        ..Limits::default()
    };
    routing::route(&buses, &targets, defects, &limits)
}

fn chains(chips: &[PackedChip], plan: &Plan) -> Vec<DriverChain> {
    let mut chains: Vec<DriverChain> = chips
        .iter()
        .flat_map(|chip| {
            chip.assigned.iter().filter_map(|a| {
                let bus = chip.demands[a.demand].bus as usize;
                Some(DriverChain {
                    hicann: chip.hicann,
                    bus: plan.buses[bus].bus,
                    vline: chip.taps[a.demand]?,
                    primary: a.primary,
                    members: a.members.clone(),
                    plasticity: vec![None; a.members.len()],
                })
            })
        })
        .collect();
    chains.sort_by_key(|c| (c.hicann, c.primary));
    chains
}

/// The same with the short-term plasticity of their drivers.
fn claimed_chains(
    packed: &[PackedChip],
    chips: &[ChipSynapses],
    plan: &Plan,
    kinds: &Kinds,
    calibration: &WaferCalibration,
) -> Vec<DriverChain> {
    let mut chains = chains(packed, plan);
    let of_driver: BTreeMap<_, _> = packed
        .iter()
        .zip(chips)
        .flat_map(|(chip, synapses)| {
            let drivers = synapses.drivers.iter();
            drivers.filter_map(|&(driver, kind)| {
                let block = driver.quadrant().fg_block();
                let own = &calibration.hicann(chip.hicann).blocks[block];
                Some(((chip.hicann, driver), kinds.settings(kind)?.0.on(own)))
            })
        })
        .collect();
    for chain in &mut chains {
        for (plasticity, &driver) in chain.plasticity.iter_mut().zip(&chain.members) {
            *plasticity = of_driver.get(&(chain.hicann, driver)).copied();
        }
    }
    chains
}

/// Sets the short-term plasticity of all drivers in chains, and of the quadrants that have any. Tells
/// how many synapses have drivers that do not reach their utilisation.
fn plasticity(
    packed: &[PackedChip],
    chips: &[ChipSynapses],
    kinds: &Kinds,
    calibration: &WaferCalibration,
    config: &mut WaferConfig,
) -> usize {
    let mut unreached = 0;
    for (chip, synapses) in packed.iter().zip(chips) {
        let config = config.hicann_mut(chip.hicann);
        for &(driver, kind) in &synapses.drivers {
            let block = &calibration.hicann(chip.hicann).blocks[driver.quadrant().fg_block()];
            let settings = kinds.settings(kind);
            let own = settings.map(|(driver, cells)| (driver.on(block), cells.on(block)));
            configure::plasticity(config, driver, own);
            if settings.is_some_and(|(driver, _)| driver.is_clipped_on(block)) {
                let places = synapses.fates.iter().filter_map(|(_, place)| place.ok());
                unreached += places.filter(|place| place.row().driver() == driver).count();
            }
        }
    }
    unreached
}

/// Lets the controllers of a chip update the rows with long-term plasticity.
fn controllers(
    chip: &PackedChip,
    synapses: &ChipSynapses,
    kinds: &Kinds,
    config: &mut WaferConfig,
) {
    let config = config.hicann_mut(chip.hicann);
    for vertical in Vertical::ALL {
        let gate = chip.gates[QuadrantOnHicann::at(Side::Left, vertical).index()];
        let Some(settings) = kinds.controller(gate) else { continue };
        let drivers = synapses.drivers.iter().map(|&(driver, _)| driver);
        let rows = drivers
            .filter(|driver| driver.vertical() == vertical)
            .flat_map(|driver| RowOnSynapseDriver::all().map(move |row| driver.row(row)))
            .filter(|&row| config.synapses.row(row).synaptic_input != [false; 2]);
        let rows: Vec<SynapseRowOnArray> = rows.map(SynapseRowOnHicann::on_array).collect();
        if let Some((&first, &last)) = rows.iter().min().zip(rows.iter().max()) {
            configure::pairs(config, vertical, settings, [first, last]);
        }
    }
}

/// Share of the synapses lost if every bus reached every chip and any free driver (mapping §7.2).
fn ideal_l1_loss(
    plan: &Plan,
    chips: &[PackedChip],
    inputs: &InputTable,
    options: &MapOptions,
) -> f64 {
    let lost: u64 = chips
        .par_iter()
        .map(|chip| {
            let wanted: u64 = chip.demands.iter().map(|d| u64::from(d.wanted)).sum();
            let drivers = SynapseDriverOnHicann::SIZE;
            let widths = widths(plan, chip.chip);
            wanted - ideal_realised(&chip.demands, &widths, drivers, options.chain_length)
        })
        .sum();
    lost as f64 / inputs.len().max(1) as f64
}

fn unrealised(network: &Network) -> Vec<Vec<SynapseFate>> {
    let lost = SynapseFate::Lost(LossCause::NoDriver);
    network.projections().map(|(_, p)| vec![lost; p.synapses.len()]).collect()
}

fn zeros(network: &Network) -> Vec<Vec<f32>> {
    network.projections().map(|(_, p)| vec![0.0; p.synapses.len()]).collect()
}

/// The circuits of a member, joined.
fn join(placement: &Placement, member: usize, config: &mut WaferConfig) {
    let (neuron, address) = (placement.neurons[member], placement.addresses[member]);
    if let (Some(neuron), Some(address), Some(firing)) =
        (neuron, address, placement.firing_circuit(member))
    {
        configure::join(config.hicann_mut(neuron.hicann), neuron, firing.local, address);
    }
}

/// Joined circuits, routes and driver chains.
fn write_wiring(wired: &Wired, config: &mut WaferConfig) {
    let placement = &wired.placement;
    for member in 0..placement.neurons.len() {
        join(placement, member, config);
    }
    for route in &wired.routes {
        configure::route(config, route);
    }
    for chain in &chains(&wired.packed, &wired.plan) {
        configure::chain(config, chain);
    }
}

/// Wall time between stages.
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since the last lap.
    pub(crate) fn lap(&mut self) -> f64 {
        let last = std::mem::replace(&mut self.0, Instant::now());
        (self.0 - last).as_secs_f64()
    }
}

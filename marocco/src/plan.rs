//! Which chip, circuits, bus and decoder group each member gets.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use calib::CircuitMode;
use hal::coord::{Coordinate, DriverDecoder, FpgaOnWafer, HicannOnWafer, L1Address};

use crate::fabric::{BLOCK_COLUMNS, Fabric, Run, Site, Split};
use crate::inputs::{InputTable, ReceptorSet};
use crate::mapping::{Bus, BusAddress, LogicalNeuron, Placement};
use crate::network::{Network, PopulationId};
use crate::options::{ADDRESSES_PER_BUS, FPGA_INPUT_HZ, HICANN_INPUT_HZ, MapError, MapOptions};
use crate::pools::{Pool, PoolKind};
use crate::requests::{Pinned, RequestProblem};
use crate::sites::{self, Reach};

/// Widths of the neurons of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Widths {
    /// All the same.
    Uniform(u8),
    /// The columns of a run are shared out among its neurons.
    Fill,
    /// Each neuron has a run for itself.
    Exact,
}

/// How a pool is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Neurons on so many chips.
    Neurons { chips: usize, widths: Widths },
    /// At most so many inputs per bus.
    Inputs { per_bus: usize },
}

/// How all pools are spread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Structure {
    /// By pool.
    pub(crate) shapes: Vec<Shape>,
    /// Buses per chip of neurons.
    pub(crate) split: Split,
}

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

/// One bus.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BusPlan {
    pub(crate) bus: Bus,
    /// Its chip in the plan.
    pub(crate) chip: u32,
    /// Which bus of the chip.
    pub(crate) number: usize,
    pub(crate) kind: BusKind,
    /// What its members act on.
    pub(crate) receptors: ReceptorSet,
    /// The pool of its members.
    pub(crate) pool: u32,
}

/// One chip.
#[derive(Debug, Clone)]
pub(crate) struct ChipPlan {
    pub(crate) hicann: HicannOnWafer,
    pub(crate) split: Split,
    pub(crate) runs: Vec<Run>,
    /// Usable synapse drivers.
    pub(crate) drivers: usize,
    /// Capacitor and leak.
    pub(crate) mode: CircuitMode,
    /// Neurons on it; none on chips of inputs.
    pub(crate) members: Vec<u32>,
}

/// How a member is known on L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) bus: u32,
    /// Decoder group, 0..4: the upper bits of the address.
    pub(crate) group: u8,
}

/// Where a neuron is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) chip: u32,
    /// Its run among those of the chip.
    pub(crate) run: u8,
    /// Its columns.
    pub(crate) width: u8,
}

/// The assignment of all members.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) split: Split,
    pub(crate) reach: Reach,
    pub(crate) chips: Vec<ChipPlan>,
    pub(crate) buses: Vec<BusPlan>,
    /// By member; none for sources that nobody listens to.
    pub(crate) seats: Vec<Option<Seat>>,
    /// By member; none for sources.
    pub(crate) spots: Vec<Option<Spot>>,
    /// By pool the widths that its neurons may get; none where they are settled.
    pub(crate) widths: Vec<Option<RangeInclusive<u8>>>,
    /// By member, biological Hz; 0 for neurons.
    pub(crate) rates_hz: Vec<f64>,
}

/// The usable addresses of a decoder group.
pub(crate) fn addresses(group: u8) -> impl Iterator<Item = L1Address> {
    let decoder = DriverDecoder::from_index(usize::from(group));
    L1Address::all().rev().filter(move |a| a.is_usable() && Some(a.driver_decoder()) == decoder)
}

/// What a plan is made of.
pub(crate) struct Dealer<'a> {
    pub(crate) network: &'a Network,
    pub(crate) inputs: &'a InputTable,
    pub(crate) options: &'a MapOptions,
    pub(crate) fabric: &'a Fabric<'a>,
    pub(crate) pools: &'a [Pool],
    /// Biological rate of each member in Hz; 0 for neurons.
    pub(crate) rates_hz: &'a [f64],
}

/// Why a structure makes no plan.
#[derive(Debug)]
pub(crate) enum NoPlan {
    /// More chips than the wafer has.
    Chips {
        /// Chips with neurons that were asked for.
        neurons: usize,
        /// Chips with inputs.
        inputs: usize,
    },
    /// A pool does not fit onto its chips.
    Room {
        /// Which pool.
        pool: usize,
    },
    /// The inputs cannot be seated.
    Inputs(MapError),
}

/// Members of one bus of inputs.
struct InputBus {
    pool: usize,
    members: Vec<u32>,
    rate_hz: f64,
}

impl Dealer<'_> {
    /// Deals the members to the chips and buses of a structure: pools in order, each over as many
    /// neighbouring chips as it has, members in order.
    pub(crate) fn deal(&self, structure: &Structure) -> Result<Plan, NoPlan> {
        self.options.cancel.check().map_err(|stopped| NoPlan::Inputs(stopped.into()))?;
        let input_buses = self.input_buses(structure).map_err(NoPlan::Inputs)?;
        let neuron_chips: usize = structure
            .shapes
            .iter()
            .zip(self.pools)
            .map(|(shape, pool)| match shape {
                Shape::Neurons { chips, .. } if pool.pinned.is_none() => *chips,
                _ => 0,
            })
            .sum();
        let mut reserved = self.reserved();
        let pinned = self.seat_pinned(&input_buses, &reserved)?;
        reserved.extend(pinned.iter().flatten());
        let free: Vec<usize> = (0..input_buses.len()).filter(|&b| pinned[b].is_none()).collect();
        let total = neuron_chips + free.len();
        let no_chips = NoPlan::Chips { neurons: neuron_chips, inputs: free.len() };
        let sites = sites::take(self.fabric, total, structure.split, &reserved).ok_or(no_chips)?;
        let n = self.network.n_members();
        let mut plan = Plan {
            split: structure.split,
            reach: sites.reach,
            chips: Vec::with_capacity(total),
            buses: Vec::new(),
            seats: vec![None; n],
            spots: vec![None; n],
            widths: vec![None; self.pools.len()],
            rates_hz: self.rates_hz.to_vec(),
        };
        let rates: Vec<f64> = free.iter().map(|&b| input_buses[b].rate_hz).collect();
        let load = fpga_load(&input_buses, &pinned);
        let seating = sites::seat_inputs(self.fabric, &sites, &rates, load, self.options)
            .map_err(NoPlan::Inputs)?;
        let mut seats = pinned;
        for (bus, hicann) in free.into_iter().zip(seating.inputs) {
            seats[bus] = Some(hicann);
        }
        let mut hicanns = seating.neurons.into_iter();
        for (pool, shape) in structure.shapes.iter().enumerate() {
            if let Shape::Neurons { chips, widths } = *shape {
                let site = |h| self.fabric.site(h, structure.split);
                let sites: Vec<Site> = match &self.pools[pool].pinned {
                    None => hicanns.by_ref().take(chips).filter_map(site).collect(),
                    Some(pinned) => pinned
                        .hicanns()
                        .into_iter()
                        .take(chips)
                        .filter_map(site)
                        .map(|site| pinned.restrict(site))
                        .collect(),
                };
                self.deal_pool(&mut plan, pool, &sites, widths)?;
                plan.widths[pool] = self.width_bounds(pool, &sites, widths);
            }
        }
        for (input, hicann) in input_buses.iter().zip(seats.into_iter().flatten()) {
            self.deal_inputs(&mut plan, input, hicann);
        }
        Ok(plan)
    }

    /// The chips of requests of neurons, which others may not have.
    fn reserved(&self) -> Vec<HicannOnWafer> {
        let neurons = self.pools.iter().filter(|p| p.kind != PoolKind::Inputs);
        neurons.filter_map(|p| p.pinned.as_ref()).flat_map(Pinned::hicanns).collect()
    }

    /// The chips of the buses of inputs that have a place asked for: the first ones that are free
    /// and whose FPGA has bandwidth.
    fn seat_pinned(
        &self,
        buses: &[InputBus],
        reserved: &[HicannOnWafer],
    ) -> Result<Vec<Option<HicannOnWafer>>, NoPlan> {
        let limit_hz = self.options.bandwidth_utilisation * FPGA_INPUT_HZ;
        let mut seats: Vec<Option<HicannOnWafer>> = vec![None; buses.len()];
        for (i, bus) in buses.iter().enumerate() {
            let Some(pinned) = &self.pools[bus.pool].pinned else { continue };
            let load = fpga_load(buses, &seats);
            let fits = |h: &HicannOnWafer| {
                let here = load.get(&h.fpga()).copied().unwrap_or(0.0);
                here + bus.rate_hz <= limit_hz
                    && !seats.contains(&Some(*h))
                    && !reserved.contains(h)
            };
            let Some(chip) = pinned.hicanns().into_iter().find(fits) else {
                let of_pool = || buses.iter().zip(&seats).filter(|(b, _)| b.pool == bus.pool);
                let problem = RequestProblem::Inputs {
                    buses: of_pool().count(),
                    seated: of_pool().filter(|(_, seat)| seat.is_some()).count(),
                    limit_hz,
                };
                let (id, _) = locate(self.network, bus.members[0] as usize);
                let population = self.network.population(id).label.clone();
                return Err(NoPlan::Inputs(MapError::Request { population, problem }));
            };
            seats[i] = Some(chip);
        }
        Ok(seats)
    }

    /// The widths that the neurons of a pool may get: not too far from their mean, because the
    /// weights of a row are shared and scale with the widths of their targets.
    fn width_bounds(
        &self,
        pool: usize,
        sites: &[Site],
        widths: Widths,
    ) -> Option<RangeInclusive<u8>> {
        if widths != Widths::Fill || matches!(self.pools[pool].pinned, Some(Pinned::Circuits(_))) {
            return None;
        }
        let columns: usize =
            sites.iter().flat_map(|s| &s.runs).map(|run| usize::from(run.len)).sum();
        let mean = columns as f64 / self.pools[pool].members.len() as f64;
        let most = self.pools[pool].max_width;
        let low = (0.7 * mean).floor().max(1.0) as u8;
        let high = ((1.45 * mean).ceil() as u8).min(most).min(BLOCK_COLUMNS as u8);
        (low < high).then_some(low..=high)
    }

    fn deal_pool(
        &self,
        plan: &mut Plan,
        pool: usize,
        sites: &[Site],
        widths: Widths,
    ) -> Result<(), NoPlan> {
        let members = &self.pools[pool].members;
        let width = match widths {
            Widths::Uniform(width) => width,
            Widths::Fill | Widths::Exact => 1,
        };
        let room: Vec<usize> = sites
            .iter()
            .map(|site| {
                let split = plan.split;
                (0..split.buses())
                    .map(|bus| site.room(split, bus, width).min(ADDRESSES_PER_BUS))
                    .sum()
            })
            .collect();
        let shares = share_evenly(members.len(), &room).ok_or(NoPlan::Room { pool })?;
        let mut members = members.iter().copied();
        for (site, share) in sites.iter().zip(shares) {
            let here: Vec<u32> = members.by_ref().take(share).collect();
            self.deal_chip(plan, pool, site, here, widths)?;
        }
        Ok(())
    }

    fn deal_chip(
        &self,
        plan: &mut Plan,
        pool: usize,
        site: &Site,
        members: Vec<u32>,
        widths: Widths,
    ) -> Result<(), NoPlan> {
        let split = plan.split;
        let chip = plan.chips.len() as u32;
        let unit = match widths {
            Widths::Uniform(width) => width,
            Widths::Fill | Widths::Exact => 1,
        };
        let rooms: Vec<usize> = (0..split.buses())
            .map(|bus| site.room(split, bus, unit).min(ADDRESSES_PER_BUS))
            .collect();
        let weights: Vec<f64> = rooms.iter().map(|&r| r as f64).collect();
        let per_bus = apportion(members.len(), &weights, &rooms).ok_or(NoPlan::Room { pool })?;
        let mut queue = members.iter().copied();
        for (bus, n) in per_bus.into_iter().enumerate() {
            let on_bus: Vec<u32> = queue.by_ref().take(n).collect();
            if on_bus.is_empty() {
                continue;
            }
            let runs: Vec<(u8, Run)> = (0..)
                .zip(site.runs.iter().copied())
                .filter(|(_, run)| split.bus_of(run.block) == bus)
                .collect();
            let lengths: Vec<f64> = runs.iter().map(|(_, run)| f64::from(run.len)).collect();
            let rooms: Vec<usize> =
                runs.iter().map(|(_, run)| usize::from(run.len / unit)).collect();
            let per_run = apportion(n, &lengths, &rooms).ok_or(NoPlan::Room { pool })?;
            let mut here = on_bus.iter().copied();
            for ((index, run), n) in runs.into_iter().zip(per_run) {
                for (member, i) in here.by_ref().take(n).zip(0..) {
                    let width = match widths {
                        Widths::Uniform(width) => width,
                        Widths::Exact => run.len,
                        Widths::Fill => {
                            share_of(run.len, n as u8, i).min(self.pools[pool].max_width)
                        }
                    };
                    plan.spots[member as usize] = Some(Spot { chip, run: index, width });
                }
            }
            let wire = Bus { hicann: site.hicann, merger: split.merger(bus) };
            let empty = BusPlan {
                bus: wire,
                chip,
                number: bus,
                kind: BusKind::Neurons,
                receptors: ReceptorSet::default(),
                pool: pool as u32,
            };
            self.add_bus(plan, empty, &on_bus);
        }
        plan.chips.push(ChipPlan {
            hicann: site.hicann,
            split,
            runs: site.runs.clone(),
            drivers: site.drivers,
            mode: self.pools[pool].mode,
            members,
        });
        Ok(())
    }

    fn deal_inputs(&self, plan: &mut Plan, input: &InputBus, hicann: HicannOnWafer) {
        let chip = plan.chips.len() as u32;
        let bus = Bus { hicann, merger: Split::One.merger(0) };
        let kind = BusKind::Inputs { rate_hz: input.rate_hz };
        let empty = BusPlan {
            bus,
            chip,
            number: 0,
            kind,
            receptors: ReceptorSet::default(),
            pool: input.pool as u32,
        };
        self.add_bus(plan, empty, &input.members);
        plan.chips.push(ChipPlan {
            hicann,
            split: Split::One,
            runs: Vec::new(),
            drivers: 0,
            mode: CircuitMode::default(),
            members: Vec::new(),
        });
    }

    /// Gives the members of a bus to as few decoder groups as hold them, evenly.
    fn add_bus(&self, plan: &mut Plan, mut bus: BusPlan, members: &[u32]) {
        let index = plan.buses.len() as u32;
        let groups = members.len().div_ceil(15);
        for (i, &member) in members.iter().enumerate() {
            let group = 3 - (i * groups / members.len()) as u8;
            plan.seats[member as usize] = Some(Seat { bus: index, group });
            bus.receptors = bus.receptors.union(self.inputs.receptors(member as usize));
        }
        plan.buses.push(bus);
    }

    /// Fills input buses in the order of the sources, as far as addresses and the link of a chip
    /// reach (mapping §1.8).
    fn input_buses(&self, structure: &Structure) -> Result<Vec<InputBus>, MapError> {
        let limit_hz = self.options.bandwidth_utilisation * HICANN_INPUT_HZ;
        let mut buses: Vec<InputBus> = Vec::new();
        for (pool, shape) in structure.shapes.iter().enumerate() {
            let Shape::Inputs { per_bus } = *shape else { continue };
            let mut open: Option<InputBus> = None;
            for &member in &self.pools[pool].members {
                let rate_hz = self.rates_hz[member as usize] * self.options.scaling.speedup;
                if rate_hz > limit_hz {
                    return Err(self.too_fast(member as usize, rate_hz, limit_hz));
                }
                let full =
                    |b: &InputBus| b.members.len() == per_bus || b.rate_hz + rate_hz > limit_hz;
                if open.as_ref().is_some_and(full) {
                    buses.extend(open.take());
                }
                let bus = open.get_or_insert_with(|| InputBus {
                    pool,
                    members: Vec::new(),
                    rate_hz: 0.0,
                });
                bus.members.push(member);
                bus.rate_hz += rate_hz;
            }
            buses.extend(open);
        }
        Ok(buses)
    }

    /// What to tell the user when no structure makes a plan.
    pub(crate) fn explain(&self, failure: NoPlan) -> MapError {
        match failure {
            NoPlan::Inputs(error) => error,
            NoPlan::Chips { neurons, inputs } => MapError::TooManyChips {
                neuron_chips: neurons,
                input_chips: inputs,
                usable: HicannOnWafer::all()
                    .filter(|&h| self.fabric.site(h, Split::One).is_some())
                    .count(),
            },
            NoPlan::Room { pool } => {
                let first = self.pools[pool].members[0] as usize;
                let (id, _) = locate(self.network, first);
                MapError::NoRoom { population: self.network.population(id).label.clone() }
            }
        }
    }

    fn too_fast(&self, member: usize, hardware_hz: f64, limit_hz: f64) -> MapError {
        let rate_hz = self.rates_hz[member];
        let (id, member) = locate(self.network, member);
        let population = self.network.population(id).label.clone();
        MapError::SourceTooFast { population, member, rate_hz, hardware_hz, limit_hz }
    }
}

/// Events per hardware second through each FPGA from the buses that have a chip.
fn fpga_load(buses: &[InputBus], seats: &[Option<HicannOnWafer>]) -> BTreeMap<FpgaOnWafer, f64> {
    let mut load = BTreeMap::new();
    for (bus, seat) in buses.iter().zip(seats) {
        if let Some(hicann) = seat {
            *load.entry(hicann.fpga()).or_default() += bus.rate_hz;
        }
    }
    load
}

/// Shares `n` things out as evenly as the rooms allow; none if they are too small together.
fn share_evenly(n: usize, room: &[usize]) -> Option<Vec<usize>> {
    let parts = room.len();
    let mut left = n;
    let mut shares: Vec<usize> = room
        .iter()
        .enumerate()
        .map(|(i, &room)| {
            let share = ((i + 1) * n / parts - i * n / parts).min(room);
            left -= share;
            share
        })
        .collect();
    for (share, &room) in shares.iter_mut().zip(room) {
        let more = left.min(room - *share);
        *share += more;
        left -= more;
    }
    (left == 0).then_some(shares)
}

/// Shares `n` things out in proportion to the weights, as far as there is room; none if the rooms
/// are too small together.
fn apportion(n: usize, weights: &[f64], room: &[usize]) -> Option<Vec<usize>> {
    if room.iter().sum::<usize>() < n {
        return None;
    }
    let mut shares = vec![0usize; weights.len()];
    for _ in 0..n {
        let next = (0..weights.len()).filter(|&i| shares[i] < room[i]).min_by(|&a, &b| {
            let load = |i: usize| (shares[i] + 1) as f64 / weights[i];
            load(a).total_cmp(&load(b)).then(a.cmp(&b))
        })?;
        shares[next] += 1;
    }
    Some(shares)
}

/// Columns of the i-th of `n` neurons in a run, as equal as possible.
const fn share_of(len: u8, n: u8, i: u8) -> u8 {
    len / n + if i < len % n { 1 } else { 0 }
}

impl Plan {
    /// The addresses and circuits of all members: on a bus each group in the order of the members,
    /// in a run the neurons in the order of the members.
    pub(crate) fn placement(&self) -> Placement {
        let n = self.seats.len();
        let mut placement =
            Placement { neurons: vec![None; n], addresses: vec![None; n], firing: BTreeMap::new() };
        let mut taken = vec![[0usize; 4]; self.buses.len()];
        let groups: [Vec<L1Address>; 4] = [0, 1, 2, 3].map(|g| addresses(g).collect());
        let mut next_column: Vec<Vec<u8>> =
            self.chips.iter().map(|c| c.runs.iter().map(|run| run.first).collect()).collect();
        for member in 0..n {
            if let Some(Seat { bus, group }) = self.seats[member] {
                let taken = &mut taken[bus as usize][usize::from(group)];
                let address = groups[usize::from(group)][*taken];
                *taken += 1;
                let bus = self.buses[bus as usize].bus;
                placement.addresses[member] = Some(BusAddress { bus, address });
            }
            if let Some(Spot { chip, run, width }) = self.spots[member] {
                let column = &mut next_column[chip as usize][usize::from(run)];
                let hicann = self.chips[chip as usize].hicann;
                placement.neurons[member] = Some(LogicalNeuron { hicann, column: *column, width });
                // the last neuron of the last block may end at column 256
                *column = column.wrapping_add(width);
            }
        }
        placement
    }

    /// Capacitor and leak of the chips with neurons.
    pub(crate) fn modes(&self) -> BTreeMap<HicannOnWafer, CircuitMode> {
        let used = self.chips.iter().filter(|chip| !chip.members.is_empty());
        used.map(|chip| (chip.hicann, chip.mode)).collect()
    }

    /// Capacitor and leak of a member's chip; the default for sources.
    pub(crate) fn mode(&self, member: usize) -> CircuitMode {
        self.spots[member].map_or_else(CircuitMode::default, |s| self.chips[s.chip as usize].mode)
    }

    /// Width of a member's circuits; 0 for sources.
    pub(crate) fn width(&self, member: usize) -> u8 {
        self.spots[member].map_or(0, |spot| spot.width)
    }
}

/// The population of a member and its position there.
pub(crate) fn locate(network: &Network, member: usize) -> (PopulationId, usize) {
    let offsets = network.member_offsets();
    let index = offsets.partition_point(|&o| o <= member) - 1;
    let (id, _) = network.populations().nth(index).expect("members belong to populations");
    (id, member - offsets[index])
}

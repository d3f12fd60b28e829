//! Synapse drivers for all chips, and the alternation with the local search.
//!
//! The local search counts drivers but knows no switches. Packing gives the drivers of each chip to
//! its buses on the real switches; the search then goes on with the drivers that each bus got, and
//! what it saves is packed again (lossless-mapping, "class rule").

use hal::coord::{HicannOnWafer, OnWafer, VLineOnHicann};
use hal::defects::Defects;
use rayon::prelude::*;

use crate::demand::{BusDemand, chip_demand};
use crate::drivers::{self, Assigned, Bidding, Gates, choose_gates};
use crate::inputs::InputTable;
use crate::options::{Effort, MapOptions};
use crate::plan::Plan;
use crate::routing::RoutedBus;
use crate::search::{self, Model, Schedule};

/// What packing works with.
#[derive(Clone, Copy)]
pub(crate) struct Packing<'a> {
    pub(crate) inputs: &'a InputTable,
    pub(crate) routed: &'a [RoutedBus],
    pub(crate) defects: &'a Defects,
    pub(crate) options: &'a MapOptions,
}

/// A chip with neurons and the drivers of its buses.
#[derive(Debug, Clone)]
pub(crate) struct PackedChip {
    /// Number of the chip in the plan.
    pub(crate) chip: usize,
    pub(crate) hicann: HicannOnWafer,
    pub(crate) demands: Vec<BusDemand>,
    /// The line that brings each demand's bus; none if the bus does not reach the chip.
    pub(crate) taps: Vec<Option<OnWafer<VLineOnHicann>>>,
    /// Gate of the short-term plasticity of each quadrant.
    pub(crate) gates: Gates,
    pub(crate) assigned: Vec<Assigned>,
}

impl PackedChip {
    /// What its drivers leave out, in ordinary synapses.
    fn lost(&self) -> u64 {
        let wanted: u64 = self.demands.iter().map(|d| u64::from(d.worth)).sum();
        let realised = |a: &Assigned| {
            let table = self.demands[a.demand].realised(self.gate(a));
            u64::from(table[a.members.len()])
        };
        wanted - self.assigned.iter().map(realised).sum::<u64>()
    }

    /// The gate of the quadrant of a chain.
    pub(crate) fn gate(&self, chain: &Assigned) -> usize {
        self.gates[chain.primary.quadrant().index()]
    }
}

/// Moves of the annealing of primaries, per bus, when a chip is packed for the first time.
const fn driver_moves(effort: Effort) -> usize {
    match effort {
        Effort::Quick => 200,
        Effort::Normal => 400,
        Effort::Max => 800,
    }
}
/// The same when it is packed again from what it had.
const REPACK_MOVES: usize = 300;

/// Rounds of search and packing with [`Effort::Max`].
const ROUNDS: usize = 12;
/// Moves of the search per round and member.
const MOVES_PER_MEMBER: usize = 20;

impl Packing<'_> {
    /// Packs the chips of a plan; with [`Effort::Max`] goes on until nothing is lost or the rounds
    /// are used up. Gives the best plan and its drivers.
    pub(crate) fn pack(self, plan: Plan, n_pools: usize) -> (Plan, Vec<PackedChip>) {
        let mut best = self.pack_once(&plan, &[]);
        let mut plan = plan;
        if self.options.effort != Effort::Max {
            return (plan, best);
        }
        for round in 0..ROUNDS {
            let lost: u64 = best.iter().map(PackedChip::lost).sum();
            if lost == 0 || self.options.cancel.is_cancelled() {
                break;
            }
            let schedule = Schedule {
                moves: MOVES_PER_MEMBER * plan.seats.len(),
                model: Model::Fixed(drivers_by_bus(&plan, &best)),
                seed: self.options.seed + 1 + round as u64,
                cancel: self.options.cancel.clone(),
            };
            let chain_length = self.options.chain_length;
            let (next, _) =
                search::improve(plan.clone(), n_pools, self.inputs, chain_length, &schedule);
            let packed = self.pack_once(&next, &best);
            if packed.iter().map(PackedChip::lost).sum::<u64>() <= lost {
                (plan, best) = (next, packed);
            }
        }
        (plan, best)
    }

    /// Packs every chip, from the drivers it had before where there were any.
    fn pack_once(self, plan: &Plan, before: &[PackedChip]) -> Vec<PackedChip> {
        (0..plan.chips.len())
            .into_par_iter()
            .filter(|&chip| !plan.chips[chip].members.is_empty())
            .map(|chip| {
                let place = before.binary_search_by_key(&chip, |packed| packed.chip);
                self.pack_chip(plan, chip, place.ok().map(|place| &before[place]))
            })
            .collect()
    }

    fn pack_chip(self, plan: &Plan, chip: usize, before: Option<&PackedChip>) -> PackedChip {
        let hicann = plan.chips[chip].hicann;
        let demands = chip_demand(plan, self.inputs, chip, self.options.chain_length);
        let taps: Vec<Option<OnWafer<VLineOnHicann>>> = demands
            .iter()
            .map(|d| self.routed[d.bus as usize].ends.get(&hicann).copied())
            .collect();
        let gates = choose_gates(hicann, &demands, &taps, self.inputs.kinds());
        let bidding = Bidding {
            hicann,
            demands: &demands,
            taps: &taps,
            gates,
            defects: self.defects,
            chain_length: self.options.chain_length,
            moves: match before {
                _ if self.options.cancel.is_cancelled() => 0,
                Some(_) => REPACK_MOVES,
                None => driver_moves(self.options.effort),
            },
            seed: self.options.seed,
        };
        // demands are sorted by bus, in both
        let again: Vec<Assigned> = before.map_or_else(Vec::new, |before| {
            let same = |a: &Assigned| {
                let bus = before.demands[a.demand].bus;
                let demand = demands.binary_search_by_key(&bus, |d| d.bus).ok()?;
                Some(Assigned { demand, ..a.clone() })
            };
            before.assigned.iter().filter_map(same).collect()
        });
        let assigned = drivers::assign(&bidding, &again);
        PackedChip { chip, hicann, demands, taps, gates, assigned }
    }
}

/// Number of drivers by chip and bus of the plan.
fn drivers_by_bus(plan: &Plan, packed: &[PackedChip]) -> Vec<u8> {
    let n_buses = plan.buses.len();
    let mut drivers = vec![0; plan.chips.len() * n_buses];
    for chip in packed {
        for assigned in &chip.assigned {
            let bus = chip.demands[assigned.demand].bus as usize;
            drivers[chip.chip * n_buses + bus] = assigned.members.len() as u8;
        }
    }
    drivers
}

//! Local search: which neurons share a chip, which members a decoder group, and which neurons get
//! a column more (lossless-mapping, "Method in own words").
//!
//! The state keeps the loss tables of every chip, so that a move costs only the synapses of the
//! members it moves. Moves are accepted as in simulated annealing; the temperature stays low,
//! because losses are whole synapses.

mod moves;
mod tables;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use crate::cancel::Cancel;
use crate::inputs::InputTable;
use crate::plan::{Plan, addresses};
use tables::Tables;

/// Temperatures at the start and at the end, in synapses.
const HOT: f64 = 0.3;
const COLD: f64 = 0.1;

/// How a search is run.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    /// Moves to try.
    pub(crate) moves: usize,
    pub(crate) model: Model,
    /// Seed of the random choices.
    pub(crate) seed: u64,
    /// Ends it early.
    pub(crate) cancel: Cancel,
}

/// How many drivers the buses of a chip get.
#[derive(Debug, Clone)]
pub(crate) enum Model {
    /// The best division of this share of the chip's drivers.
    Share { percent: usize },
    /// Exactly these, by chip and bus.
    Fixed(Vec<u8>),
}

/// Moves after which the list of losing chips is made anew.
const LOSING_AGE: usize = 256;
/// Share of the group moves that are aimed at a bus that loses synapses.
const AIMED: f64 = 0.7;

/// Shares of the kinds of moves: swaps of neurons between chips, changes of width; the rest are
/// changes of decoder group, which are the cheapest and the strongest.
const SWAPS: f64 = 0.2;
const WIDTHS: f64 = 0.2;

/// Searches for a plan with less loss in the model; gives back a plan that is at least as good,
/// but for the last losses of the annealing, and what each chip loses in the model.
pub(crate) fn improve(
    plan: Plan,
    n_pools: usize,
    inputs: &InputTable,
    chain_length: usize,
    schedule: &Schedule,
) -> (Plan, Vec<i32>) {
    let Some(tables) = Tables::new(&plan, inputs, chain_length, &schedule.model) else {
        let unknown = vec![0; plan.chips.len()];
        return (plan, unknown);
    };
    let mut search = Search::new(plan, n_pools, tables);
    search.anneal(schedule);
    let lost = (0..search.plan.chips.len() as u32).map(|c| search.tables.loss(c)).collect();
    (search.plan, lost)
}

/// The state of a search.
pub(crate) struct Search {
    plan: Plan,
    tables: Tables,
    /// Chips with neurons of each pool.
    chips_of: Vec<Vec<u32>>,
    /// Chips with neurons.
    chips: Vec<u32>,
    /// Members of each bus.
    on_bus: Vec<Vec<u32>>,
    /// Position of each member among those of its chip and its bus.
    on_chip: Vec<u32>,
    in_bus: Vec<u32>,
    /// Members of each decoder group, by bus.
    group_sizes: Vec<[u8; 4]>,
    /// Addresses of each decoder group.
    group_rooms: [usize; 4],
    /// Chips that lost synapses a short while ago.
    losing: Vec<u32>,
}

impl Search {
    fn new(plan: Plan, n_pools: usize, tables: Tables) -> Self {
        let n = plan.seats.len();
        let mut chips_of = vec![Vec::new(); n_pools];
        for bus in &plan.buses {
            let chips: &mut Vec<u32> = &mut chips_of[bus.pool as usize];
            if !plan.chips[bus.chip as usize].members.is_empty() && chips.last() != Some(&bus.chip)
            {
                chips.push(bus.chip);
            }
        }
        let chips: Vec<u32> = (0..plan.chips.len() as u32)
            .filter(|&c| !plan.chips[c as usize].members.is_empty())
            .collect();
        let mut on_bus = vec![Vec::new(); plan.buses.len()];
        let mut group_sizes = vec![[0; 4]; plan.buses.len()];
        let (mut on_chip, mut in_bus) = (vec![0; n], vec![0; n]);
        for (member, seat) in plan.seats.iter().enumerate() {
            if let Some(seat) = seat {
                let bus: &mut Vec<u32> = &mut on_bus[seat.bus as usize];
                in_bus[member] = bus.len() as u32;
                bus.push(member as u32);
                group_sizes[seat.bus as usize][usize::from(seat.group)] += 1;
            }
        }
        for chip in &plan.chips {
            for (i, &member) in chip.members.iter().enumerate() {
                on_chip[member as usize] = i as u32;
            }
        }
        Self {
            plan,
            tables,
            chips_of,
            chips,
            on_bus,
            on_chip,
            in_bus,
            group_sizes,
            group_rooms: [0, 1, 2, 3].map(|group| addresses(group).count()),
            losing: Vec::new(),
        }
    }

    fn anneal(&mut self, schedule: &Schedule) {
        let mut rng = ChaCha8Rng::seed_from_u64(schedule.seed);
        for step in 0..schedule.moves {
            if self.tables.total() == 0 || self.chips.is_empty() {
                break;
            }
            if step.is_multiple_of(LOSING_AGE) {
                if schedule.cancel.is_cancelled() {
                    break;
                }
                let tables = &self.tables;
                self.losing = self.chips.iter().copied().filter(|&c| tables.loss(c) > 0).collect();
            }
            let done = step as f64 / schedule.moves as f64;
            let temperature = HOT * (COLD / HOT).powf(done);
            // the change that is still accepted
            let limit = -temperature * (1.0 - rng.random::<f64>()).ln();
            let limit = limit as i64;
            let kind: f64 = rng.random();
            if kind < SWAPS {
                self.try_swap(limit, &mut rng);
            } else if kind < SWAPS + WIDTHS {
                self.try_widths(limit, &mut rng);
            } else {
                self.try_groups(limit, &mut rng);
            }
        }
    }

    /// A chip that loses synapses, or nearly always one.
    fn losing_chip(&self, rng: &mut ChaCha8Rng) -> u32 {
        let list = if self.losing.is_empty() { &self.chips } else { &self.losing };
        list[rng.random_range(0..list.len())]
    }
}

/// One of a list, at random.
fn pick<T: Copy>(list: &[T], rng: &mut ChaCha8Rng) -> Option<T> {
    (!list.is_empty()).then(|| list[rng.random_range(0..list.len())])
}

//! How many chips each pool gets, and how large its neurons are.
//!
//! Thin chips make many buses, and every bus that a chip listens to costs it at least one of its
//! 224 synapse drivers; dense chips make few buses that need long chains (mapping §7). Which wins
//! depends on the network, so the candidates are dealt and their loss evaluated in the ideal-L1
//! model with a part of the drivers: the rest is slack for the switches, which let a bus into one
//! driver in eight only (lossless-mapping, "What mattered" 5).

use std::cmp::Reverse;

use hal::l1::L1Component;
use rayon::prelude::*;

use crate::fabric::{BLOCK_COLUMNS, Split};
use crate::inputs::InputTable;
use crate::loss::{self, HalfRowLoss};
use crate::options::{ADDRESSES_PER_BUS, Effort, MapError, NeuronSize, NeuronSizeChoice};
use crate::plan::{Dealer, NoPlan, Plan, Seat, Shape, Structure, Widths};
use crate::pools::PoolKind;
use crate::requests::Pinned;
use crate::sites::{self, Reach};

/// Members per bus worth trying, dense first: multiples of a decoder group and what lies between.
const FILLINGS: [usize; 15] = [59, 53, 48, 45, 42, 40, 36, 33, 30, 24, 20, 15, 12, 9, 6];

/// Percent of a chip's drivers in the two evaluations of a candidate: one that the switches leave
/// nearly always, and one that a good assignment reaches.
const EASY_PERCENT: usize = 85;
const TIGHT_PERCENT: usize = 97;
/// The latter for wafers on which seven buses share a component, and the switches of most drivers
/// are taken by primaries.
const CROWDED_PERCENT: usize = 90;

/// What a candidate costs: first synapses lost, then chips.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Cost {
    /// Synapses lost with many drivers, plus a tenth of those lost with few.
    lost: f64,
    chips: usize,
}

impl Cost {
    fn is_free(self) -> bool {
        self.lost == 0.0
    }
}

/// The structure of least loss among those that are tried, and its plan.
pub(crate) fn choose(dealer: &Dealer<'_>, effort: Effort) -> Result<(Structure, Plan), MapError> {
    let mut search = Search { dealer, best: None, tried: Vec::new(), failure: None };
    search.scan();
    if effort != Effort::Quick {
        search.descend();
    }
    match (search.best, search.failure) {
        (Some((_, structure, plan)), _) => Ok((structure, plan)),
        (None, Some(failure)) => Err(dealer.explain(failure)),
        (None, None) => Err(dealer.explain(NoPlan::Chips { neurons: 0, inputs: 0 })),
    }
}

struct Search<'a> {
    dealer: &'a Dealer<'a>,
    best: Option<(Cost, Structure, Plan)>,
    tried: Vec<Structure>,
    failure: Option<NoPlan>,
}

impl Search<'_> {
    /// Deals and evaluates a structure unless that was done before; keeps it if it is the best so
    /// far.
    fn attempt(&mut self, structure: Structure) -> Option<Cost> {
        if self.tried.contains(&structure) {
            return None;
        }
        self.tried.push(structure.clone());
        let (structure, plan) = match self.deal(structure) {
            Ok(dealt) => dealt,
            Err(failure) => {
                // the first failure is that of the densest structure: the most telling one
                self.failure.get_or_insert(failure);
                return None;
            }
        };
        let cost = cost(&plan, self.dealer.inputs, self.dealer.options.chain_length);
        if self.best.as_ref().is_none_or(|(best, ..)| cost < *best) {
            self.best = Some((cost, structure, plan));
        }
        Some(cost)
    }

    /// Deals a structure; where defects leave a pool too little room, with more chips.
    fn deal(&self, mut structure: Structure) -> Result<(Structure, Plan), NoPlan> {
        loop {
            match self.dealer.deal(&structure) {
                Ok(plan) => return Ok((structure, plan)),
                Err(NoPlan::Room { pool }) if self.dealer.pools[pool].pinned.is_none() => {
                    if let Shape::Neurons { chips, .. } = &mut structure.shapes[pool] {
                        *chips += chips.div_ceil(8);
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// The same density for all pools, from dense to thin, until nothing is lost.
    fn scan(&mut self) {
        for split in Split::ALL {
            for filling in FILLINGS {
                let neurons = filling * split.buses();
                let Some(structure) = self.uniform(neurons, filling, split) else { continue };
                let cost = self.attempt(structure);
                if cost.is_some_and(Cost::is_free) {
                    self.shrink(filling, split);
                    return;
                }
                self.thin_inputs(neurons, filling, split);
            }
            // several buses per chip are for networks that leave the wafer too few chips
            let local = |plan: &Plan| plan.reach == Reach::Local;
            if self.best.as_ref().is_some_and(|(cost, _, plan)| cost.is_free() || !local(plan)) {
                return;
            }
        }
    }

    /// Inputs may want buses thinner than those of neurons.
    fn thin_inputs(&mut self, neurons: usize, filling: usize, split: Split) {
        let has_inputs = self.dealer.pools.iter().any(|p| p.kind == PoolKind::Inputs);
        if has_inputs && filling != 45 {
            for inputs in [59, 45, 30] {
                if let Some(structure) = self.uniform(neurons, inputs, split) {
                    self.attempt(structure);
                }
            }
        }
    }

    /// Neurons of automatic size that lose nothing get the smallest uniform size that does so with
    /// hardly more chips: equal neurons are simpler to calibrate and share weights better.
    fn shrink(&mut self, inputs: usize, split: Split) {
        let Some((filled, ..)) = &self.best else { return };
        let most_chips = filled.chips + filled.chips / 4;
        for (size, inputs) in NeuronSize::AUTOMATIC
            .into_iter()
            .flat_map(|size| [ADDRESSES_PER_BUS, inputs].map(|inputs| (size, inputs)))
        {
            for filling in FILLINGS {
                let neurons = filling * split.buses();
                let Some(structure) = self.uniform_width(neurons, inputs, split, size) else {
                    continue;
                };
                let Ok(plan) = self.dealer.deal(&structure) else { continue };
                if plan.chips.len() > most_chips {
                    break;
                }
                let cost = cost(&plan, self.dealer.inputs, self.dealer.options.chain_length);
                if cost.is_free() {
                    self.best = Some((cost, structure, plan));
                    return;
                }
            }
        }
    }

    /// The structure of [`Search::uniform`] with neurons of one size; none if a pool cannot have
    /// it, or if less than this many fit onto a chip.
    fn uniform_width(
        &self,
        neurons: usize,
        inputs: usize,
        split: Split,
        size: NeuronSize,
    ) -> Option<Structure> {
        let mut structure = self.uniform(neurons, inputs, split)?;
        let fit = 8 * (BLOCK_COLUMNS / usize::from(size.width()));
        let mut any = false;
        for (shape, pool) in structure.shapes.iter_mut().zip(self.dealer.pools) {
            if let Shape::Neurons { chips, widths: widths @ Widths::Fill } = shape {
                if size.width() > pool.max_width {
                    return None;
                }
                let most = pool.pinned.as_ref().map_or(usize::MAX, |p| p.hicanns().len());
                *chips = pool.members.len().div_ceil(neurons.min(fit)).min(most);
                *widths = Widths::Uniform(size.width());
                any = true;
            }
        }
        any.then_some(structure)
    }

    fn uniform(&self, neurons: usize, inputs: usize, split: Split) -> Option<Structure> {
        let shapes = self
            .dealer
            .pools
            .iter()
            .map(|pool| match pool.kind {
                PoolKind::Inputs => Some(Shape::Inputs { per_bus: inputs.min(ADDRESSES_PER_BUS) }),
                PoolKind::Neurons(size) => {
                    let (widths, fit) = match size {
                        NeuronSizeChoice::Auto => (Widths::Fill, usize::MAX),
                        NeuronSizeChoice::Fixed(size) => {
                            let width = size.width();
                            (Widths::Uniform(width), 8 * (32 / usize::from(width)))
                        }
                    };
                    // a density that does not fit is no candidate of its own, unless it is the
                    // densest one
                    let per_chip = neurons.min(fit);
                    let mut chips = pool.members.len().div_ceil(per_chip);
                    let mut widths = widths;
                    if let Some(pinned) = &pool.pinned {
                        chips = chips.min(pinned.hicanns().len());
                        if let Pinned::Circuits(_) = pinned {
                            chips = pinned.hicanns().len();
                            widths = Widths::Exact;
                        }
                    }
                    Some(Shape::Neurons { chips, widths })
                }
            })
            .collect::<Option<Vec<Shape>>>()?;
        Some(Structure { shapes, split })
    }

    /// Changes the number of chips of one pool at a time while that helps.
    fn descend(&mut self) {
        const ROUNDS: usize = 3;
        for round in 0..ROUNDS {
            let Some((before, start, _)) = self.best.clone() else { return };
            if before.is_free() || start.shapes.len() > 64 {
                return;
            }
            let step = [0.25, 0.12, 0.06][round];
            for pool in 0..start.shapes.len() {
                for sign in [1.0, -1.0] {
                    // as long as a direction pays
                    while self.change(pool, sign * step) {}
                }
            }
        }
    }

    /// Tries a pool with more or fewer chips; tells whether that is the best so far.
    fn change(&mut self, pool: usize, share: f64) -> bool {
        let Some((before, structure, _)) = &self.best else { return false };
        let before = *before;
        let mut structure = structure.clone();
        let scaled = |n: usize| {
            let scaled = (n as f64 * (1.0 + share)).round() as usize;
            if scaled == n && share > 0.0 { n + 1 } else { scaled }
        };
        match &mut structure.shapes[pool] {
            Shape::Neurons { chips, .. } => {
                let most = match &self.dealer.pools[pool].pinned {
                    None => usize::MAX,
                    Some(Pinned::Blocks(chips)) => chips.len(),
                    Some(Pinned::Circuits(_)) => *chips,
                };
                let wanted = scaled(*chips).min(most);
                if wanted == 0 || wanted == *chips {
                    return false;
                }
                *chips = wanted;
            }
            Shape::Inputs { per_bus } => {
                let wanted = scaled(*per_bus).min(ADDRESSES_PER_BUS);
                if wanted == 0 || wanted == *per_bus {
                    return false;
                }
                *per_bus = wanted;
            }
        }
        let broadcast = |plan: &Plan| plan.reach != Reach::Local;
        let keep = self.best.as_ref().is_none_or(|(_, _, plan)| broadcast(plan));
        let Ok(plan) = self.dealer.deal(&structure) else { return false };
        // a network that can be broadcast stays so
        if keep && !broadcast(&plan) {
            return false;
        }
        let cost = cost(&plan, self.dealer.inputs, self.dealer.options.chain_length);
        let better = cost < before;
        if better {
            self.best = Some((cost, structure, plan));
        }
        better
    }
}

fn cost(plan: &Plan, inputs: &InputTable, chain_length: usize) -> Cost {
    let lost = (0..plan.chips.len())
        .into_par_iter()
        .map(|chip| {
            let [easy, tight] = chip_loss(plan, inputs, chip, chain_length);
            (u64::from(easy), u64::from(tight))
        })
        .reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    // buses beyond the broadcast may not arrive: such a plan is worse than any other
    let local = if plan.reach == Reach::Local { 1e-3 } else { 0.0 };
    Cost { lost: lost.1 as f64 + 0.1 * lost.0 as f64 + local, chips: plan.chips.len() }
}

/// Synapses that a chip loses in the ideal-L1 model with few and with nearly all of its drivers.
fn chip_loss(plan: &Plan, inputs: &InputTable, chip: usize, chain_length: usize) -> [u32; 2] {
    let here = &plan.chips[chip];
    if here.members.is_empty() {
        return [0; 2];
    }
    let channels = Channels::new(plan);
    let mut vectors: Vec<HalfRowLoss> = vec![[0; 16]; channels.total];
    let mut counts = vec![0u16; channels.total];
    let mut touched = Vec::new();
    let mut wanted = vec![0u32; plan.buses.len()];
    for &member in &here.members {
        for input in inputs.of(member as usize) {
            let Some(Seat { bus, group }) = plan.seats[input.source as usize] else { continue };
            wanted[bus as usize] += 1;
            let position = plan.buses[bus as usize].receptors.position(input.receptor);
            let channel = channels.of(bus as usize, position, group);
            if counts[channel] == 0 {
                touched.push(channel);
            }
            counts[channel] += 1;
        }
        let width = plan.width(member as usize);
        for channel in touched.drain(..) {
            loss::add(&mut vectors[channel], counts[channel], width);
            counts[channel] = 0;
        }
    }
    let losses: Vec<loss::DriverLoss> = (0..plan.buses.len())
        .map(|bus| loss::of_bus(&vectors[channels.range(bus)], chain_length))
        .collect();
    let mut priced = loss::Priced::default();
    for bus in &losses {
        loss::add_priced(&mut priced, *bus);
    }
    let tight = match plan.reach {
        Reach::Broadcast { crowded: true } => CROWDED_PERCENT,
        _ => TIGHT_PERCENT,
    };
    let unheard = unheard(plan, &wanted);
    [EASY_PERCENT, tight]
        .map(|percent| unheard + loss::of_chip(&priced, here.drivers * percent / 100) as u32)
}

/// Synapses of the buses that find no line to a chip: of a component of the L1 network a chip hears
/// no more buses than can be broadcast (see [`sites`]), and those that it wants least go first.
fn unheard(plan: &Plan, wanted: &[u32]) -> u32 {
    if plan.reach != Reach::Local {
        return 0;
    }
    let mut of_component = vec![Vec::new(); L1Component::SIZE];
    for (bus, &synapses) in plan.buses.iter().zip(wanted) {
        if synapses > 0 {
            of_component[sites::component(bus.bus).index()].push(synapses);
        }
    }
    let beyond = |synapses: &mut Vec<u32>| -> u32 {
        synapses.sort_unstable_by_key(|&n| Reverse(n));
        synapses.iter().skip(sites::MAX_PER_COMPONENT).sum()
    };
    of_component.iter_mut().map(beyond).sum()
}

/// Where the loss vectors of each bus lie: four decoder groups for each receptor it acts on.
#[derive(Debug, Clone)]
pub(crate) struct Channels {
    first: Vec<u32>,
    pub(crate) total: usize,
}

impl Channels {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut first = Vec::with_capacity(plan.buses.len() + 1);
        let mut total = 0;
        for bus in &plan.buses {
            first.push(total as u32);
            total += 4 * bus.receptors.len().max(1);
        }
        first.push(total as u32);
        Self { first, total }
    }

    /// The vectors of a bus.
    pub(crate) fn range(&self, bus: usize) -> std::ops::Range<usize> {
        self.first[bus] as usize..self.first[bus + 1] as usize
    }

    /// The vector of a receptor, by its position among those of the bus, and a group.
    pub(crate) fn of(&self, bus: usize, receptor: usize, group: u8) -> usize {
        self.first[bus] as usize + 4 * receptor + usize::from(group)
    }
}

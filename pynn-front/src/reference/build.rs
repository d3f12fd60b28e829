//! From populations and projections to blocks, and back when the network changes.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::block::{Block, Changing, Membranes, Plastic, Short};
use super::math::PADDED;
use super::part::{Fixed, MOST_COLUMNS, Origin, Part, Ring, Synapse};
use super::record::Wish;
use super::synapses::{Dynamics, Resources, Traces};
use super::{Engine, Memory, Population, Projection, ReferenceError, blocks_mut, of};

/// Cells of a block, at most.
const BLOCK_CELLS: usize = 1024;

/// How many times longer than others a cell with an exponential takes.
const ADEX_WORK: usize = 32;

/// PyNN's names of the synaptic time constants, by receptor.
const TAU_SYN: [&str; 2] = ["tau_syn_E", "tau_syn_I"];

/// What blocks do not know yet.
#[derive(Debug, Default)]
pub(super) struct Stale {
    /// Populations, projections or delays have changed.
    pub(super) structure: bool,
    pub(super) parameters: bool,
    pub(super) injections: bool,
    /// Projections with new weights.
    pub(super) weights: Vec<usize>,
    /// What else is to be recorded.
    pub(super) wishes: Vec<Wish>,
}

impl Engine {
    /// Shortest and longest delay, in steps; without synapses the shortest is a few milliseconds of
    /// steps, in which nothing is exchanged.
    fn find_delays(&self) -> (u16, u16) {
        let all = || self.projections.iter().flat_map(|p| &p.delay_steps);
        let (shortest, longest) = (*all().min().unwrap_or(&32), *all().max().unwrap_or(&32));
        // what is on its way keeps its delay
        (shortest, longest.max(self.delays.1))
    }

    /// Makes the blocks what the network is.
    pub(super) fn refresh(&mut self) -> Result<(), ReferenceError> {
        if self.stale.structure {
            self.rebuild();
        } else if !self.stale.weights.is_empty() {
            self.refresh_weights();
        }
        if self.stale.structure || self.stale.parameters {
            self.refresh_parameters()?;
        }
        if self.stale.structure || self.stale.injections {
            self.refresh_injections();
        }
        self.refresh_wishes();
        self.stale = Stale::default();
        Ok(())
    }

    fn rebuild(&mut self) {
        // what was sent takes the synapses that there were
        let step_ms = self.settings.step_ms;
        self.parts.par_iter_mut().for_each(|part| part.deliver(&self.events, step_ms));
        self.events.clear();
        self.settle_weights();
        self.save_memory();
        let old = std::mem::take(&mut self.parts);
        let old_order = std::mem::take(&mut self.order);
        self.delays = self.find_delays();
        self.new_parts();
        self.fill();

        // take over what old blocks know; a population is always cut in the same way
        let order: BTreeMap<u32, (usize, usize)> =
            self.blocks().map(|b| b.sender).zip(self.order.iter().copied()).collect();
        let mut old: Vec<(Ring, Vec<Option<Block>>)> = old
            .into_iter()
            .map(|part| (part.ring, part.blocks.into_iter().map(Some).collect()))
            .collect();
        for (part, place) in old_order {
            let (ring, blocks) = &mut old[part];
            let Some(one) = blocks[place].take() else { continue };
            let (part, place) = order[&one.sender];
            let Part { blocks, ring: new_ring, .. } = &mut self.parts[part];
            let new = &mut blocks[place];
            for step in self.now + 1..=ring.last(self.now) {
                let before = ring.arrivals(step, one.column, one.columns());
                if before.iter().any(|some| some.iter().any(|g| *g != 0.0)) {
                    let after = new_ring.arrivals(step, new.column, new.columns());
                    after.into_iter().zip(before).for_each(|(a, b)| a.copy_from_slice(b));
                }
            }
            // spikes that were on their way to plastic synapses stay on their way
            let slots = one.calendar.len() as u64;
            for step in self.now + 1..=self.now + slots {
                for &index in &one.calendar[(step % slots) as usize] {
                    let origin = one.plastic.synapses[index as usize].origin;
                    let synapse = new.plastic.synapses.iter().position(|s| s.origin == origin);
                    if let Some(synapse) = synapse {
                        let slot = step as usize & (new.calendar.len() - 1);
                        new.calendar[slot].push(synapse as u32);
                    }
                }
            }
            if !new.history.is_empty() && !one.history.is_empty() {
                new.history = one.history;
            }
            new.membranes = one.membranes;
            new.pieces = one.pieces;
        }
    }

    /// New blocks in parts of about the same work, one for each thread or more.
    fn new_parts(&mut self) {
        let (threads, step_ms) = (self.threads(), self.settings.step_ms);
        let cells = self.populations.iter().enumerate().filter(|(_, p)| !p.model.is_source());
        let blocks: Vec<Block> =
            cells.flat_map(|(index, p)| new_blocks(index, p, step_ms, threads)).collect();
        let columns: usize = blocks.iter().map(Block::columns).sum();
        // twice the room that it takes, so that there is some left for the last block
        let parts = (2 * columns).div_ceil(MOST_COLUMNS).max(1).next_multiple_of(threads);
        self.parts = (0..parts).map(|_| Part::new()).collect();
        let mut work = vec![0; parts];
        let mut order: Vec<(u32, (usize, usize))> = Vec::new();
        for mut block in blocks {
            let room = |part: &usize| self.parts[*part].columns() + block.columns() <= MOST_COLUMNS;
            let least = (0..parts).filter(room).min_by_key(|&part| work[part]).unwrap_or(0);
            let adex = matches!(block.membranes, Membranes::Adex(_));
            work[least] += if adex { ADEX_WORK * block.cells } else { block.columns() };
            block.column = self.parts[least].columns();
            order.push((block.sender, (least, self.parts[least].blocks.len())));
            self.parts[least].blocks.push(block);
        }
        order.sort_unstable();
        self.order = order.into_iter().map(|(_, place)| place).collect();
        let sizes = self.populations.iter().map(|p| p.size).enumerate();
        self.population_of =
            sizes.flat_map(|(index, size)| std::iter::repeat_n(index as u32, size)).collect();
    }

    /// Sorts the synapses of all projections to the parts and blocks of their targets.
    fn fill(&mut self) {
        let members = self.members();
        let steps = usize::from(self.delays.1);
        let mut block_of = vec![u32::MAX; members];
        for (index, block) in self.blocks().enumerate() {
            let first = block.sender as usize;
            block_of[first..first + block.cells].fill(index as u32);
        }
        let projections = &self.projections;
        let (order, populations, step_ms) = (&self.order, &self.populations, self.settings.step_ms);
        self.parts.par_iter_mut().enumerate().for_each(|(number, part)| {
            part.ring = Ring::new(steps, part.columns());
            // synapses in the order of creation: those that stay, and of each block those that change
            let mut fixed: Vec<Origin> = Vec::new();
            let mut changing: Vec<Vec<Origin>> = vec![Vec::new(); part.blocks.len()];
            for (index, projection) in projections.iter().enumerate() {
                let stays = matches!(projection.memory, Memory::None);
                for (k, &post) in projection.synapses.post.iter().enumerate() {
                    let (of, place) = order[block_of[post as usize] as usize];
                    if of == number {
                        let list = if stays { &mut fixed } else { &mut changing[place] };
                        list.push((index as u32, k as u32));
                    }
                }
            }
            let fixed = by_sender(&fixed, members, |&origin| pre(projections, origin)).1;
            part.fixed = fixed_synapses(&fixed, projections, &part.blocks, &part.ring, members);
            for (block, list) in part.blocks.iter_mut().zip(changing) {
                let population = &populations[block.population];
                fill_changing(block, &list, members, projections, population, step_ms);
                let any = !block.plastic.synapses.is_empty();
                block.calendar = vec![Vec::new(); if any { steps.next_power_of_two() } else { 0 }];
                block.history = vec![Vec::new(); if any { block.cells } else { 0 }];
            }
        });
    }

    fn refresh_weights(&mut self) {
        let mut changed = vec![false; self.projections.len()];
        self.stale.weights.iter().for_each(|&p| changed[p] = true);
        let projections = &self.projections;
        let weight = |(number, k): (u32, u32)| {
            let number = number as usize;
            changed[number].then(|| projections[number].synapses.weight[k as usize])
        };
        let members = self.members();
        self.parts.par_iter_mut().for_each(|part| {
            let origins = std::mem::take(&mut part.fixed.origins);
            part.fixed = fixed_synapses(&origins, projections, &part.blocks, &part.ring, members);
        });
        for block in blocks_mut(&mut self.parts) {
            for synapse in &mut block.short.synapses {
                synapse.weight = weight(synapse.origin).unwrap_or(synapse.weight);
            }
            for synapse in &mut block.plastic.synapses {
                synapse.weight = weight(synapse.origin).unwrap_or(synapse.weight);
            }
        }
    }

    fn refresh_parameters(&mut self) -> Result<(), ReferenceError> {
        for population in &self.populations {
            population.check_reset()?;
        }
        let populations = &self.populations;
        self.parts.par_iter_mut().flat_map(|part| &mut part.blocks).for_each(|block| {
            let population = &populations[block.population];
            let first = block.first;
            let of = |name: &str, cell| population.parameter(name, first + cell);
            block.membranes.set_parameters(&of);
            for synapse in &mut block.short.synapses {
                let name = TAU_SYN[usize::from(synapse.receptor)];
                synapse.tau_syn = of(name, synapse.cell.into());
            }
        });
        Ok(())
    }

    fn refresh_injections(&mut self) {
        for block in blocks_mut(&mut self.parts) {
            let range = block.sender..block.sender + block.cells as u32;
            let of = |members: &Vec<u32>| -> Vec<u16> {
                let some = members.iter().filter(|m| range.contains(m));
                some.map(|m| (m - block.sender) as u16).collect()
            };
            let all = self.injected.iter().map(of).enumerate();
            block.injections = all.filter(|(_, cells)| !cells.is_empty()).collect();
        }
    }

    /// Brings the weights of plastic synapses home, after all spikes so far.
    pub(super) fn settle_weights(&mut self) {
        let now_ms = self.now_ms();
        let blocks = self.parts.par_iter_mut().flat_map(|part| &mut part.blocks);
        blocks.for_each(|block| block.settle(now_ms));
        for block in self.parts.iter().flat_map(|part| &part.blocks) {
            for synapse in &block.plastic.synapses {
                let (number, k) = synapse.origin;
                if !self.stale.weights.contains(&(number as usize)) {
                    let home = &mut self.projections[number as usize].synapses.weight;
                    home[k as usize] = synapse.weight;
                }
            }
        }
    }

    /// Brings the state of all plasticity home.
    fn save_memory(&mut self) {
        for block in self.parts.iter().flat_map(|part| &part.blocks) {
            for synapse in &block.short.synapses {
                let (number, k) = synapse.origin;
                if let Memory::Short(states) = &mut self.projections[number as usize].memory {
                    states[k as usize] = synapse.state;
                }
            }
            for synapse in &block.plastic.synapses {
                let (number, k) = synapse.origin;
                if let Memory::Long(states) = &mut self.projections[number as usize].memory {
                    states[k as usize] = synapse.state;
                }
            }
        }
    }

    /// Time 0, initial values, full resources, weights before plasticity; recorded data are gone.
    pub fn reset(&mut self) {
        self.now = 0;
        self.sent = None;
        self.events.clear();
        self.currents.iter_mut().for_each(super::CurrentSource::reset);
        for projection in &mut self.projections {
            match &mut projection.memory {
                Memory::None => {}
                Memory::Short(states) => states.fill(Resources::FULL),
                Memory::Long(states) => {
                    states.fill(Traces::NONE);
                    projection.synapses.weight.clone_from(&projection.initial_weight);
                }
            }
        }
        for population in &mut self.populations {
            population.spikes.clear();
            population.next.fill(0);
        }
        let (populations, projections) = (&self.populations, &self.projections);
        self.parts.iter_mut().for_each(|part| part.ring.clear());
        for block in blocks_mut(&mut self.parts) {
            let population = &populations[block.population];
            for cell in 0..block.cells {
                for (state, column) in population.model.states().iter().zip(&population.initial) {
                    block.membranes.set(state.0, cell, of(column, block.first + cell));
                }
                *block.membranes.hold(cell) = 0.0;
            }
            block.short.synapses.iter_mut().for_each(|s| s.state = Resources::FULL);
            for synapse in &mut block.plastic.synapses {
                let (number, k) = synapse.origin;
                synapse.weight = projections[number as usize].synapses.weight[k as usize];
                synapse.state = Traces::NONE;
            }
            block.calendar.iter_mut().for_each(Vec::clear);
            block.history.iter_mut().for_each(Vec::clear);
            for piece in &mut block.pieces {
                piece.first = None;
                piece.samples.clear();
            }
        }
    }
}

impl Population {
    /// A parameter of a member, by its name in PyNN; 0 for one that the model lacks.
    pub(super) fn parameter(&self, name: &str, member: usize) -> f64 {
        let column = self.model.rows().iter().position(|row| row.0 == name);
        column.map_or(0.0, |column| of(&self.columns[column], member))
    }

    fn check_reset(&self) -> Result<(), ReferenceError> {
        if self.model.is_source() {
            return Ok(());
        }
        for member in 0..self.size {
            let value = |name| self.parameter(name, member);
            let adex = self.model == super::Model::EifCondExpIsfaIsta;
            let peak = if adex && value("delta_T") > 0.0 { "v_spike" } else { "v_thresh" };
            let (v_reset, v_peak) = (value("v_reset"), value(peak));
            if v_reset >= v_peak {
                return Err(ReferenceError::Reset { v_reset, peak, v_peak });
            }
        }
        Ok(())
    }
}

/// The synapses of a part that stay, from their origins by sender.
fn fixed_synapses(
    origins: &[Origin],
    projections: &[Projection],
    blocks: &[Block],
    ring: &Ring,
    members: usize,
) -> Fixed {
    let starts: Vec<(u32, usize)> = blocks.iter().map(|b| (b.sender, b.column)).collect();
    let synapse = |origin: Origin| {
        let (projection, k) = (&projections[origin.0 as usize], origin.1 as usize);
        let post = projection.synapses.post[k];
        // blocks of a part are in the order of their first cells
        let (first, column) = starts[starts.partition_point(|(first, _)| *first <= post) - 1];
        let column = ring.column(column + (post - first) as usize, projection.receptor);
        let weight = projection.synapses.weight[k];
        Synapse { delay: projection.delay_steps[k], column, weight, origin }
    };
    Fixed::new(origins, members, |origin| pre(projections, origin) as usize, synapse)
}

fn pre(projections: &[Projection], (projection, k): Origin) -> u32 {
    projections[projection as usize].synapses.pre[k as usize]
}

/// Fills a block with those of its synapses that change.
fn fill_changing(
    block: &mut Block,
    list: &[Origin],
    members: usize,
    projections: &[Projection],
    population: &Population,
    step_ms: f64,
) {
    if list.is_empty() {
        return;
    }
    let sorted = |wanted: fn(&Memory) -> bool| {
        let wanted = |o: &&Origin| wanted(&projections[o.0 as usize].memory);
        let some: Vec<Origin> = list.iter().filter(wanted).copied().collect();
        by_sender(&some, members, |&origin| pre(projections, origin))
    };
    let at = |(number, k): Origin| {
        let (projection, k) = (&projections[number as usize], k as usize);
        let cell = (projection.synapses.post[k] - block.sender) as usize;
        (projection, k, cell)
    };
    let (first, short) = sorted(|memory| matches!(memory, Memory::Short(_)));
    let short = short.into_iter().filter_map(|origin| {
        let (projection, k, cell) = at(origin);
        let (Dynamics::TsodyksMarkram(laws), Memory::Short(states)) =
            (&projection.synapses.dynamics, &projection.memory)
        else {
            return None;
        };
        Some(Short {
            cell: cell as u16,
            receptor: projection.receptor as u8,
            delay: projection.delay_steps[k],
            weight: projection.synapses.weight[k],
            law: laws[if laws.len() == 1 { 0 } else { k }],
            tau_syn: population.parameter(TAU_SYN[projection.receptor], block.first + cell),
            state: states[k],
            origin,
        })
    });
    block.short = Changing { first, synapses: short.collect() };

    let (first, plastic) = sorted(|memory| matches!(memory, Memory::Long(_)));
    let plastic = plastic.into_iter().filter_map(|origin| {
        let (projection, k, cell) = at(origin);
        let (Dynamics::Stdp(rules), Memory::Long(states)) =
            (&projection.synapses.dynamics, &projection.memory)
        else {
            return None;
        };
        let rule = rules[if rules.len() == 1 { 0 } else { k }];
        let delay = projection.delay_steps[k];
        Some(Plastic {
            cell: cell as u16,
            receptor: projection.receptor as u8,
            delay,
            weight: projection.synapses.weight[k],
            rule,
            dendritic_ms: f64::from(delay) * step_ms * rule.dendritic_delay_fraction,
            state: states[k],
            origin,
        })
    });
    block.plastic = Changing { first, synapses: plastic.collect() };
}

fn new_blocks(
    index: usize,
    population: &Population,
    step_ms: f64,
    threads: usize,
) -> impl Iterator<Item = Block> {
    // as many for each thread
    let least = threads.min(population.size.div_ceil(PADDED));
    let pieces = population.size.div_ceil(BLOCK_CELLS).next_multiple_of(least);
    let size = population.size.div_ceil(pieces).next_multiple_of(PADDED);
    let starts = (0..population.size).step_by(size);
    let block = move |first: usize| {
        let cells = size.min(population.size - first);
        let mut membranes = Membranes::new(population.model, cells, step_ms);
        for cell in 0..cells {
            for (state, column) in population.model.states().iter().zip(&population.initial) {
                membranes.set(state.0, cell, of(column, first + cell));
            }
        }
        Block {
            population: index,
            first,
            cells,
            sender: (population.first + first) as u32,
            membranes,
            column: 0,
            short: Changing { first: Vec::new(), synapses: Vec::new() },
            plastic: Changing { first: Vec::new(), synapses: Vec::new() },
            calendar: Vec::new(),
            history: Vec::new(),
            injections: Vec::new(),
            pieces: Vec::new(),
            fired: Vec::new(),
        }
    };
    starts.map(block)
}

/// Sorts a list by sender, keeping the order of each sender's entries; with the position of the
/// first entry of each sender, and the end.
fn by_sender<T: Copy>(
    list: &[T],
    senders: usize,
    sender: impl Fn(&T) -> u32,
) -> (Vec<u32>, Vec<T>) {
    let mut first = vec![0_u32; senders + 1];
    for one in list {
        first[sender(one) as usize + 1] += 1;
    }
    for s in 0..senders {
        first[s + 1] += first[s];
    }
    let mut next = first.clone();
    let mut sorted = list.to_vec();
    for one in list {
        let place = &mut next[sender(one) as usize];
        sorted[*place as usize] = *one;
        *place += 1;
    }
    (first, sorted)
}

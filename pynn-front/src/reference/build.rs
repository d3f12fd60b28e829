//! From populations and projections to blocks, and back when the network changes.

use rayon::prelude::*;

use super::block::{Block, Changing, Fixed, Membranes, Plastic, Ring, Short};
use super::math::LANES;
use super::record::Wish;
use super::synapses::{Dynamics, Resources, Traces};
use super::{Engine, Memory, Population, ReferenceError, of, run};

/// Cells of a block, at most. What a block computes in a step fits into the caches of a core.
const BLOCK_CELLS: usize = 512;

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
    pub(super) fn delays(&self) -> (u16, u16) {
        let all = || self.projections.iter().flat_map(|p| &p.delay_steps);
        (*all().min().unwrap_or(&32), *all().max().unwrap_or(&32))
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
        self.blocks.par_iter_mut().for_each(|block| block.deliver(&self.events, step_ms));
        self.events.clear();
        self.settle_weights();
        self.save_memory();
        let old = std::mem::take(&mut self.blocks);
        let (_, longest) = self.delays();
        for (index, population) in self.populations.iter().enumerate() {
            if !population.model.is_source() {
                self.blocks.extend(new_blocks(index, population, step_ms));
            }
        }
        self.fill(longest);

        // take over what old blocks know
        let starts: Vec<usize> = self.blocks.iter().map(|b| b.sender as usize).collect();
        let place = |member: usize| {
            let block = starts.partition_point(|&start| start <= member) - 1;
            (block, member - starts[block])
        };
        for mut one in old {
            let first = one.sender as usize;
            for cell in 0..one.cells {
                let (block, at) = place(first + cell);
                let new = &mut self.blocks[block];
                for (variable, _) in self.populations[one.population].model.states() {
                    new.membranes.set(*variable, at, one.membranes.get(*variable, cell));
                }
                *new.membranes.hold(at) = *one.membranes.hold(cell);
                if let Some(history) = one.history.get_mut(cell)
                    && let Some(place) = new.history.get_mut(at)
                {
                    *place = std::mem::take(history);
                }
            }
            for (step, column, g) in one.ring.pending(self.now) {
                let half = one.ring.column(0, 1);
                let (receptor, cell) = (usize::from(column / half), usize::from(column % half));
                if cell < one.cells {
                    let (block, at) = place(first + cell);
                    let ring = &mut self.blocks[block].ring;
                    let column = ring.column(at, receptor);
                    ring.add(step, column, g);
                }
            }
            for (slot, due) in one.calendar.iter().enumerate() {
                for &index in due {
                    self.reschedule(&one, slot, index as usize, &place);
                }
            }
            // the cells of a population are always cut in the same way
            let (block, _) = place(first);
            self.blocks[block].pieces = one.pieces;
        }
    }

    /// A spike that was on its way to a plastic synapse stays on its way.
    fn reschedule(
        &mut self,
        old: &Block,
        slot: usize,
        index: usize,
        place: &dyn Fn(usize) -> (usize, usize),
    ) {
        let len = old.calendar.len() as u64;
        let step = (self.now + 1..=self.now + len).find(|s| s % len == slot as u64);
        let (block, _) = place(old.sender as usize);
        let block = &mut self.blocks[block];
        let origin = old.plastic.synapses[index].origin;
        let synapse = block.plastic.synapses.iter().position(|s| s.origin == origin);
        if let (Some(step), Some(synapse)) = (step, synapse) {
            let slot = step as usize & (block.calendar.len() - 1);
            block.calendar[slot].push(synapse as u32);
        }
    }

    /// Sorts the synapses of all projections to the blocks of their targets.
    fn fill(&mut self, longest: u16) {
        let members = self.members();
        let mut block_of = vec![u32::MAX; members];
        for (index, block) in self.blocks.iter().enumerate() {
            let first = block.sender as usize;
            block_of[first..first + block.cells].fill(index as u32);
        }
        let projections = &self.projections;
        // synapses of each block, in the order of creation
        let mut lists: Vec<Vec<(u32, u32)>> = vec![Vec::new(); self.blocks.len()];
        for (number, projection) in projections.iter().enumerate() {
            for (k, &post) in projection.synapses.post.iter().enumerate() {
                lists[block_of[post as usize] as usize].push((number as u32, k as u32));
            }
        }
        let populations = &self.populations;
        let step_ms = self.settings.step_ms;
        self.blocks.par_iter_mut().zip(lists).for_each(|(block, list)| {
            let steps = usize::from(longest) + run::LONGEST_WINDOW as usize + 1;
            block.ring = Ring::new(steps, block.cells);
            let kind = |(number, _): &(u32, u32)| &projections[*number as usize].synapses.dynamics;
            let sorted = |wanted: fn(&Dynamics) -> bool| {
                let some = list.iter().filter(|o| wanted(kind(o))).copied().collect::<Vec<_>>();
                by_sender(&some, members, |(number, k)| {
                    projections[*number as usize].synapses.pre[*k as usize]
                })
            };
            let at = |(number, k): (u32, u32)| {
                let (projection, k) = (&projections[number as usize], k as usize);
                let cell = (projection.synapses.post[k] - block.sender) as usize;
                (projection, k, cell)
            };

            let (first, fixed) = sorted(|d| matches!(d, Dynamics::Static));
            block.fixed = Fixed { first, ..Fixed::default() };
            for &origin in &fixed {
                let (projection, k, cell) = at(origin);
                block.fixed.column.push(block.ring.column(cell, projection.receptor));
                block.fixed.delay.push(projection.delay_steps[k]);
                block.fixed.weight.push(projection.synapses.weight[k]);
            }
            block.fixed.origin = fixed;
            block.fixed.shorten();

            let (first, short) = sorted(|d| matches!(d, Dynamics::TsodyksMarkram(_)));
            let population = &populations[block.population];
            let tau_of = |receptor: usize, cell: usize| {
                let name = ["tau_syn_E", "tau_syn_I"][receptor];
                population.parameter(name, block.first + cell)
            };
            let short = short.into_iter().filter_map(|origin| {
                let (projection, k, cell) = at(origin);
                let Dynamics::TsodyksMarkram(laws) = &projection.synapses.dynamics else {
                    return None;
                };
                let state = match &projection.memory {
                    Memory::Short(states) => states[k],
                    _ => Resources::FULL,
                };
                Some(Short {
                    column: block.ring.column(cell, projection.receptor),
                    delay: projection.delay_steps[k],
                    weight: projection.synapses.weight[k],
                    law: laws[if laws.len() == 1 { 0 } else { k }],
                    tau_syn: tau_of(projection.receptor, cell),
                    state,
                    origin,
                })
            });
            block.short = Changing { first, synapses: short.collect() };

            let (first, plastic) = sorted(|d| matches!(d, Dynamics::Stdp(_)));
            let plastic = plastic.into_iter().filter_map(|origin| {
                let (projection, k, cell) = at(origin);
                let Dynamics::Stdp(rules) = &projection.synapses.dynamics else { return None };
                let rule = rules[if rules.len() == 1 { 0 } else { k }];
                let state = match &projection.memory {
                    Memory::Long(states) => states[k],
                    _ => Traces::NONE,
                };
                let delay = projection.delay_steps[k];
                Some(Plastic {
                    cell: cell as u16,
                    receptor: projection.receptor as u8,
                    delay,
                    weight: projection.synapses.weight[k],
                    rule,
                    dendritic_ms: f64::from(delay) * step_ms * rule.dendritic_delay_fraction,
                    state,
                    origin,
                })
            });
            block.plastic = Changing { first, synapses: plastic.collect() };
            let any = !block.plastic.synapses.is_empty();
            block.calendar = vec![Vec::new(); if any { steps.next_power_of_two() } else { 0 }];
            block.history = vec![Vec::new(); if any { block.cells } else { 0 }];
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
        self.blocks.par_iter_mut().for_each(|block| {
            for (place, &origin) in block.fixed.weight.iter_mut().zip(&block.fixed.origin) {
                *place = weight(origin).unwrap_or(*place);
            }
            block.fixed.shorten();
            for synapse in &mut block.short.synapses {
                synapse.weight = weight(synapse.origin).unwrap_or(synapse.weight);
            }
            for synapse in &mut block.plastic.synapses {
                synapse.weight = weight(synapse.origin).unwrap_or(synapse.weight);
            }
        });
    }

    fn refresh_parameters(&mut self) -> Result<(), ReferenceError> {
        for population in &self.populations {
            population.check_reset()?;
        }
        let populations = &self.populations;
        self.blocks.par_iter_mut().for_each(|block| {
            let population = &populations[block.population];
            let first = block.first;
            let of = |name: &str, cell| population.parameter(name, first + cell);
            block.membranes.set_parameters(&of);
            let half = block.ring.column(0, 1);
            for synapse in &mut block.short.synapses {
                let name = if synapse.column < half { "tau_syn_E" } else { "tau_syn_I" };
                let cell = usize::from(synapse.column % half);
                synapse.tau_syn = population.parameter(name, block.first + cell);
            }
        });
        Ok(())
    }

    fn refresh_injections(&mut self) {
        for block in &mut self.blocks {
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
        self.blocks.par_iter_mut().for_each(|block| block.settle(now_ms));
        for block in &self.blocks {
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
        for block in &self.blocks {
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
        for block in &mut self.blocks {
            let population = &populations[block.population];
            for cell in 0..block.cells {
                for (state, column) in population.model.states().iter().zip(&population.initial) {
                    block.membranes.set(state.0, cell, of(column, block.first + cell));
                }
                *block.membranes.hold(cell) = 0.0;
            }
            block.ring.clear();
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

fn new_blocks(index: usize, population: &Population, step_ms: f64) -> Vec<Block> {
    let pieces = population.size.div_ceil(BLOCK_CELLS);
    let size = population.size.div_ceil(pieces).next_multiple_of(LANES);
    let starts = (0..population.size).step_by(size);
    let block = |first: usize| {
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
            ring: Ring::new(1, cells),
            fixed: Fixed::default(),
            short: Changing { first: Vec::new(), synapses: Vec::new() },
            plastic: Changing { first: Vec::new(), synapses: Vec::new() },
            calendar: Vec::new(),
            history: Vec::new(),
            injections: Vec::new(),
            pieces: Vec::new(),
            fired: Vec::new(),
        }
    };
    starts.map(block).collect()
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

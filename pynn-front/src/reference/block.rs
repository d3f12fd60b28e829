//! Some cells of one population with everything that reaches them: what a thread works on.

use std::collections::BTreeMap;

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch};

use super::adex::Adex;
use super::lif::Lif;
use super::math::LANES;
use super::model::{Model, Variable};
use super::synapses::{PairRule, Resources, Traces, TsodyksMarkram};

/// Different weights that fit into the caches of a core beside everything else.
const FEW_WEIGHTS: usize = 1024;

/// A spike of a member of the network, counted over all populations, at the end of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) step: u64,
    pub(super) sender: u32,
}

/// Steps to run, and what is known before.
#[derive(Debug)]
pub(super) struct Window<'a> {
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) step_ms: f64,
    /// Spikes to deliver first.
    pub(super) events: &'a [Event],
    /// Currents at the start of each step, by source.
    pub(super) currents: &'a [Vec<f64>],
}

/// The membranes of a block.
#[derive(Debug, Clone)]
pub(super) enum Membranes {
    Lif(Box<Lif>),
    Adex(Adex),
}

impl Membranes {
    pub(super) fn new(model: Model, cells: usize, step_ms: f64) -> Self {
        if model == Model::EifCondExpIsfaIsta {
            return Self::Adex(Adex::new(cells, step_ms));
        }
        let adapts = model == Model::IfCondExpGsfaGrr;
        Self::Lif(Box::new(Lif::new(cells, step_ms, adapts)))
    }

    /// Takes over the parameters of all cells, by their names in PyNN.
    pub(super) fn set_parameters(&mut self, of: &dyn Fn(&str, usize) -> f64) {
        match self {
            Self::Lif(cells) => cells.set_parameters(of),
            Self::Adex(cells) => cells.set_parameters(of),
        }
    }

    pub(super) fn get(&self, variable: Variable, cell: usize) -> f64 {
        match self {
            Self::Lif(cells) => cells.get(variable, cell),
            Self::Adex(cells) => cells.get(variable, cell),
        }
    }

    pub(super) fn set(&mut self, variable: Variable, cell: usize, value: f64) {
        match self {
            Self::Lif(cells) => cells.set(variable, cell, value),
            Self::Adex(cells) => cells.set(variable, cell, value),
        }
    }

    /// Milliseconds left of the refractory period.
    pub(super) fn hold(&mut self, cell: usize) -> &mut f64 {
        match self {
            Self::Lif(cells) => cells.hold(cell),
            Self::Adex(cells) => cells.hold(cell),
        }
    }

    fn inject(&mut self, cell: usize, current: f64) {
        match self {
            Self::Lif(cells) => cells.inject(cell, current),
            Self::Adex(cells) => cells.inject(cell, current),
        }
    }

    fn add(&mut self, cell: usize, receptor: usize, weight: f64) {
        let variable = [Variable::GsynExc, Variable::GsynInh][receptor];
        let g = self.get(variable, cell);
        self.set(variable, cell, g + weight);
    }
}

/// Conductances on their way: one row per step, excitatory inputs first.
#[derive(Debug, Clone)]
pub(super) struct Ring {
    mask: usize,
    width: usize,
    rows: Vec<f64>,
}

impl Ring {
    /// Room for so many steps.
    pub(super) fn new(steps: usize, cells: usize) -> Self {
        let steps = steps.next_power_of_two();
        let width = 2 * cells.next_multiple_of(LANES);
        Self { mask: steps - 1, width, rows: vec![0.0; steps * width] }
    }

    /// Position of a cell's input in a row.
    pub(super) fn column(&self, cell: usize, receptor: usize) -> u16 {
        (receptor * self.width / 2 + cell) as u16
    }

    fn start(&self, step: u64) -> usize {
        (step as usize & self.mask) * self.width
    }

    pub(super) fn add(&mut self, step: u64, column: u16, weight: f64) {
        let start = self.start(step);
        self.rows[start + usize::from(column)] += weight;
    }

    /// What is on its way after a step: step, column, conductance.
    pub(super) fn pending(&self, now: u64) -> impl Iterator<Item = (u64, u16, f64)> {
        let steps = now + 1..=now + self.mask as u64;
        steps.flat_map(move |step| {
            let row = &self.rows[self.start(step)..][..self.width];
            let some = row.iter().enumerate().filter(|(_, g)| **g != 0.0);
            some.map(move |(column, g)| (step, column as u16, *g))
        })
    }

    pub(super) fn clear(&mut self) {
        self.rows.fill(0.0);
    }
}

/// Which synapse of which projection one is.
pub(super) type Origin = (u32, u32);

/// Synapses whose weights stay, by sender.
#[derive(Debug, Clone, Default)]
pub(super) struct Fixed {
    /// Position of the first synapse of each sender; one more than senders.
    pub(super) first: Vec<u32>,
    pub(super) column: Vec<u16>,
    pub(super) delay: Vec<u16>,
    pub(super) weight: Vec<f64>,
    pub(super) origin: Vec<Origin>,
    /// All of them in short, if they have one delay and few different weights.
    pub(super) short: Option<InShort>,
}

/// Synapses of one delay, four bytes each: what is delivered often is read from far away.
#[derive(Debug, Clone)]
pub(super) struct InShort {
    delay: u16,
    /// Column and position of the weight.
    synapses: Vec<(u16, u16)>,
    /// The different weights.
    weights: Vec<f64>,
}

impl Fixed {
    /// Writes the synapses in short if that can be done.
    pub(super) fn shorten(&mut self) {
        self.short = self.in_short();
    }

    fn in_short(&self) -> Option<InShort> {
        let delay = *self.delay.first()?;
        if self.delay.iter().any(|other| *other != delay) {
            return None;
        }
        let mut known: BTreeMap<u64, u16> = BTreeMap::new();
        let mut weights = Vec::new();
        let mut synapses = Vec::with_capacity(self.column.len());
        for (&column, &weight) in self.column.iter().zip(&self.weight) {
            let position = *known.entry(weight.to_bits()).or_insert(weights.len() as u16);
            if usize::from(position) == weights.len() {
                if weights.len() == FEW_WEIGHTS {
                    return None;
                }
                weights.push(weight);
            }
            synapses.push((column, position));
        }
        Some(InShort { delay, synapses, weights })
    }
}

/// A synapse with short-term plasticity.
#[derive(Debug, Clone)]
pub(super) struct Short {
    pub(super) column: u16,
    pub(super) delay: u16,
    pub(super) weight: f64,
    pub(super) law: TsodyksMarkram,
    pub(super) tau_syn: f64,
    pub(super) state: Resources,
    pub(super) origin: Origin,
}

/// A synapse with spike-timing dependent plasticity.
#[derive(Debug, Clone)]
pub(super) struct Plastic {
    pub(super) cell: u16,
    pub(super) receptor: u8,
    pub(super) delay: u16,
    pub(super) weight: f64,
    pub(super) rule: PairRule,
    pub(super) dendritic_ms: f64,
    pub(super) state: Traces,
    pub(super) origin: Origin,
}

/// Synapses that change, by sender.
#[derive(Debug, Clone)]
pub(super) struct Changing<T> {
    pub(super) first: Vec<u32>,
    pub(super) synapses: Vec<T>,
}

/// Samples of a state variable of some cells, row by row.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) variable: Variable,
    /// Cells of this block.
    pub(super) cells: Vec<u16>,
    pub(super) every: u64,
    /// Step of the first sample; none before it is taken.
    pub(super) first: Option<u64>,
    pub(super) samples: Vec<f64>,
}

impl Piece {
    fn sample(&mut self, membranes: &Membranes) {
        let values = self.cells.iter().map(|&cell| membranes.get(self.variable, cell.into()));
        self.samples.extend(values);
    }

    /// Takes the first sample, if there is none.
    pub(super) fn start(&mut self, membranes: &Membranes, now: u64) {
        if self.first.is_none() {
            self.first = Some(now);
            self.sample(membranes);
        }
    }
}

/// Some cells of one population.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) population: usize,
    /// Its first cell, counted in the population.
    pub(super) first: usize,
    pub(super) cells: usize,
    /// Its first cell, counted over all populations.
    pub(super) sender: u32,
    pub(super) membranes: Membranes,
    pub(super) ring: Ring,
    pub(super) fixed: Fixed,
    pub(super) short: Changing<Short>,
    pub(super) plastic: Changing<Plastic>,
    /// Synapses of `plastic` that deliver at a step.
    pub(super) calendar: Vec<Vec<u32>>,
    /// Spike times of each cell, ms, if there are plastic synapses.
    pub(super) history: Vec<Vec<f64>>,
    /// Cells with currents from outside: by source, position in `Window::currents`.
    pub(super) injections: Vec<(usize, Vec<u16>)>,
    pub(super) pieces: Vec<Piece>,
    pub(super) fired: Vec<Event>,
}

impl Block {
    /// Delivers spikes, then runs the steps of a window; what has fired is in `fired`.
    pub(super) fn advance(&mut self, level: Level, window: &Window<'_>) {
        self.deliver(window.events, window.step_ms);
        self.fired.clear();
        dispatch!(level, simd => self.integrate(simd, window));
    }

    pub(super) fn deliver(&mut self, events: &[Event], step_ms: f64) {
        for event in events {
            let row = |first: &[u32]| {
                let sender = event.sender as usize;
                first[sender] as usize..first[sender + 1] as usize
            };
            let some = row(&self.fixed.first);
            if let Some(InShort { delay, synapses, weights }) = &self.fixed.short {
                let start = self.ring.start(event.step + u64::from(*delay));
                let row = &mut self.ring.rows[start..start + self.ring.width];
                for &(column, weight) in &synapses[some] {
                    row[usize::from(column)] += weights[usize::from(weight)];
                }
            } else {
                for synapse in some {
                    let step = event.step + u64::from(self.fixed.delay[synapse]);
                    self.ring.add(step, self.fixed.column[synapse], self.fixed.weight[synapse]);
                }
            }
            let time = event.step as f64 * step_ms;
            for synapse in &mut self.short.synapses[row(&self.short.first)] {
                let share = synapse.state.spike(&synapse.law, synapse.tau_syn, time);
                let step = event.step + u64::from(synapse.delay);
                self.ring.add(step, synapse.column, synapse.weight * share);
            }
            for index in row(&self.plastic.first) {
                let step = event.step + u64::from(self.plastic.synapses[index].delay);
                let slot = step as usize & (self.calendar.len() - 1);
                self.calendar[slot].push(index as u32);
            }
        }
    }

    #[inline(always)]
    fn integrate<S: Simd>(&mut self, simd: S, window: &Window<'_>) {
        let mut fired = Vec::new();
        for step in window.first..window.end {
            self.inject((step - window.first) as usize, window.currents);
            let start = self.ring.start(step + 1);
            let arrivals = &mut self.ring.rows[start..start + self.ring.width];
            match &mut self.membranes {
                Membranes::Lif(cells) => cells.step(simd, arrivals, &mut fired),
                Membranes::Adex(cells) => cells.step(arrivals, &mut fired),
            }
            arrivals.fill(0.0);
            let now = step + 1;
            if !self.plastic.synapses.is_empty() {
                for &cell in &fired {
                    self.history[usize::from(cell)].push(now as f64 * window.step_ms);
                }
                self.arrive(now, window.step_ms);
            }
            let sender = self.sender;
            let event = |cell| Event { step: now, sender: sender + u32::from(cell) };
            self.fired.extend(fired.drain(..).map(event));
            for piece in &mut self.pieces {
                if piece.first.is_some_and(|first| (now - first) % piece.every == 0) {
                    piece.sample(&self.membranes);
                }
            }
        }
    }

    fn inject(&mut self, step: usize, currents: &[Vec<f64>]) {
        for (_, cells) in &self.injections {
            for &cell in cells {
                self.membranes.inject(cell.into(), 0.0);
            }
        }
        let mut sums: Vec<(u16, f64)> = Vec::new();
        for (source, cells) in &self.injections {
            let current = currents[*source][step];
            sums.extend(cells.iter().map(|&cell| (cell, current)));
        }
        sums.sort_by_key(|(cell, _)| *cell);
        for one in sums.chunk_by(|a, b| a.0 == b.0) {
            let sum = one.iter().map(|(_, current)| current).sum();
            self.membranes.inject(one[0].0.into(), sum);
        }
    }

    /// Plastic synapses deliver what is due.
    fn arrive(&mut self, now: u64, step_ms: f64) {
        let slot = now as usize & (self.calendar.len() - 1);
        let due = std::mem::take(&mut self.calendar[slot]);
        for &index in &due {
            let synapse = &mut self.plastic.synapses[index as usize];
            let (dendritic_ms, cell) = (synapse.dendritic_ms, usize::from(synapse.cell));
            let time = now as f64 * step_ms - dendritic_ms;
            let (rule, weight) = (&synapse.rule, &mut synapse.weight);
            synapse.state.pre(rule, weight, time, dendritic_ms, &self.history[cell]);
            self.membranes.add(cell, synapse.receptor.into(), synapse.weight);
        }
        self.calendar[slot] = due;
        self.calendar[slot].clear();
    }

    /// Lets the weights of plastic synapses see all spikes until now.
    pub(super) fn settle(&mut self, now_ms: f64) {
        for synapse in &mut self.plastic.synapses {
            let history = &self.history[usize::from(synapse.cell)];
            let Plastic { rule, weight, dendritic_ms, .. } = synapse;
            let together = synapse.state.post(rule, weight, now_ms, *dendritic_ms, history);
            synapse.state.later(rule, now_ms, together);
        }
    }
}

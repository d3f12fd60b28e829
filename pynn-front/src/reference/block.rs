//! Some cells of one population, with the synapses onto them that change.

use fearless_simd::prelude::*;

use super::adex::Adex;
use super::lif::Lif;
use super::math::PADDED;
use super::model::{Model, Variable};
use super::part::{Origin, Ring};
use super::synapses::{PairRule, Resources, Traces, TsodyksMarkram};

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

/// A synapse with short-term plasticity.
#[derive(Debug, Clone)]
pub(super) struct Short {
    pub(super) cell: u16,
    pub(super) receptor: u8,
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
    /// Whether a sample is taken at the end of a step.
    fn due(&self, now: u64) -> bool {
        self.first.is_some_and(|first| (now - first) % self.every == 0)
    }

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
    /// Its first cell in the rows of the ring.
    pub(super) column: usize,
    pub(super) membranes: Membranes,
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
    /// Columns that it takes in a ring.
    pub(super) const fn columns(&self) -> usize {
        self.cells.next_multiple_of(PADDED)
    }

    /// Delivers spikes to the synapses that change.
    pub(super) fn deliver(&mut self, events: &[Event], ring: &mut Ring, step_ms: f64) {
        if self.short.synapses.is_empty() && self.plastic.synapses.is_empty() {
            return;
        }
        for event in events {
            let row = |first: &[u32]| {
                let sender = event.sender as usize;
                first[sender] as usize..first[sender + 1] as usize
            };
            let time = event.step as f64 * step_ms;
            for synapse in &mut self.short.synapses[row(&self.short.first)] {
                let share = synapse.state.spike(&synapse.law, synapse.tau_syn, time);
                let step = event.step + u64::from(synapse.delay);
                let cell = self.column + usize::from(synapse.cell);
                let column = ring.column(cell, synapse.receptor.into());
                ring.add(step, column, synapse.weight * share);
            }
            for index in row(&self.plastic.first) {
                let step = event.step + u64::from(self.plastic.synapses[index].delay);
                let slot = step as usize & (self.calendar.len() - 1);
                self.calendar[slot].push(index as u32);
            }
        }
    }

    /// Runs the steps of a window; what has fired is in `fired`, in the order of steps for each cell.
    #[inline(always)]
    pub(super) fn integrate<S: Simd>(&mut self, simd: S, ring: &mut Ring, window: &Window<'_>) {
        let mut fired = Vec::new();
        let mut step = window.first;
        while step < window.end {
            let now = self.next_stop(step, window.end);
            self.inject((step - window.first) as usize, window.currents);
            match &mut self.membranes {
                Membranes::Lif(cells) => {
                    cells.advance(simd, step..now, ring, self.column, &mut fired);
                }
                Membranes::Adex(cells) => cells.advance(step..now, ring, self.column, &mut fired),
            }
            if !self.plastic.synapses.is_empty() {
                for &(_, cell) in &fired {
                    self.history[usize::from(cell)].push(now as f64 * window.step_ms);
                }
                self.arrive(now, window.step_ms);
            }
            let sender = self.sender;
            let event = |(step, cell)| Event { step, sender: sender + u32::from(cell) };
            self.fired.extend(fired.drain(..).map(event));
            for piece in &mut self.pieces {
                if piece.due(now) {
                    piece.sample(&self.membranes);
                }
            }
            step = now;
        }
    }

    /// The step until which nothing looks at the cells or changes their currents.
    fn next_stop(&self, step: u64, end: u64) -> u64 {
        if !self.plastic.synapses.is_empty() || !self.injections.is_empty() {
            return step + 1;
        }
        let mut later = step + 1..end;
        later.find(|&now| self.pieces.iter().any(|piece| piece.due(now))).unwrap_or(end)
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

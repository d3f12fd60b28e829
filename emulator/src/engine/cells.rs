//! The membranes of some chips, sixteen by sixteen, whatever chip they are on.

use std::ops::Range;

use fearless_simd::prelude::*;
use hal::coord::NeuronOnHicann;
use serde::{Deserialize, Serialize};

use crate::circuits::Membrane;

use super::adex::Adex;
use super::arrivals::Arrivals;
use super::block::{Block, Crossing, Input, Steps};
use super::carry::{self, Layout, MembraneLayout};
use super::math::LANES;
use super::saturation;

/// Conductances below this are none, as rates; numbers much smaller than that are slow.
const FAINT: f32 = 1e-14;

/// A rate per step that no input comes near to, for one without a limit among others that have one;
/// increments in units of it still fit a target.
const NO_LIMIT: f64 = 8.0;

/// The membranes of the chips of a cluster, chip after chip.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    blocks: Vec<Block>,
    inputs: Vec<Input>,
    /// By slot: what a conductance of 1 per step is in the units of `Input::g`.
    units: Vec<f32>,
    /// Absolute leak potentials, V.
    e_leak: Vec<f32>,
    /// Inputs and adaptation currents of each membrane.
    terms: Vec<[u8; 2]>,
    bounds: Bounds,
    /// One over the voltage at which the leak's linear law reaches its limit; 0 without one.
    inverse_leak_range: f32,
}

/// What changes of the membranes of a chip during a run: by membrane, and by membrane and its inputs or
/// adaptation currents.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct CellsState {
    v: Vec<f32>,
    ready: Vec<f32>,
    g: Vec<f32>,
    w: Vec<f32>,
}

/// What is bounded in any of some membranes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The conductances of inputs.
    inputs: bool,
    /// The current of the leak, or the speed of the reset.
    leak_or_reset: bool,
}

impl Bounds {
    /// Those of all membranes of a wafer.
    pub(super) fn of<'m>(membranes: impl Iterator<Item = &'m Membrane> + Clone) -> Self {
        let limit = |m: &Membrane| m.inputs.iter().any(|input| input.limit_s.is_finite());
        Self {
            inputs: membranes.clone().any(limit),
            leak_or_reset: membranes
                .into_iter()
                .any(|m| m.leak_range_v.is_some() || m.tau_reset_s > 0.0),
        }
    }
}

impl Cells {
    /// `bounds` are those of the whole wafer.
    pub(super) fn new(membranes: &[&Membrane], bounds: Bounds, step_s: f64) -> Self {
        let range_v = membranes.iter().find_map(|m| m.leak_range_v);
        let mut cells = Self {
            blocks: Vec::new(),
            inputs: Vec::new(),
            units: Vec::new(),
            e_leak: membranes.iter().map(|m| m.e_leak_v as f32).collect(),
            terms: membranes
                .iter()
                .map(|m| [m.inputs.len() as u8, m.adaptation.len() as u8])
                .collect(),
            bounds,
            inverse_leak_range: range_v.map_or(0.0, |v| (1.0 / v) as f32),
        };
        for some in membranes.chunks(LANES) {
            cells.add_block(some, step_s);
        }
        cells
    }

    fn add_block(&mut self, membranes: &[&Membrane], step_s: f64) {
        let zero = [0.0; LANES];
        let first = self.inputs.len();
        let inputs = membranes.iter().map(|m| m.inputs.len()).max().unwrap_or(0);
        let mut block = Block {
            v: zero,
            ready: [1.0; LANES],
            refractory_steps: zero,
            threshold: [f32::INFINITY; LANES],
            reset: zero,
            pulling: zero,
            pull: zero,
            leak: zero,
            injected: zero,
            inputs: first..first + inputs,
            adex: Adex::new(membranes, step_s),
            kept: None,
        };
        let unused = Input { g: zero, decay: zero, e_rev: zero, limit: zero };
        self.inputs.resize(first + inputs, unused);
        self.units.resize((first + inputs) * LANES, 0.0);
        for (i, m) in membranes.iter().enumerate() {
            block.v[i] = (m.initial_v - m.e_leak_v) as f32;
            block.reset[i] = (m.v_reset_v - m.e_leak_v) as f32;
            block.ready[i] = if m.held { f32::NEG_INFINITY } else { 1.0 };
            block.leak[i] = (m.leak_s * step_s / m.capacitance_f) as f32;
            if let Some(leader) = m.comparators.first() {
                block.threshold[i] = (leader.v_t_v - m.e_leak_v) as f32;
                block.refractory_steps[i] = (m.tau_ref_s / step_s) as f32;
                if m.tau_reset_s > 0.0 {
                    block.pulling[i] = (-step_s / m.tau_reset_s) as f32;
                    block.pull[i] = (-step_s / m.tau_reset_s).exp() as f32;
                }
            }
            for (k, input) in m.inputs.iter().enumerate() {
                let lanes = &mut self.inputs[first + k];
                let ratio = step_s / input.tau_s;
                let mean = -(-ratio).exp_m1() / ratio;
                lanes.decay[i] = (-ratio).exp() as f32;
                lanes.e_rev[i] = (input.e_rev_v - m.e_leak_v) as f32;
                let rate = input.limit_s / m.capacitance_f * step_s;
                let limit = if rate.is_finite() { rate } else { NO_LIMIT } / saturation::ROOT;
                lanes.limit[i] = limit as f32;
                let unit = if self.bounds.inputs { mean / limit } else { mean };
                self.units[(first + k) * LANES + i] = unit as f32;
            }
        }
        self.blocks.push(block);
    }

    /// The slot of an input of a membrane, and what a conductance of 1 per step is there.
    pub(super) fn slot(&self, membrane: usize, input: usize) -> (u32, f32) {
        let inputs = &self.blocks[membrane / LANES].inputs;
        let slot = (inputs.start + input) * LANES + membrane % LANES;
        (slot as u32, self.units[slot])
    }

    /// Number of slots.
    pub(super) fn slots(&self) -> u32 {
        self.units.len() as u32
    }

    /// Adds to a conductance, from the next step on; in the unit of the slot.
    #[inline(always)]
    pub(super) fn add(&mut self, slot: u32, increment: f32) {
        self.inputs[slot as usize / LANES].g[slot as usize % LANES] += increment;
    }

    /// Raises a membrane in the next step.
    pub(super) fn inject(&mut self, membrane: usize, volts: f32) {
        self.blocks[membrane / LANES].injected[membrane % LANES] += volts;
    }

    /// Forgets faint conductances.
    pub(super) fn tidy(&mut self) {
        for input in &mut self.inputs {
            input.g = input.g.map(|g| if g < FAINT { 0.0 } else { g });
        }
    }

    /// Advances every membrane by some steps and tells which ones fire, in order of time and
    /// membrane. What arrives in a step acts from the next one on.
    #[inline(always)]
    pub(super) fn advance<S: Simd>(
        &mut self,
        simd: S,
        steps: &Steps,
        arrivals: &mut Arrivals,
        crossings: &mut Vec<Crossing>,
    ) {
        let before = crossings.len();
        let to = (arrivals, &mut *crossings);
        // each has a loop of its own
        match self.bounds {
            Bounds { inputs: true, .. } => self.advance_with::<S, true, true>(simd, steps, to),
            Bounds { leak_or_reset: true, .. } => {
                self.advance_with::<S, true, false>(simd, steps, to);
            }
            _ => self.advance_with::<S, false, false>(simd, steps, to),
        }
        crossings[before..].sort_unstable_by_key(|c| (c.time, c.membrane));
    }

    #[inline(always)]
    fn advance_with<S: Simd, const LIMITED: bool, const SATURATES: bool>(
        &mut self,
        simd: S,
        steps: &Steps,
        (arrivals, crossings): (&mut Arrivals, &mut Vec<Crossing>),
    ) {
        let inverse_leak_range = self.inverse_leak_range;
        for (b, block) in self.blocks.iter_mut().enumerate() {
            let inputs = &mut self.inputs[block.inputs.clone()];
            let fired = |time, lane: usize, v| {
                crossings.push(Crossing { time, membrane: (b * LANES + lane) as u32, v });
            };
            let to = (&mut *arrivals, fired);
            let range = inverse_leak_range;
            if block.adex.is_none() {
                block.advance::<S, _, LIMITED, SATURATES, false>(simd, inputs, range, steps, to);
            } else {
                block.advance::<S, _, LIMITED, SATURATES, true>(simd, inputs, range, steps, to);
            }
        }
    }

    /// Keeps the voltages of a membrane from now on.
    pub(super) fn keep(&mut self, membrane: usize) {
        self.blocks[membrane / LANES].kept.get_or_insert_default();
    }

    /// Absolute voltages of a membrane at the ends of the last steps, V, if they are kept.
    pub(super) fn kept(&self, membrane: usize) -> impl Iterator<Item = f32> {
        let kept = self.blocks[membrane / LANES].kept.iter().flatten();
        kept.map(move |v| v[membrane % LANES] + self.e_leak[membrane])
    }

    /// The slots of some membranes, by membrane and input.
    pub(super) fn slots_of(&self, membranes: Range<usize>) -> impl Iterator<Item = u32> {
        membranes.flat_map(move |m| {
            let inputs = usize::from(self.terms[m][0]);
            (0..inputs).map(move |input| self.slot(m, input).0)
        })
    }

    /// What a conductance of 1 per step is there.
    pub(super) fn units_of(&self, membranes: Range<usize>) -> Vec<f32> {
        self.slots_of(membranes).map(|slot| self.units[slot as usize]).collect()
    }

    /// Block, term and lane of the adaptation currents of some membranes.
    fn adaptations_of(&self, membranes: Range<usize>) -> Vec<(usize, usize, usize)> {
        let of = |m: usize| {
            (0..usize::from(self.terms[m][1])).map(move |term| (m / LANES, term, m % LANES))
        };
        membranes.flat_map(of).collect()
    }

    /// What changes of some membranes during a run.
    pub(super) fn state(&self, membranes: Range<usize>) -> CellsState {
        let g = |slot: u32| self.inputs[slot as usize / LANES].g[slot as usize % LANES];
        let w = |(block, term, lane): (usize, usize, usize)| {
            self.blocks[block].adex.adaptation[term].w[lane]
        };
        CellsState {
            v: membranes.clone().map(|m| self.blocks[m / LANES].v[m % LANES]).collect(),
            ready: membranes.clone().map(|m| self.blocks[m / LANES].ready[m % LANES]).collect(),
            g: self.slots_of(membranes.clone()).map(g).collect(),
            w: self.adaptations_of(membranes).into_iter().map(w).collect(),
        }
    }

    /// Takes over a state of some membranes; false if it does not fit.
    pub(super) fn restore(&mut self, membranes: Range<usize>, state: &CellsState) -> bool {
        let CellsState { v, ready, g, w } = state;
        let slots: Vec<u32> = self.slots_of(membranes.clone()).collect();
        let adaptations = self.adaptations_of(membranes.clone());
        if [v.len(), ready.len(), g.len(), w.len()]
            != [membranes.len(), membranes.len(), slots.len(), adaptations.len()]
        {
            return false;
        }
        for (m, (v, ready)) in membranes.zip(v.iter().zip(ready)) {
            let block = &mut self.blocks[m / LANES];
            (block.v[m % LANES], block.ready[m % LANES]) = (*v, *ready);
        }
        for (slot, g) in slots.into_iter().zip(g) {
            self.inputs[slot as usize / LANES].g[slot as usize % LANES] = *g;
        }
        for ((block, term, lane), w) in adaptations.into_iter().zip(w) {
            self.blocks[block].adex.adaptation[term].w[lane] = *w;
        }
        true
    }

    /// What the entries of a state stand for, with the circuits of each membrane of a chip, the first of
    /// which is number `first`.
    pub(super) fn layout(
        &self,
        first: usize,
        circuits: &[Vec<NeuronOnHicann>],
    ) -> Vec<MembraneLayout> {
        let of_membrane = |(m, circuits): (usize, &Vec<NeuronOnHicann>)| {
            let (e_leak_v, [inputs, adaptations]) = (self.e_leak[m], self.terms[m]);
            MembraneLayout { first: circuits[0], e_leak_v, inputs, adaptations }
        };
        (first..).zip(circuits).map(of_membrane).collect()
    }

    /// Takes over the states of membranes that are still there.
    pub(super) fn carry_over(
        &mut self,
        membranes: Range<usize>,
        old: &Layout,
        new: &Layout,
        state: &CellsState,
    ) {
        let mut mine = self.state(membranes.clone());
        carry::membranes(old, new, |from, to| {
            let shift = old.membranes[from].e_leak_v - new.membranes[to].e_leak_v;
            mine.v[to] = state.v[from] + shift;
            mine.ready[to] = state.ready[from];
        });
        for (from, target) in carry::inputs(old, new).into_iter().enumerate() {
            if let Some((to, ratio)) = target {
                mine.g[to as usize] = state.g[from] * ratio;
            }
        }
        for (from, to) in carry::adaptations(old, new) {
            mine.w[to] = state.w[from];
        }
        self.restore(membranes, &mine);
    }

    /// Absolute voltage of a membrane, V.
    pub(super) fn voltage(&self, membrane: usize) -> f32 {
        self.blocks[membrane / LANES].v[membrane % LANES] + self.e_leak[membrane]
    }
}

#[cfg(test)]
impl Cells {
    /// Those of a wafer that has no others.
    pub(super) fn of(membranes: &[Membrane], step_s: f64) -> Self {
        let bounds = Bounds::of(membranes.iter());
        Self::new(&membranes.iter().collect::<Vec<_>>(), bounds, step_s)
    }

    /// One step on the instruction set of the machine; whether any membrane fires.
    pub(super) fn step_once(&mut self) -> bool {
        self.step_until().is_some()
    }

    /// One step; the share of it after which a membrane fires.
    pub(super) fn step_until(&mut self) -> Option<f64> {
        use super::arrivals::Rows;
        use fearless_simd::{Level, dispatch};
        use hal::wafer::DncCycles;
        const PARTS: u64 = 1 << 20;
        let rows = Rows::new(self.slots());
        let step = DncCycles(PARTS);
        let steps = Steps { first: 0, in_window: 0, count: 1, step, rows };
        let mut nothing = Arrivals::new(1, std::iter::once(rows));
        let mut crossings = Vec::new();
        dispatch!(Level::new(), simd => self.advance(simd, &steps, &mut nothing, &mut crossings));
        crossings.first().map(|crossing| crossing.time.0 as f64 / PARTS as f64)
    }

    /// Adds a conductance per step to an input of a membrane.
    pub(super) fn arrive(&mut self, membrane: usize, input: usize, rate: f32) {
        let (slot, unit) = self.slot(membrane, input);
        self.add(slot, rate * unit);
    }
}

#[cfg(test)]
mod tests {
    use hal::coord::NeuronOnHicann;

    use super::*;
    use crate::circuits::{Comparator, SynapticInput};

    const STEP_S: f64 = 4e-9;
    const BIG_CAPACITOR_F: f64 = 2.16456e-12;

    fn membrane(circuits: f64, inputs: Vec<SynapticInput>) -> Membrane {
        Membrane {
            circuits: vec![NeuronOnHicann::new::<0>()],
            capacitance_f: circuits * BIG_CAPACITOR_F,
            leak_s: circuits * BIG_CAPACITOR_F / 1e-6,
            e_leak_v: 0.7,
            initial_v: 0.7,
            inputs,
            adaptation: Vec::new(),
            exponential: Vec::new(),
            comparators: Vec::new(),
            leak_range_v: None,
            v_reset_v: 0.0,
            tau_reset_s: 0.0,
            held: false,
            tau_ref_s: 0.0,
        }
    }

    const EXCITATORY: SynapticInput =
        SynapticInput { tau_s: 2e-7, e_rev_v: 1.2, limit_s: f64::INFINITY, own: None };

    /// Highest voltage and its time after conductance `g_s` arrives at time 0.
    fn peak(circuits: f64, g_s: f64) -> (f64, f64) {
        let mut cells = Cells::of(&[membrane(circuits, vec![EXCITATORY])], STEP_S);
        let rate = g_s / (circuits * BIG_CAPACITOR_F) * STEP_S;
        cells.step_once();
        cells.arrive(0, 0, rate as f32);
        let trace = (1..1000).map(|i| {
            cells.step_once();
            (f64::from(cells.voltage(0)), f64::from(i) * STEP_S)
        });
        trace.max_by(|a, b| a.0.total_cmp(&b.0)).expect("a thousand steps")
    }

    #[test]
    fn epsps_have_the_published_peaks() {
        // vectors coba_epsp-001 to -003
        for (g_s, v) in [
            (2e-8, 0.700617395309102),
            (1.74e-7, 0.7053404162637191),
            (9.55e-7, 0.7284707084596443),
        ] {
            let (top, time) = peak(1.0, g_s);
            assert!((top - v).abs() < 2e-3 * (v - 0.7), "{g_s}: {top} for {v}");
            assert!((time - 4e-7).abs() <= 2e-8, "{g_s}: {time}");
        }
    }

    #[test]
    fn joining_circuits_scales_as_capacitance_does() {
        let (reference, _) = peak(1.0, 9.55e-7);
        for circuits in [2.0, 4.0, 8.0] {
            let (joined, _) = peak(circuits, circuits * 9.55e-7);
            assert!((joined - reference).abs() < 1e-6, "{circuits}: {joined}");
        }
        let ratio = (peak(2.0, 2e-8).0 - 0.7) / (peak(1.0, 2e-8).0 - 0.7);
        assert!((ratio - 0.5).abs() < 0.01, "{ratio}");
    }

    #[test]
    fn a_membrane_without_input_does_not_move() {
        let mut m = membrane(1.0, vec![EXCITATORY]);
        m.comparators = vec![Comparator { neuron: NeuronOnHicann::new::<0>(), v_t_v: 0.71 }];
        let mut cells = Cells::of(&[m], STEP_S);
        for _ in 0..10_000 {
            assert!(!cells.step_once());
        }
        assert_eq!(cells.blocks[0].v[0], 0.0);
        assert!((f64::from(cells.e_leak[0]) - 0.7).abs() < 1e-7);
    }
}

//! Leaky integrate-and-fire cells, eight by eight, with or without adaptation of their spiking.
//!
//! Per step the synaptic conductances are replaced by their mean over the step, then the membrane
//! equation is solved exactly. Refractory periods end at their time, between steps too.

use std::ops::Range;

use fearless_simd::f64x8;
use fearless_simd::prelude::*;

use super::math::{LANES, Lanes, PADDED, SIDE_BY_SIDE, exp_neg};
use super::model::Variable;
use super::part::Ring;

/// Conductances below this, in uS, are none; numbers much smaller than that are slow.
const FAINT: f64 = 1e-60;

/// A parameter of all cells, eight by eight. Where all cells have the same, only the first eight are
/// looked at: what is looked at often stays near.
#[derive(Debug, Clone)]
struct Column {
    lanes: Vec<Lanes>,
    mask: usize,
}

impl Column {
    fn new(groups: usize, value: f64) -> Self {
        Self { lanes: vec![[value; LANES]; groups], mask: 0 }
    }

    fn set(&mut self, cell: usize, value: f64) {
        self.lanes[cell / LANES][cell % LANES] = value;
        self.mask = usize::MAX;
    }

    /// Finds out whether these cells, which are all, have the same.
    fn settle(&mut self, cells: usize) {
        let first = self.lanes[0][0];
        let same = |cell: usize| self.lanes[cell / LANES][cell % LANES] == first;
        if (0..cells).all(same) {
            self.lanes[0] = [first; LANES];
            self.mask = 0;
        }
    }

    #[inline(always)]
    fn at(&self, group: usize) -> &Lanes {
        &self.lanes[group & self.mask]
    }
}

/// One mechanism of adaptation: a conductance that grows with each spike.
#[derive(Debug, Clone)]
struct Adaptation {
    /// uS
    g: Vec<Lanes>,
    /// Growth per spike, uS.
    quantum: Column,
    e_rev: Column,
    decay: Column,
    mean: Column,
}

/// The cells of a block.
#[derive(Debug, Clone)]
pub(super) struct Lif {
    step_ms: f64,
    cells: usize,
    /// mV
    v: Vec<Lanes>,
    /// uS, excitatory and inhibitory
    g: [Vec<Lanes>; 2],
    /// ms left of the refractory period
    hold: Vec<Lanes>,
    /// Leak conductance, uS.
    leak: Column,
    /// Leak conductance times resting potential, and the constant current; nA.
    drive: Column,
    /// Current from outside in this step, nA.
    inject: Column,
    /// Reversal potentials, mV.
    e_rev: [Column; 2],
    /// Decay of the conductances in one step.
    decay: [Column; 2],
    /// Their mean over a step, as a share of their value at its start.
    mean: [Column; 2],
    /// One over the capacitance, 1/nF.
    rate: Column,
    threshold: Column,
    reset: Column,
    refractory: Column,
    /// Spike-frequency adaptation and relative refractoriness; none without.
    adaptation: Option<[Adaptation; 2]>,
}

/// Mean of `e^(-t / tau)` for `t` in `0..step`.
fn mean_decay(step: f64, tau: f64) -> f64 {
    -(-step / tau).exp_m1() * tau / step
}

impl Lif {
    pub(super) fn new(cells: usize, step_ms: f64, adapts: bool) -> Self {
        let groups = cells.next_multiple_of(PADDED) / LANES;
        let zero = || vec![[0.0; LANES]; groups];
        let column = |value| Column::new(groups, value);
        let adaptation = || Adaptation {
            g: zero(),
            quantum: column(0.0),
            e_rev: column(0.0),
            decay: column(0.0),
            mean: column(0.0),
        };
        let both = |value| [column(value), column(value)];
        Self {
            step_ms,
            cells,
            v: zero(),
            g: [zero(), zero()],
            hold: zero(),
            leak: column(1.0),
            drive: column(0.0),
            inject: column(0.0),
            e_rev: both(0.0),
            decay: both(0.0),
            mean: both(0.0),
            rate: column(1.0),
            threshold: column(f64::INFINITY),
            reset: column(0.0),
            refractory: column(0.0),
            adaptation: adapts.then(|| [adaptation(), adaptation()]),
        }
    }

    /// Takes over the parameters of all cells, by their names in PyNN.
    pub(super) fn set_parameters(&mut self, of: &dyn Fn(&str, usize) -> f64) {
        let step = self.step_ms;
        for cell in 0..self.cells {
            let of = |name: &str| of(name, cell);
            let leak = of("cm") / of("tau_m");
            self.leak.set(cell, leak);
            self.drive.set(cell, leak * of("v_rest") + of("i_offset"));
            self.rate.set(cell, 1.0 / of("cm"));
            for (input, (tau, e_rev)) in
                [("tau_syn_E", "e_rev_E"), ("tau_syn_I", "e_rev_I")].into_iter().enumerate()
            {
                self.e_rev[input].set(cell, of(e_rev));
                self.decay[input].set(cell, (-step / of(tau)).exp());
                self.mean[input].set(cell, mean_decay(step, of(tau)));
            }
            self.threshold.set(cell, of("v_thresh"));
            self.reset.set(cell, of("v_reset"));
            self.refractory.set(cell, of("tau_refrac"));
            let names = [("tau_sfa", "e_rev_sfa", "q_sfa"), ("tau_rr", "e_rev_rr", "q_rr")];
            for (one, (tau, e_rev, quantum)) in self.adaptation.iter_mut().flatten().zip(names) {
                one.quantum.set(cell, of(quantum) * 1e-3);
                one.e_rev.set(cell, of(e_rev));
                one.decay.set(cell, (-step / of(tau)).exp());
                one.mean.set(cell, mean_decay(step, of(tau)));
            }
        }
        let cells = self.cells;
        let single = [&mut self.leak, &mut self.drive, &mut self.rate, &mut self.threshold];
        let more = [&mut self.reset, &mut self.refractory];
        let paired = [&mut self.e_rev, &mut self.decay, &mut self.mean].into_iter().flatten();
        let adaptation = self.adaptation.iter_mut().flatten();
        let adaptation = adaptation
            .flat_map(|one| [&mut one.quantum, &mut one.e_rev, &mut one.decay, &mut one.mean]);
        let all = single.into_iter().chain(more).chain(paired).chain(adaptation);
        all.for_each(|column| column.settle(cells));
    }

    /// The values of a state variable; none if these cells lack it.
    const fn values(&self, variable: Variable) -> Option<&Vec<Lanes>> {
        match (variable, &self.adaptation) {
            (Variable::V, _) => Some(&self.v),
            (Variable::GsynExc, _) => Some(&self.g[0]),
            (Variable::GsynInh, _) => Some(&self.g[1]),
            (Variable::GSfa, Some([sfa, _])) => Some(&sfa.g),
            (Variable::GRelative, Some([_, relative])) => Some(&relative.g),
            _ => None,
        }
    }

    const fn values_mut(&mut self, variable: Variable) -> Option<&mut Vec<Lanes>> {
        match (variable, &mut self.adaptation) {
            (Variable::V, _) => Some(&mut self.v),
            (Variable::GsynExc, _) => Some(&mut self.g[0]),
            (Variable::GsynInh, _) => Some(&mut self.g[1]),
            (Variable::GSfa, Some([sfa, _])) => Some(&mut sfa.g),
            (Variable::GRelative, Some([_, relative])) => Some(&mut relative.g),
            _ => None,
        }
    }

    /// A state variable in PyNN's unit; conductances of adaptation are in nS there.
    pub(super) fn get(&self, variable: Variable, cell: usize) -> f64 {
        let values = self.values(variable);
        values.map_or(0.0, |values| values[cell / LANES][cell % LANES] / unit(variable))
    }

    pub(super) fn set(&mut self, variable: Variable, cell: usize, value: f64) {
        if let Some(values) = self.values_mut(variable) {
            values[cell / LANES][cell % LANES] = value * unit(variable);
        }
    }

    pub(super) fn hold(&mut self, cell: usize) -> &mut f64 {
        &mut self.hold[cell / LANES][cell % LANES]
    }

    /// Sets the current from outside, nA, until it is set again.
    pub(super) fn inject(&mut self, cell: usize, current: f64) {
        self.inject.set(cell, current);
    }

    /// Advances all cells through the steps of `window`; at the end of each, the conductances that
    /// `ring` has for cells from `column` on are added. Appends the steps and cells that have fired,
    /// cells before steps.
    #[inline(always)]
    pub(super) fn advance<S: Simd>(
        &mut self,
        simd: S,
        window: Range<u64>,
        ring: &mut Ring,
        column: usize,
        fired: &mut Vec<(u64, u16)>,
    ) {
        for first in (0..self.v.len()).step_by(SIDE_BY_SIDE) {
            let window = window.clone();
            if self.adaptation.is_none() {
                self.advance_some::<S, false>(simd, first, window, ring, column, fired);
            } else {
                self.advance_some::<S, true>(simd, first, window, ring, column, fired);
            }
        }
    }

    /// Advances some groups of eight cells.
    #[inline(always)]
    fn advance_some<S: Simd, const ADAPTS: bool>(
        &mut self,
        simd: S,
        first: usize,
        window: Range<u64>,
        ring: &mut Ring,
        column: usize,
        fired: &mut Vec<(u64, u16)>,
    ) {
        let step = f64x8::splat(simd, self.step_ms);
        let zero = f64x8::splat(simd, 0.0);
        let load = |lanes: &Lanes| f64x8::from_slice(simd, lanes);
        let column_of = |column: &Column| -> [f64x8<S>; SIDE_BY_SIDE] {
            std::array::from_fn(|k| load(column.at(first + k)))
        };
        let state = |values: &[Lanes]| -> [f64x8<S>; SIDE_BY_SIDE] {
            std::array::from_fn(|k| load(&values[first + k]))
        };
        let leak = column_of(&self.leak);
        let (base, inject) = (column_of(&self.drive), column_of(&self.inject));
        let drive: [f64x8<S>; SIDE_BY_SIDE] = std::array::from_fn(|k| base[k] + inject[k]);
        let e_rev = [column_of(&self.e_rev[0]), column_of(&self.e_rev[1])];
        let decay = [column_of(&self.decay[0]), column_of(&self.decay[1])];
        let mean = [column_of(&self.mean[0]), column_of(&self.mean[1])];
        let rate = column_of(&self.rate);
        let threshold = column_of(&self.threshold);
        let reset = column_of(&self.reset);
        let refractory = column_of(&self.refractory);
        let (mut v, mut hold) = (state(&self.v), state(&self.hold));
        let (mut g_e, mut g_i) = (state(&self.g[0]), state(&self.g[1]));
        for now in window {
            let [to_e, to_i] = ring.arrivals(now + 1, column + first * LANES, PADDED);
            let arrivals = to_e.chunks_exact_mut(LANES).zip(to_i.chunks_exact_mut(LANES));
            for (k, (to_e, to_i)) in arrivals.enumerate() {
                let active = step - hold[k].min(step);
                let (e_mean, i_mean) = (g_e[k] * mean[0][k], g_i[k] * mean[1][k]);
                let mut g = leak[k] + e_mean + i_mean;
                let mut drive = drive[k] + e_mean * e_rev[0][k] + i_mean * e_rev[1][k];
                if ADAPTS {
                    for one in self.adaptation.iter().flatten() {
                        let mean = load(&one.g[first + k]) * load(one.mean.at(first + k));
                        g += mean;
                        drive += mean * load(one.e_rev.at(first + k));
                    }
                }
                let rest = drive / g;
                let share = exp_neg(active * g * rate[k]);
                let new = rest + (v[k] - rest) * share;
                let fires = new.simd_ge(threshold[k]);
                v[k] = fires.select(reset[k], new);
                hold[k] = fires.select(refractory[k], (hold[k] - step).max(0.0));
                let decayed = |g: f64x8<S>, decay: f64x8<S>| {
                    let g = g * decay;
                    g.simd_ge(FAINT).select(g, zero)
                };
                g_e[k] = decayed(g_e[k], decay[0][k]) + f64x8::from_slice(simd, to_e);
                g_i[k] = decayed(g_i[k], decay[1][k]) + f64x8::from_slice(simd, to_i);
                to_e.fill(0.0);
                to_i.fill(0.0);
                if ADAPTS {
                    for one in self.adaptation.iter_mut().flatten() {
                        let g = decayed(load(&one.g[first + k]), load(one.decay.at(first + k)));
                        let grown = g + load(one.quantum.at(first + k));
                        one.g[first + k] = fires.select(grown, g).into();
                    }
                }
                let mask = fires.to_bitmask();
                if mask != 0 {
                    let lanes = (0..LANES).filter(|lane| mask >> lane & 1 == 1);
                    let cells = lanes.map(|lane| (first + k) * LANES + lane);
                    // the last eight may be fewer
                    let cells = cells.filter(|&cell| cell < self.cells);
                    fired.extend(cells.map(|cell| (now + 1, cell as u16)));
                }
            }
        }
        for k in 0..SIDE_BY_SIDE {
            self.v[first + k] = v[k].into();
            self.hold[first + k] = hold[k].into();
            self.g[0][first + k] = g_e[k].into();
            self.g[1][first + k] = g_i[k].into();
        }
    }
}

/// Units of a state variable in one of PyNN's.
const fn unit(variable: Variable) -> f64 {
    match variable {
        Variable::GSfa | Variable::GRelative => 1e-3,
        _ => 1.0,
    }
}

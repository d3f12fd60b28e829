//! Leaky integrate-and-fire cells, eight by eight, with or without adaptation of their spiking.
//!
//! Per step the synaptic conductances are replaced by their mean over the step, then the membrane
//! equation is solved exactly. Refractory periods end at their time, between steps too.

use fearless_simd::f64x8;
use fearless_simd::prelude::*;

use super::math::{LANES, Lanes, exp_neg};
use super::model::Variable;

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
        let groups = cells.div_ceil(LANES);
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

    /// Advances all cells by a step; then the conductances in `arrivals`, excitatory ones first, are
    /// added. Appends the cells that have fired.
    #[inline(always)]
    pub(super) fn step<S: Simd>(&mut self, simd: S, arrivals: &[f64], fired: &mut Vec<u16>) {
        if self.adaptation.is_none() {
            self.step_all::<S, false>(simd, arrivals, fired);
        } else {
            self.step_all::<S, true>(simd, arrivals, fired);
        }
    }

    #[inline(always)]
    fn step_all<S: Simd, const ADAPTS: bool>(
        &mut self,
        simd: S,
        arrivals: &[f64],
        fired: &mut Vec<u16>,
    ) {
        let step = f64x8::splat(simd, self.step_ms);
        let zero = f64x8::splat(simd, 0.0);
        let load = |lanes: &Lanes| f64x8::from_slice(simd, lanes);
        let (to_e, to_i) = arrivals.split_at(arrivals.len() / 2);
        let state = self.v.iter_mut().zip(&mut self.hold);
        let [g_e, g_i] = &mut self.g;
        let arrivals = to_e.chunks_exact(LANES).zip(to_i.chunks_exact(LANES));
        let all = state.zip(g_e.iter_mut().zip(g_i)).zip(arrivals);
        for (index, (((v, hold), (g_e, g_i)), (to_e, to_i))) in all.enumerate() {
            let held = load(hold);
            let active = step - held.min(step);
            let [e, i] = [load(g_e), load(g_i)];
            let (e_mean, i_mean) =
                (e * load(self.mean[0].at(index)), i * load(self.mean[1].at(index)));
            let mut g = load(self.leak.at(index)) + e_mean + i_mean;
            let mut drive = load(self.drive.at(index))
                + load(self.inject.at(index))
                + e_mean * load(self.e_rev[0].at(index))
                + i_mean * load(self.e_rev[1].at(index));
            if ADAPTS {
                for one in self.adaptation.iter().flatten() {
                    let mean = load(&one.g[index]) * load(one.mean.at(index));
                    g += mean;
                    drive += mean * load(one.e_rev.at(index));
                }
            }
            let rest = drive / g;
            let decay = exp_neg(active * g * load(self.rate.at(index)));
            let new = rest + (load(v) - rest) * decay;
            let fires = new.simd_ge(load(self.threshold.at(index)));
            *v = fires.select(load(self.reset.at(index)), new).into();
            let later = (held - step).max(0.0);
            *hold = fires.select(load(self.refractory.at(index)), later).into();
            let decayed = |g: f64x8<S>, decay: &Lanes| {
                let g = g * load(decay);
                g.simd_ge(FAINT).select(g, zero)
            };
            *g_e = (decayed(e, self.decay[0].at(index)) + f64x8::from_slice(simd, to_e)).into();
            *g_i = (decayed(i, self.decay[1].at(index)) + f64x8::from_slice(simd, to_i)).into();
            if ADAPTS {
                for one in self.adaptation.iter_mut().flatten() {
                    let g = decayed(load(&one.g[index]), one.decay.at(index));
                    let grown = g + load(one.quantum.at(index));
                    one.g[index] = fires.select(grown, g).into();
                }
            }
            let mask = fires.to_bitmask();
            if mask != 0 {
                let lanes = (0..LANES).filter(|lane| mask >> lane & 1 == 1);
                let cells = lanes.map(|lane| index * LANES + lane);
                // the last eight may be fewer
                fired.extend(cells.filter(|&cell| cell < self.cells).map(|cell| cell as u16));
            }
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

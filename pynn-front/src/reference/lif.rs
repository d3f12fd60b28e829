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

/// State and constants of eight cells.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Group {
    /// mV
    v: Lanes,
    /// uS, excitatory and inhibitory
    g: [Lanes; 2],
    /// ms left of the refractory period
    hold: Lanes,
    /// Leak conductance, uS.
    leak: Lanes,
    /// Leak conductance times resting potential, and the constant current; nA.
    drive: Lanes,
    /// Current from outside in this step, nA.
    inject: Lanes,
    /// Reversal potentials, mV.
    e_rev: [Lanes; 2],
    /// Decay of the conductances in one step.
    decay: [Lanes; 2],
    /// Their mean over a step, as a share of their value at its start.
    mean: [Lanes; 2],
    /// One over the capacitance, 1/nF.
    rate: Lanes,
    threshold: Lanes,
    reset: Lanes,
    refractory: Lanes,
}

/// One mechanism of adaptation of eight cells: a conductance that grows with each spike.
#[derive(Debug, Clone, Default)]
struct Adaptation {
    /// uS
    g: Lanes,
    /// Growth per spike, uS.
    quantum: Lanes,
    e_rev: Lanes,
    decay: Lanes,
    mean: Lanes,
}

/// The cells of a block.
#[derive(Debug, Clone)]
pub(super) struct Lif {
    step_ms: f64,
    groups: Vec<Group>,
    /// By group: spike-frequency adaptation and relative refractoriness; empty without.
    adaptation: Vec<[Adaptation; 2]>,
}

/// Mean of `e^(-t / tau)` for `t` in `0..step`.
fn mean_decay(step: f64, tau: f64) -> f64 {
    -(-step / tau).exp_m1() * tau / step
}

impl Lif {
    pub(super) fn new(cells: usize, step_ms: f64, adapts: bool) -> Self {
        let zero = [0.0; LANES];
        let one = [1.0; LANES];
        let idle = Group {
            v: zero,
            g: [zero; 2],
            hold: zero,
            leak: one,
            drive: zero,
            inject: zero,
            e_rev: [zero; 2],
            decay: [zero; 2],
            mean: [zero; 2],
            rate: one,
            threshold: [f64::INFINITY; LANES],
            reset: zero,
            refractory: zero,
        };
        let groups = cells.div_ceil(LANES);
        let adaptation = if adapts { groups } else { 0 };
        Self {
            step_ms,
            groups: vec![idle; groups],
            adaptation: vec![<[Adaptation; 2]>::default(); adaptation],
        }
    }

    /// Takes over the parameters of a cell, by their names in PyNN.
    pub(super) fn set_parameters(&mut self, cell: usize, of: &dyn Fn(&str) -> f64) {
        let (index, lane) = (cell / LANES, cell % LANES);
        let step = self.step_ms;
        let group = &mut self.groups[index];
        let leak = of("cm") / of("tau_m");
        group.leak[lane] = leak;
        group.drive[lane] = leak * of("v_rest") + of("i_offset");
        group.rate[lane] = 1.0 / of("cm");
        for (input, (tau, e_rev)) in
            [("tau_syn_E", "e_rev_E"), ("tau_syn_I", "e_rev_I")].into_iter().enumerate()
        {
            group.e_rev[input][lane] = of(e_rev);
            group.decay[input][lane] = (-step / of(tau)).exp();
            group.mean[input][lane] = mean_decay(step, of(tau));
        }
        group.threshold[lane] = of("v_thresh");
        group.reset[lane] = of("v_reset");
        group.refractory[lane] = of("tau_refrac");
        if let Some(both) = self.adaptation.get_mut(index) {
            let names = [("tau_sfa", "e_rev_sfa", "q_sfa"), ("tau_rr", "e_rev_rr", "q_rr")];
            for (one, (tau, e_rev, quantum)) in both.iter_mut().zip(names) {
                one.quantum[lane] = of(quantum) * 1e-3;
                one.e_rev[lane] = of(e_rev);
                one.decay[lane] = (-step / of(tau)).exp();
                one.mean[lane] = mean_decay(step, of(tau));
            }
        }
    }

    /// The place of a state variable; none if these cells lack it.
    fn place(&mut self, variable: Variable, cell: usize) -> Option<&mut f64> {
        let (index, lane) = (cell / LANES, cell % LANES);
        let group = &mut self.groups[index];
        Some(match variable {
            Variable::V => &mut group.v[lane],
            Variable::GsynExc => &mut group.g[0][lane],
            Variable::GsynInh => &mut group.g[1][lane],
            Variable::GSfa => &mut self.adaptation.get_mut(index)?[0].g[lane],
            Variable::GRelative => &mut self.adaptation.get_mut(index)?[1].g[lane],
            Variable::W => return None,
        })
    }

    /// A state variable in PyNN's unit; conductances of adaptation are in nS there.
    pub(super) fn get(&self, variable: Variable, cell: usize) -> f64 {
        let (index, lane) = (cell / LANES, cell % LANES);
        let adaptation =
            |one: usize| self.adaptation.get(index).map_or(0.0, |a| a[one].g[lane] * 1e3);
        match variable {
            Variable::V => self.groups[index].v[lane],
            Variable::GsynExc => self.groups[index].g[0][lane],
            Variable::GsynInh => self.groups[index].g[1][lane],
            Variable::GSfa => adaptation(0),
            Variable::GRelative => adaptation(1),
            Variable::W => 0.0,
        }
    }

    pub(super) fn set(&mut self, variable: Variable, cell: usize, value: f64) {
        let unit = match variable {
            Variable::GSfa | Variable::GRelative => 1e-3,
            _ => 1.0,
        };
        if let Some(place) = self.place(variable, cell) {
            *place = value * unit;
        }
    }

    pub(super) fn hold(&mut self, cell: usize) -> &mut f64 {
        &mut self.groups[cell / LANES].hold[cell % LANES]
    }

    /// Sets the current from outside, nA, until it is set again.
    pub(super) fn inject(&mut self, cell: usize, current: f64) {
        self.groups[cell / LANES].inject[cell % LANES] = current;
    }

    /// Advances all cells by a step; then the conductances in `arrivals`, excitatory ones first, are
    /// added. Appends the cells that have fired.
    #[inline(always)]
    pub(super) fn step<S: Simd>(&mut self, simd: S, arrivals: &[f64], fired: &mut Vec<u16>) {
        if self.adaptation.is_empty() {
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
        let (excitatory, inhibitory) = arrivals.split_at(arrivals.len() / 2);
        let both = excitatory.chunks_exact(LANES).zip(inhibitory.chunks_exact(LANES));
        for (index, (group, (to_e, to_i))) in self.groups.iter_mut().zip(both).enumerate() {
            let load = |lanes: &Lanes| f64x8::from_slice(simd, lanes);
            let hold = load(&group.hold);
            let active = step - hold.min(step);
            let [e, i] = [load(&group.g[0]), load(&group.g[1])];
            let (e_mean, i_mean) = (e * load(&group.mean[0]), i * load(&group.mean[1]));
            let mut g = load(&group.leak) + e_mean + i_mean;
            let mut drive = load(&group.drive)
                + load(&group.inject)
                + e_mean * load(&group.e_rev[0])
                + i_mean * load(&group.e_rev[1]);
            if ADAPTS {
                for one in &self.adaptation[index] {
                    let mean = load(&one.g) * load(&one.mean);
                    g += mean;
                    drive += mean * load(&one.e_rev);
                }
            }
            let rest = drive / g;
            let v = rest + (load(&group.v) - rest) * exp_neg(active * g * load(&group.rate));
            let fires = v.simd_ge(load(&group.threshold));
            group.v = fires.select(load(&group.reset), v).into();
            group.hold = fires.select(load(&group.refractory), (hold - step).max(0.0)).into();
            let decayed = |g: f64x8<S>, decay: &Lanes| {
                let g = g * load(decay);
                g.simd_ge(FAINT).select(g, zero)
            };
            let e = decayed(e, &group.decay[0]) + f64x8::from_slice(simd, to_e);
            let i = decayed(i, &group.decay[1]) + f64x8::from_slice(simd, to_i);
            group.g = [e.into(), i.into()];
            if ADAPTS {
                for one in &mut self.adaptation[index] {
                    let g = decayed(load(&one.g), &one.decay);
                    one.g = fires.select(g + load(&one.quantum), g).into();
                }
            }
            let mask = fires.to_bitmask();
            if mask != 0 {
                let lanes = (0..LANES).filter(|lane| mask >> lane & 1 == 1);
                fired.extend(lanes.map(|lane| (index * LANES + lane) as u16));
            }
        }
    }
}
